"""Blurs whose kernel is flat: means over shifted copies of a picture, in whole numbers.

A flat kernel needs no weights, so that sums of up to 256 copies are exact in 16 bits, on every
processor and in every build, and one division of whole numbers at the end is all that rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.sizes import bands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_robustbench.arrays import Image

Sums: TypeAlias = NDArray[np.uint16]
"""``(H, W, 3)`` or ``(H, W)``: sums of levels."""


def flat_blur(
    part: Image, reach: int, sum_up: Callable[[Sums], Sums], border: int | None = None
) -> Image:
    """Return the rounded means of `part` over a flat kernel.

    Parameters
    ----------
    part : Image
        ``(H, W, 3)`` or ``(H, W)`` uint8.
    reach : int
        How far the kernel reaches, in pixels.
    sum_up : callable
        From some rows of the picture, wider by `reach` on every side, to the sums over the kernel
        of at most 256 pixels.
    border : int, optional
        OpenCV's number of how the picture is continued; mirrored at its outermost pixels if not
        given.
    """
    cv2 = opencv.load()
    kind = cv2.BORDER_REFLECT_101 if border is None else border
    wide = cv2.copyMakeBorder(part, reach, reach, reach, reach, kind)
    side = 2 * reach + 1
    # A picture of ones tells the size of the kernel, so that it cannot disagree with the sums.
    count = sum_up(np.ones((side, side), np.uint16))[0, 0]
    result = np.empty_like(part)
    for band in bands(*part.shape[:2]):
        rows = wide[band.start : band.stop + 2 * reach].astype(np.uint16)
        result[band] = (sum_up(rows) + count // 2) // count
    return result


def shifted_sum(pixels: Sums, offsets: Iterable[tuple[int, int]], reach: int) -> Sums:
    """Return the sum over `offsets` ``(down, right)`` of `pixels` as seen from there.

    Parameters
    ----------
    pixels : ndarray of uint16
        ``(H, W, 3)`` or ``(H, W)``.
    offsets : iterable of pairs of int
        None beyond `reach`.
    reach : int
        By so much the result is smaller on every side.
    """
    height, width = (length - 2 * reach for length in pixels.shape[:2])
    total = np.zeros((height, width, *pixels.shape[2:]), np.uint16)
    for down, right in offsets:
        top, left = reach + down, reach + right
        total += pixels[top : top + height, left : left + width]
    return total
