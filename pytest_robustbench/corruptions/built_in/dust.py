"""Dust on the lens: out of focus, so that each grain is a dark disc with a soft edge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.light import dimmed, grid, product
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import Number, Span, built_in, parameter

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats, Image, Mask

GRID = 256
"""The spots are drawn at about this many pixels along the shorter side, then enlarged."""


class Spot(NamedTuple):
    """A spot of full strength, as it was drawn."""

    centre_y: float
    centre_x: float
    radius: float
    opacity: float


@dataclass(frozen=True)
class Dust:
    """Lay the shadows of dust over a picture; the mask stays, because dust is no defect.

    Places, sizes and full opacities are drawn once per image. Severity makes each spot darker and
    lets further ones join; no pixel ever gets brighter from one severity to the next.

    Parameters
    ----------
    spots : int
        How many severity 5 shows; they join one after the other.
    radius : tuple of 2 floats
        Of a spot up to the middle of its edge, as a share of the shorter side.
    opacity : tuple of 2 floats
        Share of the light that the middle of a spot of full strength takes.
    softness : float
        Width of the edge, as a share of the radius.
    """

    spots: int = parameter(10, Number(1, 100, whole=True))
    radius: tuple[float, float] = parameter((0.02, 0.06), Span(0.005, 0.5))
    opacity: tuple[float, float] = parameter((0.25, 0.55), Span(0.02, 1))
    softness: float = parameter(1.0, Number(0.1, 2))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Lay the spots of `severity` over `image`."""
        shape = grid(image.shape, GRID)
        grown = severity * self.spots / 5
        clear = np.full(shape, 255, np.uint8)
        for index, spot in enumerate(self._draw(shape, rng)):
            if index < grown:
                self._lay(spot, 0.5 + 0.5 * (grown - index) / self.spots, clear)
        return Corrupted(dimmed(image, np.asarray(opencv.load().bitwise_not(clear))), mask)

    def _draw(self, shape: tuple[int, int], rng: np.random.Generator) -> list[Spot]:
        """Draw all spots that severity 5 shows on a grid of `shape`."""
        height, width = shape
        return [
            Spot(
                height * y,
                width * x,
                min(shape) * between(self.radius, radius),
                between(self.opacity, opacity),
            )
            for y, x, radius, opacity in rng.random((self.spots, 4)).tolist()
        ]

    def _lay(self, spot: Spot, strength: float, clear: Image) -> None:
        """Take from `clear`, what is let through, what `spot` takes at `strength`."""
        outermost = spot.radius * (1 + self.softness / 2)
        rows = _around(spot.centre_y, outermost, clear.shape[0])
        columns = _around(spot.centre_x, outermost, clear.shape[1])
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(spot.centre_y)
        x = np.arange(columns.start, columns.stop, dtype=np.float32) - np.float32(spot.centre_x)
        distance = np.sqrt(x * x + y * y)
        inside = (np.float32(outermost) - distance) / np.float32(self.softness * spot.radius)
        taken = _smooth(inside) * np.float32(255 * spot.opacity * strength)
        left = np.uint8(255) - np.rint(taken).astype(np.uint8)
        window = clear[rows, columns]
        window[...] = product(np.ascontiguousarray(window), left)


def _around(centre: float, reach: float, length: int) -> slice:
    return slice(max(math.floor(centre - reach), 0), min(math.ceil(centre + reach) + 1, length))


def _smooth(share: Floats) -> Floats:
    """Return a step from 0 to 1 with soft ends: the cubic through both with level tangents."""
    share = np.clip(share, 0, 1)
    return np.asarray(share * share * (np.float32(3) - np.float32(2) * share))


DUST = built_in("dust", Dust)
