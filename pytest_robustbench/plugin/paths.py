"""Paths as messages show them."""

from __future__ import annotations

import os


def relative(path: os.PathLike[str], start: os.PathLike[str]) -> str:
    """Return `path` seen from `start`, or whole where it lies on another drive."""
    try:
        return os.path.relpath(path, start)
    except ValueError:
        return os.fspath(path)
