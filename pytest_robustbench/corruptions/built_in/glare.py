"""Reflections of lamps: soft specular blobs that only ever brighten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.gray import by_channel, replicated
from pytest_robustbench.corruptions.built_in.light import enlarged, grid, product
from pytest_robustbench.corruptions.built_in.sizes import bands
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import Number, Span, built_in, parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Image, Mask

GRID = 128
"""The light is drawn at about this many pixels along the shorter side, then enlarged."""

_REACH = 100.0
"""Squared distance at which even the halo rounds to nothing."""

_STEPS = 4096


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
    """Screen-blend white blobs over a picture.

    Their centres, shapes and full size are drawn once per image. Severity makes each one larger
    and brighter, and lets further ones join; no pixel ever gets darker from one severity to the
    next, because every step from blob to pixel is non-decreasing, its rounding included.

    Parameters
    ----------
    blobs : int
        How many severity 5 shows; they join one after the other.
    radius : tuple of 2 floats
        Standard deviation of a grown blob along its longer axis, as a share of the shorter side.
    aspect : tuple of 2 floats
        Shorter axis over longer axis.
    peak : tuple of 2 floats
        Light at the centre of a grown blob; what exceeds 1 is a saturated core.
    halo : float
        Share of the light that is scattered over three times the radius.
    """

    blobs: int = parameter(5, Number(1, 30, whole=True))
    radius: tuple[float, float] = parameter((0.06, 0.12), Span(0.01, 0.5))
    aspect: tuple[float, float] = parameter((0.45, 0.95), Span(0.05, 1))
    peak: tuple[float, float] = parameter((0.9, 1.6), Span(0.05, 4))
    halo: float = parameter(0.15, Number(0, 0.5))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Lay the blobs of `severity` over `image`."""
        light = enlarged(self._light(image.shape[:2], severity, rng), image.shape[:2])
        return Corrupted(by_channel(image, lambda pixels: _lit(pixels, light)), mask)

    def _light(self, shape: tuple[int, ...], severity: int, rng: np.random.Generator) -> Image:
        """Return all blobs of `severity`, uint8, on a grid of the proportions of `shape`."""
        height, width = grid(shape, GRID)
        grown = severity * self.blobs / 5
        falloff = _falloff(self.halo)
        shades = [
            _shade(_distance(height, width, blob), blob.peak, (grown - index) / self.blobs, falloff)
            for index, blob in enumerate(self._draw(height, width, rng))
            if index < grown
        ]
        return np.asarray(opencv.load().bitwise_not(reduce(product, shades)))

    def _draw(self, height: int, width: int, rng: np.random.Generator) -> list[Blob]:
        """Draw all blobs that severity 5 shows on a grid of `height` x `width`."""
        shorter_side = min(height, width)
        blobs = []
        for y, x, radius, aspect, turn, peak in rng.random((self.blobs, 6)).tolist():
            longer = shorter_side * between(self.radius, radius)
            shorter = longer * between(self.aspect, aspect)
            light = between(self.peak, peak)
            blobs.append(Blob(height * y, width * x, longer, shorter, math.pi * turn, light))
        return blobs


def _distance(height: int, width: int, blob: Blob) -> Floats:
    """Return the squared distance from the blob's centre in units of its radii."""
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(blob.centre_y)
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(blob.centre_x)
    cosine, sine = math.cos(blob.angle), math.sin(blob.angle)
    along = x * (cosine / blob.longer) + y * (sine / blob.longer)
    across = y * (cosine / blob.shorter) - x * (sine / blob.shorter)
    along *= along
    across *= across
    along += across
    return np.asarray(along, np.float32)


def _shade(distance: Floats, peak: float, age: float, falloff: NDArray[np.float64]) -> Image:
    """Return what one blob of `age` 0 to 1 (grown) leaves of the dark, uint8."""
    radius = 0.5 + 0.5 * age
    steps = distance * np.float32(_STEPS / _REACH / radius**2)
    return np.asarray(_profile(peak * age**0.75, falloff).take(steps.astype(np.intp), mode="clip"))


def _profile(peak: float, falloff: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the shade over the squared distance, rounded to whole levels."""
    return np.asarray(np.maximum(255.5 - (255 * peak) * falloff, 0.0), np.uint8)


def _falloff(halo: float) -> NDArray[np.float64]:
    """Return the light over the squared distance: a core and its halo, each a Gaussian."""
    return np.asarray((1.0 - halo) * _CORE + halo * _HALO)


_SQUARED = np.arange(_STEPS) * (_REACH / _STEPS)
_CORE, _HALO = np.exp(-_SQUARED / 2), np.exp(-_SQUARED / 18)


def _lit(pixels: Image, light: Image) -> Image:
    """Return ``pixels + light - pixels light`` on 0 to 255, for one channel or three.

    That is ``1 - (1 - pixels) (1 - light)``, rounding included.
    """
    cv2 = opencv.load()
    result = np.empty_like(pixels)
    for band in bands(*light.shape):
        below, above = pixels[band], light[band]
        above = above if pixels.ndim == 2 else replicated(above)
        result[band] = cv2.add(below, cv2.subtract(above, product(below, above)))
    return result


GLARE = built_in("glare", Glare)
