"""Two reports to hold against each other, measured once for all tests of this room."""

from __future__ import annotations

import pytest

from tests.reports.stored_reports import duller, measure


@pytest.fixture(scope="package")
def base():
    return measure()


@pytest.fixture(scope="package")
def other():
    return measure(duller)
