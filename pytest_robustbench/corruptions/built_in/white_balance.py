"""The colour of the light: lamps that warm up, age, or are replaced by others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import (
    Choice,
    Number,
    built_in,
    graded,
    growth,
    parameter,
    response,
    sign_of,
    sign_told,
    signed,
)
from pytest_robustbench.corruptions.pixels.light import in_colour
from pytest_robustbench.corruptions.pixels.response import levels_in_light, table_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.arrays import Image, Mask

WAVELENGTHS = (600e-9, 540e-9, 450e-9)
"""Where the three channels of a camera are most sensitive, metres."""

SECOND_RADIATION_CONSTANT = 1.438777e-2
"""Metre kelvin (CODATA 2018)."""


@dataclass(frozen=True)
class WhiteBalance:
    """Multiply red and blue light as a lamp of another colour temperature does; green stays.

    By Wien's law the light of a black body at a wavelength is in proportion to ``exp(-c / (w T))``,
    so that a shift of ``1 / T``, which is what a mired is a millionth of, multiplies it by a number
    that does not depend on ``T`` [1]_. A gray image stays as it is.

    Parameters
    ----------
    mired : float
        Shift at severity 3. By value its sign says which way: more is warmer.
    direction : str
        ``warmer``, ``cooler``, or drawn once per image: ``any``.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.

    References
    ----------
    .. [1] Wyszecki and Stiles, "Color Science", 2nd edition, Wiley, 1982: reciprocal megakelvins.
    """

    mired: float = graded(25.0, Number(0.5, 400))
    direction: str = parameter("any", Choice(("any", "warmer", "cooler")))
    response: str = response()

    @classmethod
    def by_value(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters of a single condition: what has a sign is not drawn."""
        return signed(given, "mired", "warmer", "cooler")

    def level(self, severity: float) -> str:
        """Return the shift of `severity`."""
        sign = sign_told(self.direction, "warmer")
        return f"{sign}{self.mired * growth(severity):.3g} mired"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Shift the colour of `image`."""
        shift = sign_of(self.direction, "warmer", rng.random()) * self.mired * growth(severity)
        gains = colour_gains(shift)
        light = levels_in_light(self.response)[:, None] * np.array(gains)
        return Corrupted(in_colour(image, table_of(light, self.response)), mask)


def colour_gains(mired: float) -> tuple[float, ...]:
    """Return by what a lamp multiplies the light of the channels, green by 1."""
    red, green, blue = (SECOND_RADIATION_CONSTANT / wavelength for wavelength in WAVELENGTHS)
    return tuple(math.exp(-(one - green) * mired * 1e-6) for one in (red, green, blue))


WHITE_BALANCE = built_in("white_balance", WhiteBalance, stage=Stage.LIGHT)
