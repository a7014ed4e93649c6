"""One small real report, measured once for all tests of this room."""

from __future__ import annotations

import pytest
from report_samples import small_benchmark


@pytest.fixture(scope="session")
def real_report():
    return small_benchmark().run()
