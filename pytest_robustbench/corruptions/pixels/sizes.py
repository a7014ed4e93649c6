"""Sizes in pixels: how they grow with the image, and how large ones are worked out at less cost.

Large blurs are worked out at a reduced size; large pictures in bands of rows, so that what is
worked out in between stays in the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_robustbench.corruptions.pixels.response import Light

BAND = 1 << 16
"""Pixels of a band, or a single row: a picture of 256 x 256 is one band."""


def scale_of(shape: tuple[int, ...]) -> float:
    """Return how many pixels of an image of `shape` one is where the shorter side is 256.

    Up to that size a pixel is a pixel: a fraction of one would be no blur at all.
    """
    return max(1.0, float(min(shape[:2])) / 256)


def factor_for(size: float, largest: float) -> int:
    """Return the power of two by which `size`, in pixels, is reduced to `largest` at most."""
    factor = 1
    while size / factor > largest:
        factor *= 2
    return factor


def bands(height: int, width: int) -> Iterator[slice]:
    """Yield the rows of a picture of `height` x `width`, from top to bottom, band by band."""
    rows = max(1, BAND // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def at_reduced_size(
    part: Light, factor: int, reach: int, operation: Callable[[Light, int], Light]
) -> Light:
    """Return ``operation(part)``, worked out at 1 / `factor` of the size.

    Squares of `factor` pixels are averaged, and the result is interpolated between their centres.
    Inside the picture it differs from the same at full size by little more than rounding where the
    operation blurs over many squares, at its frame, which is mirrored half a pixel further out, by
    a few levels; it takes a fraction of the time.

    Parameters
    ----------
    part : ndarray of uint16
        ``(H, W, 3)`` or ``(H, W)``.
    factor : int
        Power of two.
    reach : int
        How many squares `operation` looks away.
    operation : callable
        Blurs a picture, given OpenCV's number of how it is continued.
    """
    cv2 = opencv.load()
    if factor == 1:
        return operation(part, cv2.BORDER_REFLECT_101)
    whole = _whole_squares(part, factor, reach)
    height, width = whole.shape[:2]
    small = (width // factor, height // factor)
    averaged = cv2.resize(whole, small, interpolation=cv2.INTER_AREA)
    # Seen from a large pixel's centre, the frame ends half a pixel away.
    spread = operation(averaged, cv2.BORDER_REFLECT)
    full = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.ascontiguousarray(full[: part.shape[0], : part.shape[1]])


def _whole_squares(part: Light, factor: int, reach: int) -> Light:
    """Return `part`; where `factor` does not divide it, continued by at least `reach` squares."""
    below, beside = (-length % factor for length in part.shape[:2])
    below += factor * reach if below else 0
    beside += factor * reach if beside else 0
    if not below and not beside:
        return part
    cv2 = opencv.load()
    return np.asarray(cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_REFLECT))
