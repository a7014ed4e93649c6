"""What tests need of the extra `test` without importing it themselves."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needs_pages = pytest.mark.skipif(
    find_spec("jinja2") is None, reason="jinja2 of the extra test is not installed"
)
