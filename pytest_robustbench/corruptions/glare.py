"""Reflections of lamps: soft specular blobs that only ever brighten."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption

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


def glare(image: Image, mask: Mask | None, severity: int, rng: np.random.Generator) -> Corrupted:
    """Screen-blend white blobs over `image`.

    Their centres, shapes and full size are drawn once per image. Severity makes each one larger
    and brighter, and lets further ones join; no pixel ever gets darker from one severity to the
    next, because every step from blob to pixel is non-decreasing, its rounding included.
    """
    cv2 = opencv.load()
    light = _enlarge(_light(image.shape[:2], severity, rng), image.shape[:2])
    return Corrupted(_screen(image, cv2.merge([light, light, light])), mask)


def _light(shape: tuple[int, int], severity: int, rng: np.random.Generator) -> Image:
    """Return all blobs of `severity`, uint8, on a grid of the proportions of `shape`."""
    step = max(1, min(shape) // GRID)
    height, width = -(-shape[0] // step), -(-shape[1] // step)
    total = np.zeros((height, width), np.uint8)
    for index in range(BLOBS):
        distance = _distance(height, width, rng)
        peak = rng.uniform(*PEAK)
        if index < severity:
            age = (severity - index) / BLOBS
            total = _screen(total, _blob(distance, peak, age))
    return total


def _distance(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Draw an ellipse; return the squared distance from its centre in units of its radii."""
    centre_y, centre_x = rng.uniform(0.0, height), rng.uniform(0.0, width)
    longer = min(height, width) * rng.uniform(*RADIUS)
    shorter = longer * rng.uniform(*ASPECT)
    angle = rng.uniform(0.0, math.pi)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(centre_y)
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(centre_x)
    along = x * (math.cos(angle) / longer) + y * (math.sin(angle) / longer)
    across = y * (math.cos(angle) / shorter) - x * (math.sin(angle) / shorter)
    return np.asarray(along * along + across * across, np.float32)


def _blob(distance: Floats, peak: float, age: float) -> Image:
    """Return one blob of `age` 0 to 1 (grown), uint8."""
    radius = 0.5 + 0.5 * age
    steps = distance * np.float32(_STEPS / _REACH / radius**2)
    np.minimum(steps, np.float32(_STEPS - 1), out=steps)
    return np.asarray(np.take(_profile(peak * age**0.75), steps.astype(np.int32)))


def _profile(peak: float) -> NDArray[np.uint8]:
    """Return the light over the squared distance: a core and its halo, each a Gaussian."""
    squared = np.arange(_STEPS) * (_REACH / _STEPS)
    core, halo = np.exp(-squared / 2), np.exp(-squared / 18)
    light = peak * ((1.0 - HALO) * core + HALO * halo)
    return np.asarray(np.rint(255 * np.minimum(light, 1.0)), np.uint8)


def _screen(below: Image, above: Image) -> Image:
    """Return ``1 - (1 - below) (1 - above)`` on 0 to 255."""
    cv2 = opencv.load()
    # Exact: a product of two bytes over 255 is never within float error of a half.
    dark = cv2.multiply(cv2.bitwise_not(below), cv2.bitwise_not(above), scale=1 / 255)
    return np.asarray(cv2.bitwise_not(dark))


def _enlarge(light: Image, shape: tuple[int, int]) -> Image:
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
)
