"""Shared fixtures: real data where it is given, and visible skips where it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real inspection images named by ROBUSTBENCH_TEST_DATA."""
    folder = os.environ.get("ROBUSTBENCH_TEST_DATA")
    if not folder:
        pytest.skip("ROBUSTBENCH_TEST_DATA is not set: no real images to test on")
    return Path(folder)
