"""Dust on the lens: out of focus, so that each grain is a dark disc with a soft edge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.conditions import SEVEREST
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import (
    Number,
    Span,
    built_in,
    graded,
    growth,
    parameter,
    response,
)
from pytest_robustbench.corruptions.pixels.light import enlarged, gained, gains_of, grid
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask

GRID = 256
"""The spots are drawn at about this many pixels along the shorter side, then enlarged."""


class Spot(NamedTuple):
    """A spot as it was drawn."""

    centre_y: float
    centre_x: float
    radius: float


@dataclass(frozen=True)
class Dust:
    """Lay the shadows of dust over a picture; the mask stays, because dust is no defect.

    Places and sizes are drawn once per image. Severity makes each spot darker and lets further ones
    join; no pixel ever gets brighter from one severity to the next.

    Parameters
    ----------
    percent : float
        Share of the light that the middle of a spot takes at severity 3.
    spots : int
        How many severity 5 shows; they join one after the other.
    radius : tuple of 2 floats
        Of a spot up to the middle of its edge, as a share of the shorter side.
    softness : float
        Width of the edge, as a share of the radius.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    percent: float = graded(10.0, Number(0.5, 25))
    spots: int = parameter(10, Number(1, 100, whole=True))
    radius: tuple[float, float] = parameter((0.02, 0.06), Span(0.005, 0.5))
    softness: float = parameter(1.0, Number(0.1, 2))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the opacity of a spot at `severity`."""
        return f"spots take {self.percent * growth(severity):.3g} %"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Lay the spots of `severity` over `image`."""
        shape = grid(image.shape, GRID)
        opacity = self.percent / 100 * growth(severity)
        clear = np.ones(shape)
        for spot in self._draw(shape, rng)[: math.ceil(self.spots * severity / SEVEREST)]:
            self._lay(spot, opacity, clear)
        gains = enlarged(gains_of(clear), image.shape)
        return Corrupted(gained(image, gains, self.response), mask)

    def _draw(self, shape: tuple[int, int], rng: np.random.Generator) -> list[Spot]:
        """Draw all spots that severity 5 shows on a grid of `shape`."""
        height, width = shape
        return [
            Spot(height * y, width * x, min(shape) * between(self.radius, radius))
            for y, x, radius in rng.random((self.spots, 3)).tolist()
        ]

    def _lay(self, spot: Spot, opacity: float, clear: NDArray[np.float64]) -> None:
        """Take from `clear`, what is let through, what `spot` takes."""
        outermost = spot.radius * (1 + self.softness / 2)
        rows = _around(spot.centre_y, outermost, clear.shape[0])
        columns = _around(spot.centre_x, outermost, clear.shape[1])
        y = np.arange(rows.start, rows.stop)[:, None] - spot.centre_y
        x = np.arange(columns.start, columns.stop) - spot.centre_x
        inside = (outermost - np.sqrt(x * x + y * y)) / (self.softness * spot.radius)
        clear[rows, columns] *= 1 - opacity * _smooth(inside)


def _around(centre: float, reach: float, length: int) -> slice:
    return slice(max(math.floor(centre - reach), 0), min(math.ceil(centre + reach) + 1, length))


def _smooth(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a step from 0 to 1 with soft ends: the cubic through both with level tangents."""
    share = np.clip(share, 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


DUST = built_in("dust", Dust, stage=Stage.OPTICS)
