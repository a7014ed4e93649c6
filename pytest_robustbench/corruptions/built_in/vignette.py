"""A lens that darkens towards the corners, or an aperture or ring light out of its axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import (
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

GRID = 128
"""The gains are worked out at about this many pixels along the shorter side, then enlarged."""


@dataclass(frozen=True)
class Vignette:
    """Darken a picture by the fourth power of the cosine of the field angle.

    The centre, which loses nothing, is drawn once per image. A point at the distance ``r`` from it,
    as a share of the farthest corner's, keeps ``(1 + t r ** 2) ** -2`` of its light, the law of
    natural vignetting [1]_; severity sets ``t`` by what that corner loses. No pixel gets brighter
    from one severity to the next.

    Parameters
    ----------
    corner_ev : float
        What the farthest corner loses at severity 3, in EV.
    offset : float
        How far from the middle the centre is at most, as a share of each side.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.

    References
    ----------
    .. [1] Kingslake, "Optics in Photography", SPIE, 1992: the cos-fourth law.
    """

    corner_ev: float = graded(0.5, Number(0.01, 8))
    offset: float = parameter(0.15, Number(0, 0.5))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the share of its light that the farthest corner loses at `severity`."""
        return f"corner loses {100 * (1 - 2.0 ** (-self.corner_ev * growth(severity))):.2g} %"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Darken `image`."""
        gains = self._gains(grid(image.shape, GRID), self.corner_ev * growth(severity), rng)
        return Corrupted(gained(image, enlarged(gains, image.shape), self.response), mask)

    def _gains(self, shape: tuple[int, int], stops: float, rng: np.random.Generator) -> Light:
        """Return gains on a grid of `shape`; the farthest corner loses `stops`."""
        height, width = shape
        down, right = (between((-self.offset, self.offset), one) for one in rng.random(2).tolist())
        y = np.arange(height)[:, None] - (height - 1) * (0.5 + down)
        x = np.arange(width)[None, :] - (width - 1) * (0.5 + right)
        squared = x * x + y * y
        tangent = 2.0 ** (stops / 2) - 1.0
        base = 1.0 + tangent * squared / max(float(squared.max()), 1.0)
        return gains_of(1.0 / (base * base))


VIGNETTE = built_in("vignette", Vignette, stage=Stage.OPTICS)
