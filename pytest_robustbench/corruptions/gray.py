"""Gray pictures: three equal channels, which every corruption keeps equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image


def is_gray(image: Image) -> bool:
    """Return whether the three channels of `image` ``(H, W, 3)`` are equal everywhere."""
    # Nearly every colour image shows its colour in a few sparse pixels.
    return _equal_channels(image[::16, ::16]) and _equal_channels(image)


def _equal_channels(image: Image) -> bool:
    first = image[..., 0]
    return np.array_equal(first, image[..., 1]) and np.array_equal(first, image[..., 2])
