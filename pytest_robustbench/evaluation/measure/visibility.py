"""Whether a corruption has left anything of a defect to be seen.

A defect counts as erased where the corruption has made at least half of its pixels black or white,
in every channel, that were not so before; or where its pixels stand out from their surroundings by
less than a gray level, and stood out by more before. How far they stand out is the root mean square
of their distance from the mean of the pixels around them, in the channel where that is largest. No
detector finds what is not there: a miss is then not the detector's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.corruption import Corrupted

MOST_OF_IT = 0.5
ONE_LEVEL = 1.0
AROUND = 3
"""Width of the surroundings, pixels."""


def is_erased(clean: Image, clean_mask: Mask | None, corrupted: Corrupted) -> bool:
    """Return whether the defect of an image can no longer be seen.

    Parameters
    ----------
    clean : Image
        ``(H, W, 3)`` uint8, before the corruption.
    clean_mask : Mask or None
        ``(H, W)`` bool, True = defect.
    corrupted : Corrupted
        After it, with the mask as it moved.
    """
    if clean_mask is None or corrupted.mask is None:
        return False
    if not clean_mask.any() or not corrupted.mask.any():
        return False
    before, after = _seen(clean, clean_mask), _seen(corrupted.image, corrupted.mask)
    if _saturated(*after) - _saturated(*before) >= MOST_OF_IT:
        return True
    return _standing_out(*after) < ONE_LEVEL <= _standing_out(*before)


def _seen(image: Image, mask: Mask) -> tuple[Image, Mask]:
    """Return the part of a picture that holds its defect and what is around it."""
    left, top, width, height = opencv.load().boundingRect(mask.view(np.uint8))
    rows = slice(max(top - AROUND, 0), top + height + AROUND)
    columns = slice(max(left - AROUND, 0), left + width + AROUND)
    return image[rows, columns], mask[rows, columns]


def _saturated(image: Image, mask: Mask) -> float:
    """Return the share of the defect's pixels that are black or white."""
    pixels = image[mask]
    return float(((pixels == 0) | (pixels == 255)).all(axis=1).mean())


def _standing_out(image: Image, mask: Mask) -> float:
    """Return how far the defect's pixels are from the mean around them, in gray levels."""
    around = _surroundings(mask)
    mean = image[around if around.any() else mask].mean(axis=0)
    return float(np.sqrt(((image[mask] - mean) ** 2).mean(axis=0)).max())


def _surroundings(mask: Mask) -> Mask:
    side = 2 * AROUND + 1
    near = opencv.load().dilate(mask.view(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray((near > 0) & ~mask)
