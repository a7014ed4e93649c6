"""Shares that may be undefined."""

from __future__ import annotations


def ratio(part: float, whole: float) -> float | None:
    """Return ``part / whole``, or ``None`` (reported as null) where nothing can have a share."""
    return float(part / whole) if whole else None
