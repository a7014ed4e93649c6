"""Procedural surfaces: what a line camera sees of brushed metal, woven fabric and granite."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

Field: TypeAlias = "NDArray[np.float32]"
"""``(size, size)``, or ``(size, size, 3)`` with RGB in 0..1."""


def brushed_metal(rng: np.random.Generator, size: int) -> Field:
    """Draw sheet metal brushed along one direction, with a soft band of reflected light."""
    hair = _streaks(rng, size, length=0.08 * size)
    fine = _streaks(rng, size, length=0.25 * size)
    coarse = _normalised(blurred(_streaks(rng, size, length=0.9 * size), (0.3, size / 200)))
    grooves = _turned(0.45 * hair + 0.65 * fine + 0.6 * coarse, rng.uniform(-1.5, 1.5))
    across = _coordinates(size)[1]
    sheen = np.exp(-(((across - rng.uniform(0.35, 0.65)) / 0.42) ** 2))
    level = 0.47 + 0.13 * sheen + 0.042 * grooves + 0.012 * smooth_noise(rng, size, 3)
    return _tinted(level, (0.985, 1.0, 1.025))


def woven_fabric(rng: np.random.Generator, size: int) -> Field:
    """Draw a plain weave: warp over weft, weft over warp, no two yarns quite alike."""
    u, v = _weave_coordinates(rng, size, period=size / 21)
    warp, warp_tone = _yarns(rng, u)
    weft, weft_tone = _yarns(rng, v)
    # A yarn's height along its run: on top of one neighbour, below the next.
    rise = np.sin(np.pi * v) * np.where(np.floor(u) % 2 == 0, 1, -1)
    top = _step(rise + 0.4 * (warp - weft), 0.15)
    roundness = top * warp + (1 - top) * weft
    tone = top * warp_tone + (1 - top) * weft_tone
    lengthwise = blurred(_white(rng, size), (0.5, 1.8)) * top
    crosswise = blurred(_white(rng, size), (1.8, 0.5)) * (1 - top)
    level = 0.18 + 0.36 * roundness * (0.7 + 0.3 * np.abs(rise)) * (1 + 0.06 * tone)
    level = level + 0.032 * _normalised(lengthwise + crosswise) * (0.4 + roundness)
    return _tinted(level + 0.010 * smooth_noise(rng, size, 4), (0.86, 0.98, 1.14))


def granite(rng: np.random.Generator, size: int) -> Field:
    """Draw polished granite: feldspar, quartz and dark mica in grains of several sizes."""
    grain = max(size / 256, 0.25)
    bed = 0.62 + 0.05 * smooth_noise(rng, size, 6)
    stone = _tinted(bed + 0.028 * _blobs(rng, size, 1.0 * grain), (1.03, 1.0, 0.96))
    minerals = (
        (3.4, 0.55, (0.74, 0.66, 0.60)),
        (2.4, 0.85, (0.50, 0.49, 0.49)),
        (1.7, 1.35, (0.24, 0.23, 0.24)),
        (1.0, 1.75, (0.88, 0.87, 0.84)),
    )
    for scale, rarity, colour in minerals:
        shape = _blobs(rng, size, scale * grain) + 0.25 * _blobs(rng, size, 0.8 * grain)
        opacity = (_step(shape - rarity, 0.16) * 0.9)[:, :, None]
        speckle = 1 + 0.07 * _blobs(rng, size, 0.9 * grain)[:, :, None]
        stone = stone * (1 - opacity) + np.array(colour, np.float32) * speckle * opacity
    return stone


SURFACES: Mapping[str, Callable[[np.random.Generator, int], Field]] = MappingProxyType(
    {"brushed_metal": brushed_metal, "granite": granite, "woven_fabric": woven_fabric}
)


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Field:
    """Draw a smooth random field of about zero mean and unit deviation, `cells` bumps across."""
    cv2 = opencv.load()
    knots = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    margin = size // cells + 1
    field = cv2.resize(knots, (size + 2 * margin, size + 2 * margin), interpolation=cv2.INTER_CUBIC)
    inner: Field = field[margin : margin + size, margin : margin + size]
    return inner


def blurred(field: Field, sigma: tuple[float, float]) -> Field:
    """Blur with a Gaussian of `sigma` pixels in (x, y)."""
    cv2 = opencv.load()
    result: Field = cv2.GaussianBlur(
        field, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_REFLECT
    )
    return result


def _coordinates(size: int) -> tuple[Field, Field]:
    """Return x and y in 0..1, each ``(size, size)``."""
    axis = np.linspace(0, 1, size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def _white(rng: np.random.Generator, size: int) -> Field:
    return rng.standard_normal((size, size), dtype=np.float32)


def _normalised(field: Field) -> Field:
    normalised: Field = (field - field.mean()) / (field.std() + np.float32(1e-6))
    return normalised


def _blobs(rng: np.random.Generator, size: int, sigma: float) -> Field:
    return _normalised(blurred(_white(rng, size), (sigma, sigma)))


def _streaks(rng: np.random.Generator, size: int, length: float) -> Field:
    cv2 = opencv.load()
    width = max(3, int(length))
    noise = rng.standard_normal((size, size + width), dtype=np.float32)
    long: Field = cv2.blur(noise, (width, 1))
    return _normalised(long[:, width // 2 : width // 2 + size])


def _turned(field: Field, degrees: float) -> Field:
    cv2 = opencv.load()
    size = field.shape[0]
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 1.0)
    turned: Field = cv2.warpAffine(
        field, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return turned


def _weave_coordinates(rng: np.random.Generator, size: int, period: float) -> tuple[Field, Field]:
    """Return positions across warp and weft in yarns: shifted, turned and pulled a little."""
    x, y = (
        size * axis + 0.2 * period * smooth_noise(rng, size, 5) + rng.uniform(0, 2 * period)
        for axis in _coordinates(size)
    )
    turn = np.deg2rad(rng.uniform(-1.5, 1.5))
    u = (np.cos(turn) * x + np.sin(turn) * y) / period
    v = (np.cos(turn) * y - np.sin(turn) * x) / period
    return single(u), single(v)


def _yarns(rng: np.random.Generator, position: Field) -> tuple[Field, Field]:
    """Return roundness (0 in the gap, 1 on the crown) and tone of the yarn at each position."""
    number = np.floor(position).astype(np.int64)
    number -= number.min()
    tone = rng.standard_normal(int(number.max()) + 1, dtype=np.float32)[number]
    across = position - np.floor(position) - np.float32(0.5)
    return single(np.sqrt(np.clip(1 - (across / 0.52) ** 2, 0, 1))), tone


def _step(field: NDArray[np.floating], softness: float) -> Field:
    return single(np.clip(field / (2 * softness) + 0.5, 0, 1))


def single(field: NDArray[np.floating]) -> Field:
    """Return `field` as float32."""
    return field.astype(np.float32, copy=False)


def _tinted(level: NDArray[np.floating], tint: tuple[float, float, float]) -> Field:
    return single(level[:, :, None] * np.array(tint, np.float32))
