"""A lamp that ages on one side: the light falls off across the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth, response
from pytest_robustbench.corruptions.pixels.light import enlarged, gained, gains_of, grid
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.pixels.response import Light

GRID = 64
"""The field is worked out at about this many pixels along the shorter side, then enlarged."""


@dataclass(frozen=True)
class Gradient:
    """Darken a picture towards one side, whose direction is drawn once per image.

    The near side keeps its light; across the picture it falls by a constant number of stops per
    pixel. No pixel gets brighter from one severity to the next.

    Parameters
    ----------
    ev : float
        What the far side loses at severity 3, in EV.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    ev: float = graded(0.5, Number(0.01, 8))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return what the far side loses at `severity`."""
        return f"-{self.ev * growth(severity):.3g} EV at the far side"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Darken `image` towards one side."""
        angle = 2 * math.pi * rng.random()
        gains = _falling(grid(image.shape, GRID), angle, self.ev * growth(severity))
        return Corrupted(gained(image, enlarged(gains, image.shape), self.response), mask)


def _falling(shape: tuple[int, int], angle: float, stops: float) -> Light:
    """Return gains from 1 down to ``2 ** -stops`` along a direction."""
    height, width = shape
    down, right = math.sin(angle), math.cos(angle)
    along = down * np.linspace(-1, 1, height)[:, None] + right * np.linspace(-1, 1, width)
    share = along / (2 * (abs(down) + abs(right))) + 0.5
    return gains_of(2.0 ** (-stops * share))


GRADIENT = built_in("gradient", Gradient, stage=Stage.LIGHT)
