"""A lens that darkens towards the corners, or an aperture or ring light out of its axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.built_in.light import dimmed, grid
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import Number, built_in, parameter

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask

GRID = 128
"""The loss is worked out at about this many pixels along the shorter side, then enlarged."""


@dataclass(frozen=True)
class Vignette:
    """Darken a picture by the fourth power of the cosine of the field angle.

    The centre, which loses nothing, is drawn once per image. A point at the distance ``r`` from it,
    as a share of the farthest corner's, keeps ``(1 + t r ** 2) ** -2`` of its light, the law of
    natural vignetting [1]_; severity sets ``t`` by what that corner loses. No pixel gets brighter
    from one severity to the next.

    Parameters
    ----------
    depth : float
        Share of the light that the farthest corner loses at severity 5.
    offset : float
        How far from the middle the centre is at most, as a share of each side.

    References
    ----------
    .. [1] Kingslake, "Optics in Photography", SPIE, 1992: the cos-fourth law.
    """

    depth: float = parameter(0.6, Number(0.05, 0.95))
    offset: float = parameter(0.15, Number(0, 0.5))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Darken `image`."""
        loss = self._loss(grid(image.shape, GRID), self.depth * severity / 5, rng)
        return Corrupted(dimmed(image, loss), mask)

    def _loss(self, shape: tuple[int, int], depth: float, rng: np.random.Generator) -> Image:
        """Return what is lost on a grid of `shape`, uint8; the farthest corner loses `depth`."""
        height, width = shape
        down, right = (between((-self.offset, self.offset), one) for one in rng.random(2).tolist())
        y = np.arange(height)[:, None] - (height - 1) * (0.5 + down)
        x = np.arange(width)[None, :] - (width - 1) * (0.5 + right)
        squared = x * x + y * y
        tangent = (1.0 - depth) ** -0.5 - 1.0
        base = 1.0 + tangent * squared / max(float(squared.max()), 1.0)
        return np.asarray(np.rint(255 * (1.0 - 1.0 / (base * base))), np.uint8)


VIGNETTE = built_in("vignette", Vignette)
