"""A part that lies a little differently: small rotation, shift and scale.

Every pixel of the result is taken from a place of the source that was rounded to 1/32 pixel, and
blended with integer weights. OpenCV's own affine warp blends in floating point and gives other
pixels in other builds and on other processors; this path gives the same ones everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Image, Mask

ANGLE = 5.0
"""Largest rotation at severity 5, in degrees."""

SHIFT = 0.05
"""Largest shift along each side at severity 5, as a share of that side."""

SCALE = 0.10
"""Largest change of scale at severity 5."""

_THICK, _THIN, _DEFECT = 192, 255, 96
"""What defect pixels weigh while they are warped, and from which blend on a pixel is defect.

A pixel needs half of its blend from a thick defect (96 / 192), which keeps areas as they are, but
only three eighths from one that is a single pixel wide (96 / 255): with half, such cracks fall
apart; with three eighths everywhere, thin defects grow by up to a tenth.
"""


@dataclass(frozen=True)
class Affine:
    """``x' = centre + linear (x - centre) + shift``, in pixels, x before y.

    Parameters
    ----------
    linear : tuple of 4 floats
        Row by row.
    shift, centre : tuple of 2 floats
        In pixels.
    """

    linear: tuple[float, float, float, float]
    shift: tuple[float, float]
    centre: tuple[float, float]

    def at(self, strength: float) -> Affine:
        """Return the transform whose displacement is `strength` times this one's, everywhere."""
        a, b, c, d = (strength * value for value in self.linear)
        rest = 1.0 - strength
        shift = (strength * self.shift[0], strength * self.shift[1])
        return Affine((rest + a, b, c, rest + d), shift, self.centre)

    def places(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where the points `x`, `y` (any shapes that broadcast) go."""
        a, b, c, d = self.linear
        u, v = x - self.centre[0], y - self.centre[1]
        to_x, to_y = self.centre[0] + self.shift[0], self.centre[1] + self.shift[1]
        # The constant joins first: rows and columns are short, their sum is the whole image.
        return (a * u + to_x) + b * v, (c * u + to_y) + d * v

    def inverse(self) -> Affine:
        """Return the transform that undoes this one."""
        a, b, c, d = self.linear
        determinant = a * d - b * c
        e, f, g, h = d / determinant, -b / determinant, -c / determinant, a / determinant
        x, y = self.shift
        return Affine((e, f, g, h), (-e * x - f * y, -g * x - h * y), self.centre)


def draw_affine(shape: tuple[int, ...], rng: np.random.Generator) -> Affine:
    """Draw the transform of severity 5 for an image of `shape` ``(H, W, ...)``."""
    height, width = shape[:2]
    angle = math.radians(rng.uniform(-ANGLE, ANGLE))
    scale = 1.0 + rng.uniform(-SCALE, SCALE)
    shift = (width * rng.uniform(-SHIFT, SHIFT), height * rng.uniform(-SHIFT, SHIFT))
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return Affine((cosine, -sine, sine, cosine), shift, ((width - 1) / 2, (height - 1) / 2))


def geo_jitter(
    image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
) -> Corrupted:
    """Warp `image` and `mask` by the same matrix.

    The displacement of every point is ``severity / 5`` times that of severity 5. Pixels whose
    source lies beyond the centres of the outermost pixels are ignored; they are filled by
    reflection, because black corners would be the loudest anomaly in the picture.
    """
    cv2 = opencv.load()
    source_x, source_y = _sources(image, draw_affine(image.shape, rng).at(severity / 5))
    height, width = image.shape[:2]
    inside = (source_x >= 0) & (source_x <= width - 1) & (source_y >= 0) & (source_y <= height - 1)
    maps = cv2.convertMaps(source_x, source_y, cv2.CV_16SC2)
    warped = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    moved = None if mask is None else _warp_mask(mask, maps) & inside
    return Corrupted(np.asarray(warped), moved, ~inside)


def kept(mask: Mask, rng: np.random.Generator) -> float:
    """Return the share of the defect pixels of `mask` whose centre severity 5 leaves in the frame.

    Source pixels are counted, so that enlarging does not pass for surviving.
    """
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    places = draw_affine(mask.shape, rng).places
    x, y = places(columns.astype(np.float32), rows.astype(np.float32))
    inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    return float(inside.mean())


def _sources(image: Image, affine: Affine) -> tuple[Floats, Floats]:
    height, width = image.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    return affine.inverse().places(x, y)


def _warp_mask(mask: Mask, maps: tuple[NDArray[np.int16], NDArray[np.uint16]]) -> Mask:
    cv2 = opencv.load()
    defect = mask.view(np.uint8)
    weights = defect * np.uint8(_THIN) - _thick(defect) * np.uint8(_THIN - _THICK)
    warped = cv2.remap(weights, *maps, cv2.INTER_LINEAR)
    return np.asarray(warped >= _DEFECT)


def _thick(defect: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pixels that belong to a 2x2 square of defect pixels."""
    cv2 = opencv.load()
    square = np.ones((2, 2), np.uint8)
    corners = cv2.erode(defect, square, anchor=(0, 0))
    return np.asarray(cv2.dilate(corners, square, anchor=(1, 1)))


GEO_JITTER = Corruption(
    "geo_jitter",
    geo_jitter,
    parameters={"angle": ANGLE, "shift": SHIFT, "scale": SCALE},
    moves_pixels=True,
    kept=kept,
)
