"""From grey levels to light and back: what a camera's response makes of it.

Light adds up and is blurred; grey levels are not light. A camera for the human eye stores about the
square root of it (sRGB [1]_), a machine-vision camera often the light itself.

References
----------
.. [1] IEC 61966-2-1:1999, "Multimedia systems and equipment - Colour measurement and management -
   Part 2-1: Colour management - Default RGB colour space - sRGB".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_robustbench import opencv
from pytest_robustbench.conditions import RESPONSES

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image

Light: TypeAlias = NDArray[np.uint16]
"""``(H, W, 3)`` or ``(H, W)``, from 0 to `WHITE`."""

WHITE = 65535
"""The light of a white pixel: the darkest steps of sRGB are 20 apart."""


def light_of(share: NDArray[np.float64], response: str) -> NDArray[np.float64]:
    """Return the light, 0 to 1, of grey levels given as shares of white."""
    if response == "linear":
        return share
    bent = ((share + 0.055) / 1.055) ** 2.4
    return np.where(share <= 0.04045, share / 12.92, bent)


def share_of(light: NDArray[np.float64], response: str) -> NDArray[np.float64]:
    """Return the grey levels, as shares of white, of light 0 to 1."""
    if response == "linear":
        return light
    bent = 1.055 * np.maximum(light, 1e-12) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, bent)


def levels_in_light(response: str) -> NDArray[np.float64]:
    """Return the light, 0 to 1, of the 256 grey levels."""
    return light_of(np.arange(256) / 255, response)


def table_of(light: NDArray[np.float64], response: str) -> NDArray[np.uint8]:
    """Return the grey levels that some light, 1 at white, is seen as; what exceeds white is."""
    return np.rint(255 * share_of(np.clip(light, 0, 1), response)).astype(np.uint8)


def mean_light(pixels: Image, response: str) -> tuple[float, ...]:
    """Return the mean light of each channel of `pixels`, 1 at white."""
    channels = 1 if pixels.ndim == 2 else 3
    means = opencv.load().mean(decoded(pixels, response))  # of whole numbers, which add up exactly
    return tuple(mean / WHITE for mean in means[:channels])


def quantile_of_light(pixels: Image, share: float, response: str) -> float:
    """Return the light, 1 at white, that a share of the values of `pixels` does not exceed."""
    counts = np.cumsum(np.bincount(pixels.ravel(), minlength=256))
    level = int(np.searchsorted(counts, share * pixels.size))
    return float(levels_in_light(response)[level])


def decoded(pixels: Image, response: str) -> Light:
    """Return the light of `pixels`, 0 to `WHITE`, in their shape."""
    return np.asarray(opencv.load().LUT(pixels, _TO_LIGHT[response][None]))


def encoded(light: Light, response: str) -> Image:
    """Return the grey levels of `light`; what `decoded` gives comes back as it was."""
    return np.take(_TO_LEVELS[response], light)


def _to_light(response: str) -> Light:
    return np.rint(levels_in_light(response) * WHITE).astype(np.uint16)


def _to_levels(response: str) -> NDArray[np.uint8]:
    share = share_of(np.arange(WHITE + 1) / WHITE, response)
    return np.rint(share * 255).astype(np.uint8)


_TO_LIGHT = MappingProxyType({response: _to_light(response) for response in RESPONSES})
_TO_LEVELS = MappingProxyType({response: _to_levels(response) for response in RESPONSES})
