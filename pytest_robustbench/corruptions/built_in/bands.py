"""Pictures in bands of rows, so that what is worked out in between stays in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXELS = 1 << 16
"""Of a band, or a single row: a picture of 256 x 256 is one band."""


def bands(height: int, width: int) -> Iterator[slice]:
    """Yield the rows of a picture of `height` x `width`, from top to bottom, band by band."""
    rows = max(1, PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
