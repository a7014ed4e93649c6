"""Resize images and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask


def resize_image(image: Image, size: tuple[int, int]) -> Image:
    """Resize an image, each direction by what suits it: averaging to shrink, bilinear to enlarge.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
    size : (int, int)
        Target height and width; the aspect ratio is not kept.

    Returns
    -------
    ndarray of uint8, shape (*size, 3) or size
    """
    cv2 = opencv.load()
    height, width = size
    smaller = (min(width, image.shape[1]), min(height, image.shape[0]))
    # Two steps, for a tall image that shrinks in height and grows in width must not alias.
    resized: Image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    if resized.shape[:2] != size:
        resized = cv2.resize(resized, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return resized


def resize_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """Resize a mask so that no defect is lost.

    Target pixel ``i`` of ``h`` covers the source pixels from ``floor(i H / h)`` up to, but without,
    ``ceil((i + 1) H / h)``, and likewise in width; it is defect if any of them is.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    size : (int, int)
        Target height and width, smaller or larger.

    Returns
    -------
    ndarray of bool, shape `size`
    """
    counts = opencv.load().integral(mask.astype(np.uint8))
    top, bottom = _covered(mask.shape[0], size[0])
    left, right = _covered(mask.shape[1], size[1])
    rows = counts[bottom] - counts[top]
    resized: Mask = rows[:, right] > rows[:, left]
    return resized


def _covered(source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first source pixel of every target pixel, and the one after its last."""
    index = np.arange(target, dtype=np.int64)
    return index * source // target, -(-(index + 1) * source // target)
