"""Light that a field over the picture takes from it, or adds to it, in whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.pixels.gray import by_channel, gray_channel
from pytest_robustbench.corruptions.pixels.response import WHITE, decoded, encoded
from pytest_robustbench.corruptions.pixels.sizes import bands

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.corruptions.pixels.response import Light

UNCHANGED = 1 << 14
"""The gain that leaves light as it is; no gain reaches four times as much."""


def grid(shape: tuple[int, ...], fineness: int) -> tuple[int, int]:
    """Return height and width of a coarse picture in the proportions of `shape` ``(H, W, ...)``.

    Its shorter side has `fineness` to twice as many pixels, or as many as there are.
    """
    step = max(1, min(shape[:2]) // fineness)
    return -(-shape[0] // step), -(-shape[1] // step)


def enlarged(field: Light, shape: tuple[int, ...]) -> Light:
    """Return `field` ``(h, w)``, interpolated to `shape` ``(H, W, ...)``."""
    cv2 = opencv.load()
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR_EXACT))


def gains_of(shares: NDArray[np.float64]) -> Light:
    """Return what the light is multiplied by as gains."""
    return np.rint(np.minimum(shares * UNCHANGED, 4 * UNCHANGED - 1)).astype(np.uint16)


def gained(image: Image, gains: Light, response: str) -> Image:
    """Return `image` in a light that is multiplied by a field.

    Every step is non-decreasing, its rounding included: more gain never makes a pixel darker.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` or ``(H, W)`` uint8.
    gains : ndarray of uint16
        What broadcasts to ``(H, W)``, in 1 / `UNCHANGED`.
    response : str
        Of the camera.
    """
    field = np.broadcast_to(gains, image.shape[:2])
    return by_channel(image, lambda part: _gained(part, field, response))


def _gained(part: Image, gains: Light, response: str) -> Image:
    result = np.empty_like(part)
    for band in bands(*gains.shape):
        factors = gains[band] if part.ndim == 2 else gains[band][..., None]
        light = decoded(part[band], response).astype(np.uint32)
        light *= factors
        light += UNCHANGED // 2  # the shift rounds down
        light >>= UNCHANGED.bit_length() - 1
        result[band] = encoded(np.minimum(light, WHITE).astype(np.uint16), response)
    return result


def added(image: Image, field: Light, response: str) -> Image:
    """Return `image` with the light of `field` ``(H, W)`` on it; what exceeds white is white."""
    return by_channel(image, lambda part: _added(part, field, response))


def _added(part: Image, field: Light, response: str) -> Image:
    cv2 = opencv.load()
    result = np.empty_like(part)
    for band in bands(*field.shape):
        more = field[band] if part.ndim == 2 else cv2.merge([field[band]] * 3)
        result[band] = encoded(cv2.add(decoded(part[band], response), more), response)
    return result


def in_light(image: Image, response: str, operation: Callable[[Light], Light]) -> Image:
    """Return `image` after an operation on its light; gray is worked out on one plane."""
    return by_channel(image, lambda part: encoded(operation(decoded(part, response)), response))


def mapped(image: Image, table: NDArray[np.uint8]) -> Image:
    """Return `image` with its grey levels looked up in a table ``(256,)``."""
    return by_channel(image, lambda part: looked_up(part, table))


def in_colour(image: Image, tables: NDArray[np.uint8]) -> Image:
    """Return `image` with the levels of each channel looked up in its own table.

    A gray image has no colour that could change: it is returned as it is.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` or ``(H, W)`` uint8.
    tables : ndarray of uint8, shape (256, 3)
    """
    if image.ndim == 2 or gray_channel(image) is not None:
        return np.array(image)
    return looked_up(image, tables)


def looked_up(part: Image, tables: NDArray[np.uint8]) -> Image:
    """Return what is looked up in one table, or a table for each channel: ``(256, channels)``."""
    return np.asarray(opencv.load().LUT(part, np.ascontiguousarray(tables.squeeze())[None]))
