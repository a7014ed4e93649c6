"""Gray pictures: three equal channels, which every corruption keeps equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_robustbench.arrays import Image


def is_gray(image: Image) -> bool:
    """Return whether the three channels of `image` ``(H, W, 3)`` are equal everywhere."""
    # Nearly every colour image shows its colour in a few sparse pixels.
    return _equal_channels(image[::16, ::16]) and _equal_channels(image)


def by_channel(image: Image, operation: Callable[[Image], Image]) -> Image:
    """Return ``operation(image)``, worked out on one channel and replicated where it is gray.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` uint8.
    operation : callable
        Takes ``(H, W, 3)`` and ``(H, W)``; returns what it was given the shape of.
    """
    if not is_gray(image):
        return operation(image)
    cv2 = opencv.load()
    once = operation(cv2.extractChannel(image, 0))
    return np.asarray(cv2.merge([once, once, once]))


def _equal_channels(image: Image) -> bool:
    first = image[..., 0]
    return np.array_equal(first, image[..., 1]) and np.array_equal(first, image[..., 2])
