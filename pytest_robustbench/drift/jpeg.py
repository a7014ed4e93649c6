"""The quality at which a JPEG file was written, by the tables that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
"""ITU-T T.81, table K.1: what quality 50 divides coefficients of brightness by."""


def quality_of(path: Path) -> int | None:
    """Return the quality, 1 to 100, whose table is nearest to that of a file; ``None``: no JPEG.

    Of other encoders than libjpeg it is the quality of libjpeg that loses as much.
    """
    from PIL import Image as Pictures

    try:
        with Pictures.open(path) as picture:
            tables = getattr(picture, "quantization", None)
    except Exception:  # whoever needs the pixels will say what is wrong with the file
        return None
    if not tables:
        return None
    # The order of the coefficients is the file's, or that of rows: sorted, it is the same.
    found = np.sort(np.asarray(tables[min(tables)], np.float64))
    errors = [np.abs(np.sort(_table(quality)) - found).sum() for quality in range(1, 101)]
    return int(np.argmin(errors)) + 1


def _table(quality: int) -> NDArray[np.float64]:
    """Return the table of libjpeg for a quality."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    table = np.clip((np.array(_LUMINANCE) * percent + 50) // 100, 1, 255)
    return np.asarray(table, np.float64)
