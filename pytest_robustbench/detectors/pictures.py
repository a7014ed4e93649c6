"""Pictures as the built-in detectors want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image


def squared(image: Image, size: int) -> Image:
    """Resize an image of any shape to ``(size, size, 3)``, without regard to its aspect.

    Averages where it shrinks, so that thin structures do not alias.

    Raises
    ------
    DetectorError
        If it is not a uint8 array of shape (H, W, 3).
    """
    if not _is_picture(image):
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
        raise DetectorError(f"an image must be a uint8 array of shape (H, W, 3), not {found}")
    return resized(image, (size, size))


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Resize an image to height and width, averaging where it shrinks."""
    if image.shape[:2] == size:
        return image
    cv2 = opencv.load()
    shrinks = image.shape[0] > size[0] or image.shape[1] > size[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    found: Image = cv2.resize(image, size[::-1], interpolation=method)
    return found


def _is_picture(image: object) -> bool:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.size == 0:
        return False
    return image.ndim == 3 and image.shape[2] == 3
