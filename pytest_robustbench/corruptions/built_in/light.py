"""Light that is added to or taken from a picture, pixel by pixel, in whole levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.gray import by_channel, replicated
from pytest_robustbench.corruptions.built_in.sizes import bands

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image


def grid(shape: tuple[int, ...], fineness: int) -> tuple[int, int]:
    """Return height and width of a coarse picture in the proportions of `shape` ``(H, W, ...)``.

    Its shorter side has `fineness` to twice as many pixels, or as many as there are.
    """
    step = max(1, min(shape[:2]) // fineness)
    return -(-shape[0] // step), -(-shape[1] // step)


def enlarged(field: Image, shape: tuple[int, ...]) -> Image:
    """Return `field` ``(h, w)`` uint8, interpolated to `shape` ``(H, W)``."""
    cv2 = opencv.load()
    return np.asarray(cv2.resize(field, shape[::-1], interpolation=cv2.INTER_LINEAR_EXACT))


def product(one: Image, other: Image) -> Image:
    """Return the product of two uint8 pictures on a scale of 0 to 1, rounded."""
    # Exact: a product of two bytes over 255 is never within float error of a half.
    return np.asarray(opencv.load().multiply(one, other, scale=1 / 255))


def dimmed(image: Image, loss: Image) -> Image:
    """Return `image` less the share of its light that `loss` takes.

    More loss never makes a pixel brighter, rounding included.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` uint8.
    loss : Image
        ``(h, w)`` uint8, interpolated to the size of `image`: 0 takes nothing, 255 everything.
    """
    full = enlarged(loss, image.shape[:2])
    return by_channel(image, lambda pixels: _less(pixels, full))


def _less(pixels: Image, loss: Image) -> Image:
    cv2 = opencv.load()
    result = np.empty_like(pixels)
    for band in bands(*loss.shape):
        below, taken = pixels[band], loss[band]
        taken = taken if pixels.ndim == 2 else replicated(taken)
        result[band] = cv2.subtract(below, product(below, taken))
    return result
