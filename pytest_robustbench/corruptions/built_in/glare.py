"""Reflections of lamps: soft specular blobs that only ever brighten."""

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
from pytest_robustbench.corruptions.pixels.light import added, enlarged, grid
from pytest_robustbench.corruptions.pixels.response import WHITE, quantile_of_light
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask

GRID = 128
"""The light is drawn at about this many pixels along the shorter side, then enlarged."""

BRIGHTEST = 0.99
"""The share of the pixels that the reference light of a picture is not below."""


class Blob(NamedTuple):
    """A grown blob, as it was drawn."""

    centre_y: float
    centre_x: float
    longer: float
    shorter: float
    angle: float
    peak: float


@dataclass(frozen=True)
class Glare:
    """Add the light of soft blobs to a picture.

    Their light is a share of what the picture itself is lit with: of the light that 99 % of its
    pixels do not exceed, so that dark parts are not drowned. Centres and shapes are drawn once per
    image. Severity makes each blob larger and brighter, and lets further ones join; no pixel ever
    gets darker from one severity to the next, because every step from blob to pixel is
    non-decreasing, its rounding included.

    Parameters
    ----------
    percent : float
        Light at the centre of the first blob at severity 3, which is the brightest one.
    blobs : int
        How many severity 5 shows; they join one after the other.
    radius : tuple of 2 floats
        Standard deviation of a grown blob along its longer axis, as a share of the shorter side.
    aspect : tuple of 2 floats
        Shorter axis over longer axis.
    peak : tuple of 2 floats
        Light of a blob, as a share of the brightest.
    halo : float
        Share of the light that is scattered over three times the radius.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    percent: float = graded(10.0, Number(0.5, 200))
    blobs: int = parameter(5, Number(1, 30, whole=True))
    radius: tuple[float, float] = parameter((0.06, 0.12), Span(0.01, 0.5))
    aspect: tuple[float, float] = parameter((0.45, 0.95), Span(0.05, 1))
    peak: tuple[float, float] = parameter((0.6, 1.0), Span(0.05, 1))
    halo: float = parameter(0.15, Number(0, 0.5))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the light of a blob at `severity`."""
        return f"spots up to {self.percent * growth(severity):.3g} % of the brightest light"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Lay the blobs of `severity` over `image`."""
        brightest = quantile_of_light(image, BRIGHTEST, self.response)
        light = self._light(image.shape, severity, rng)
        light *= self.percent / 100 * growth(severity) * brightest * WHITE
        field = np.rint(np.minimum(light, WHITE)).astype(np.uint16)
        return Corrupted(added(image, enlarged(field, image.shape), self.response), mask)

    def _light(
        self, shape: tuple[int, ...], severity: float, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the light of all blobs of `severity`, on a grid of the proportions of `shape`."""
        height, width = grid(shape, GRID)
        grown = severity * self.blobs / SEVEREST
        light = np.zeros((height, width))
        for index, blob in enumerate(self._draw(height, width, rng)):
            if index < grown:
                radius = 0.5 + 0.5 * (grown - index) / self.blobs
                distance = _distance(height, width, blob) / radius**2
                core, halo = np.exp(-distance / 2), np.exp(-distance / 18)
                light += blob.peak * ((1 - self.halo) * core + self.halo * halo)
        return light

    def _draw(self, height: int, width: int, rng: np.random.Generator) -> list[Blob]:
        """Draw all blobs that severity 5 shows on a grid of `height` x `width`."""
        shorter_side = min(height, width)
        blobs: list[Blob] = []
        for y, x, radius, aspect, turn, peak in rng.random((self.blobs, 6)).tolist():
            longer = shorter_side * between(self.radius, radius)
            shorter = longer * between(self.aspect, aspect)
            light = between(self.peak, peak) if blobs else 1.0
            blobs.append(Blob(height * y, width * x, longer, shorter, math.pi * turn, light))
        return blobs


def _distance(height: int, width: int, blob: Blob) -> NDArray[np.float64]:
    """Return the squared distance from the blob's centre in units of its radii."""
    y = np.arange(height)[:, None] - blob.centre_y
    x = np.arange(width)[None, :] - blob.centre_x
    cosine, sine = math.cos(blob.angle), math.sin(blob.angle)
    along = x * (cosine / blob.longer) + y * (sine / blob.longer)
    across = y * (cosine / blob.shorter) - x * (sine / blob.shorter)
    return np.asarray(along * along + across * across)


GLARE = built_in("glare", Glare, stage=Stage.LIGHT)
