"""A lamp that ages on one side: the light falls off across the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import (
    Angle,
    Number,
    built_in,
    graded,
    growth,
    parameter,
    response,
)
from pytest_robustbench.corruptions.pixels.light import enlarged, gained, gains_of, grid
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.pixels.response import Light

ANY: float | str = "any"

MOST = 4.0
"""EV across the picture: two on either side of the middle are what gains can hold."""

GRID = 64
"""The field is worked out at about this many pixels along the shorter side, then enlarged."""


@dataclass(frozen=True)
class Gradient:
    """Let the light fall off across a picture, by a constant number of stops per pixel.

    The middle keeps its light, one side gains what the other loses. Each pixel departs further from
    the source with every severity, and in the same direction.

    Parameters
    ----------
    ev : float
        From one side to the other at severity 3, in EV.
    angle : float or str
        Where it is brightest, in degrees: 0 is to the right, 90 below; or drawn once per image:
        ``any``.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    ev: float = graded(0.5, Number(0.01, MOST))
    angle: float | str = parameter(ANY, Angle())
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the stops of `severity` from one side to the other."""
        return f"{self.ev * growth(severity):.3g} EV across"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Brighten one side of `image` and darken the other."""
        stops = self.ev * growth(severity)
        if stops > MOST:
            raise ValueError(f"{stops:.3g} EV across are more than {MOST:g}, which is all there is")
        drawn = 360 * rng.random()
        angle = math.radians(drawn if isinstance(self.angle, str) else self.angle)
        gains = _falling(grid(image.shape, GRID), angle, stops)
        return Corrupted(gained(image, enlarged(gains, image.shape), self.response), mask)


def _falling(shape: tuple[int, int], angle: float, stops: float) -> Light:
    """Return gains that rise along a direction, by `stops` from one end to the other."""
    height, width = shape
    down, right = math.sin(angle), math.cos(angle)
    along = down * np.linspace(-1, 1, height)[:, None] + right * np.linspace(-1, 1, width)
    return gains_of(2.0 ** (stops * along / (2 * (abs(down) + abs(right)))))


GRADIENT = built_in("gradient", Gradient, stage=Stage.LIGHT)
