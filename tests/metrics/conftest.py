"""What tests of this folder register is forgotten after each of them."""

from __future__ import annotations

import pytest

from pytest_robustbench.metrics.catalogue import REGISTERED


@pytest.fixture(autouse=True)
def registered():
    before = dict(REGISTERED)
    yield REGISTERED
    REGISTERED.clear()
    REGISTERED.update(before)
