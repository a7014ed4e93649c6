"""Reflections of lamps: soft specular blobs that only ever brighten."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.bands import bands
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.gray import gray_channel, replicated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Image, Mask

BLOBS = 5
"""Blob i joins after severity i: severity 1 shows one, severity 5 all."""

RADIUS = (0.06, 0.12)
"""Standard deviation of a grown blob along its longer axis, as a share of the shorter side."""

ASPECT = (0.45, 0.95)
"""Shorter axis over longer axis."""

PEAK = (0.9, 1.6)
"""Light at the centre of a grown blob; what exceeds 1 is a saturated core."""

HALO = 0.15
"""Share of the light that is scattered over three times the radius."""

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


def glare(image: Image, mask: Mask | None, severity: int, rng: np.random.Generator) -> Corrupted:
    """Screen-blend white blobs over `image`.

    Their centres, shapes and full size are drawn once per image. Severity makes each one larger
    and brighter, and lets further ones join; no pixel ever gets darker from one severity to the
    next, because every step from blob to pixel is non-decreasing, its rounding included.
    """
    light = _enlarge(_light(image.shape[:2], severity, rng), image.shape[:2])
    channel = gray_channel(image)
    if channel is not None:
        return Corrupted(replicated(_lit(channel, light)), mask)
    return Corrupted(_lit(image, light), mask)


def _light(shape: tuple[int, ...], severity: int, rng: np.random.Generator) -> Image:
    """Return all blobs of `severity`, uint8, on a grid of the proportions of `shape`."""
    step = max(1, min(shape) // GRID)
    height, width = -(-shape[0] // step), -(-shape[1] // step)
    shades = [
        _shade(_distance(height, width, blob), blob.peak, age=(severity - index) / BLOBS)
        for index, blob in enumerate(_draw(height, width, rng)[:severity])
    ]
    return np.asarray(opencv.load().bitwise_not(reduce(_product, shades)))


def _draw(height: int, width: int, rng: np.random.Generator) -> list[Blob]:
    """Draw all blobs that severity 5 shows on a grid of `height` x `width`."""
    shorter_side = min(height, width)
    blobs = []
    for y, x, radius, aspect, turn, peak in rng.random((BLOBS, 6)).tolist():
        longer = shorter_side * between(RADIUS, radius)
        shorter = longer * between(ASPECT, aspect)
        blobs.append(
            Blob(height * y, width * x, longer, shorter, math.pi * turn, between(PEAK, peak))
        )
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


def _shade(distance: Floats, peak: float, age: float) -> Image:
    """Return what one blob of `age` 0 to 1 (grown) leaves of the dark, uint8."""
    radius = 0.5 + 0.5 * age
    steps = distance * np.float32(_STEPS / _REACH / radius**2)
    return np.asarray(_profile(peak * age**0.75).take(steps.astype(np.intp), mode="clip"))


def _profile(peak: float) -> NDArray[np.uint8]:
    """Return the shade over the squared distance, rounded to whole levels."""
    return np.asarray(np.maximum(255.5 - (255 * peak) * _FALLOFF, 0.0), np.uint8)


def _falloff() -> NDArray[np.float64]:
    """Return the light over the squared distance: a core and its halo, each a Gaussian."""
    squared = np.arange(_STEPS) * (_REACH / _STEPS)
    core, halo = np.exp(-squared / 2), np.exp(-squared / 18)
    return np.asarray((1.0 - HALO) * core + HALO * halo)


_FALLOFF = _falloff()


def _product(one: Image, other: Image) -> Image:
    # Exact: a product of two bytes over 255 is never within float error of a half.
    return np.asarray(opencv.load().multiply(one, other, scale=1 / 255))


def _lit(pixels: Image, light: Image) -> Image:
    """Return ``pixels + light - pixels light`` on 0 to 255, for one channel or three.

    That is ``1 - (1 - pixels) (1 - light)``, rounding included.
    """
    cv2 = opencv.load()
    result = np.empty_like(pixels)
    for band in bands(*light.shape):
        below, above = pixels[band], light[band]
        above = above if pixels.ndim == 2 else replicated(above)
        result[band] = cv2.add(below, cv2.subtract(above, _product(below, above)))
    return result


def _enlarge(light: Image, shape: tuple[int, ...]) -> Image:
    cv2 = opencv.load()
    return np.asarray(cv2.resize(light, shape[::-1], interpolation=cv2.INTER_LINEAR_EXACT))


GLARE = Corruption(
    "glare",
    glare,
    parameters={
        "blobs": BLOBS,
        "radius": RADIUS,
        "aspect": ASPECT,
        "peak": PEAK,
        "halo": HALO,
    },
    fresh=True,
)
