"""A part that lies a little differently: small rotation, shift and scale.

Every pixel of the result is taken from a place of the source that was rounded to 1/32 pixel, and
blended with integer weights. OpenCV's own affine warp blends in floating point and gives other
pixels in other builds and on other processors; this path gives the same ones everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth
from pytest_robustbench.corruptions.pixels.gray import gray_channel, replicated
from pytest_robustbench.corruptions.pixels.sizes import bands
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Image, Mask

    Numbers = TypeVar("Numbers", float, Floats)

_THICK, _THIN, _DEFECT = 172, 255, 86
"""What defect pixels weigh while they are warped, and from which blend on a pixel is defect.

A pixel needs half of its blend from a thick defect (86 / 172), which keeps areas as they are, but
only a third from one that is a single pixel wide (86 / 255): with half, such cracks fall apart, and
with three eighths one in 150 does at severity 5.
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

    def places(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Return where the points `x`, `y` (numbers, or arrays that broadcast) go."""
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


class _Band(NamedTuple):
    """Where the pixels of some rows come from, and which of them from beyond the frame."""

    rows: slice
    # As cv2.remap takes them: whole pixels, and the rest in 1/32 pixel.
    places: tuple[NDArray[np.int16], NDArray[np.uint16]]
    outside: Mask


class _Defect(NamedTuple):
    """What each pixel of a mask weighs; no pixel of the result does beyond `rows`, `columns`."""

    weights: NDArray[np.uint8]
    rows: slice
    columns: slice


@dataclass(frozen=True)
class GeoJitter:
    """Warp a picture and its mask by the same small affine transform.

    The displacement of every point doubles with a step of severity. Pixels whose
    source lies beyond the centres of the outermost pixels are ignored; they are filled by
    reflection, because black corners would be the loudest anomaly in the picture. A mask without
    defect pixels is the same wherever it is moved and is returned as it is.

    Parameters
    ----------
    rotation_deg : float
        Largest rotation at severity 3, in degrees.
    shift_percent : float
        Largest shift along each side at severity 3, in percent of that side.
    scale_percent : float
        Largest change of scale at severity 3, in percent.
    """

    rotation_deg: float = graded(3.0, Number(0, 45))
    shift_percent: float = graded(2.0, Number(0, 50))
    scale_percent: float = graded(3.0, Number(0, 20))

    def __post_init__(self) -> None:
        if not (self.rotation_deg or self.shift_percent or self.scale_percent):
            raise ValueError("all that could move it is 0")

    @classmethod
    def by_value(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters of a single condition: what is not named does not move."""
        return {"rotation_deg": 0, "shift_percent": 0, "scale_percent": 0, **given}

    def level(self, severity: float) -> str:
        """Return rotation, shift and scale of `severity`."""
        grown = growth(severity)
        named = (
            (self.rotation_deg, "°"),
            (self.shift_percent, " % shift"),
            (self.scale_percent, " % scale"),
        )
        return "up to " + ", ".join(f"{grown * one:.3g}{unit}" for one, unit in named if one)

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Warp `image` and `mask`."""
        affine = self.draw_affine(image.shape, rng).at(growth(severity))
        channel = None if image.ndim == 2 else gray_channel(image)
        pixels = image if channel is None else channel
        warped, ignored = np.empty_like(pixels), np.empty(image.shape[:2], np.bool_)
        defect = None if mask is None else _defect(mask, affine)
        moved = mask if defect is None else np.zeros_like(ignored)
        for band in _sources(ignored.shape, affine.inverse()):
            warped[band.rows] = _interpolated(pixels, band.places)
            ignored[band.rows] = band.outside
            if defect is not None and moved is not None:
                _move(defect, band, moved)
        return Corrupted(warped if channel is None else replicated(warped), moved, ignored)

    def kept(self, mask: Mask, severity: float, rng: np.random.Generator) -> float:
        """Return the share of the defect pixels whose centre `severity` leaves in the frame.

        Source pixels are counted, so that enlarging does not pass for surviving.
        """
        height, width = mask.shape
        rows, columns = np.nonzero(mask)
        places = self.draw_affine(mask.shape, rng).at(growth(severity)).places
        x, y = places(columns.astype(np.float32), rows.astype(np.float32))
        inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
        return float(inside.mean())

    def draw_affine(self, shape: tuple[int, ...], rng: np.random.Generator) -> Affine:
        """Draw the transform of severity 3 for an image of `shape` ``(H, W, ...)``."""
        height, width = shape[:2]
        turn, larger, right, down = (between((-1.0, 1.0), one) for one in rng.random(4).tolist())
        angle, scale = math.radians(self.rotation_deg * turn), 1 + self.scale_percent / 100 * larger
        cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
        share = self.shift_percent / 100
        shift = (width * share * right, height * share * down)
        return Affine((cosine, -sine, sine, cosine), shift, ((width - 1) / 2, (height - 1) / 2))


def _sources(shape: tuple[int, ...], inverse: Affine) -> Iterator[_Band]:
    cv2 = opencv.load()
    height, width = shape
    columns = np.arange(width, dtype=np.float32)[None, :]
    for rows in bands(height, width):
        x, y = inverse.places(columns, np.arange(height, dtype=np.float32)[rows, None])
        outside = _beyond(x, width) | _beyond(y, height)
        yield _Band(rows, cv2.convertMaps(x, y, cv2.CV_16SC2), outside)


def _beyond(places: Floats, length: int) -> Mask:
    """Return which `places` are less than 0 or more than ``length - 1``."""
    # Read as whole numbers, floats sort as they are, and the sign makes negative ones the largest.
    # A sum that is zero has no sign.
    last = np.float32(length - 1).view(np.uint32)
    return np.asarray(places.view(np.uint32) > last)


def _interpolated(pixels: Image, places: tuple[NDArray[np.int16], NDArray[np.uint16]]) -> Image:
    cv2 = opencv.load()
    border = cv2.BORDER_REFLECT_101
    return np.asarray(cv2.remap(pixels, *places, cv2.INTER_LINEAR, borderMode=border))


def _defect(mask: Mask, affine: Affine) -> _Defect | None:
    """Return the defect of `mask`, or ``None`` where it has none."""
    cv2 = opencv.load()
    pixels = mask.view(np.uint8)
    left, top, width, height = cv2.boundingRect(pixels)
    if not width:
        return None
    x, y = affine.places(left + (width - 1) / 2, top + (height - 1) / 2)
    a, b, c, d = (abs(value) / 2 for value in affine.linear)
    across, along = a * (width + 1) + b * (height + 1), c * (width + 1) + d * (height + 1)
    # What is thick depends on the neighbours: the box gets a margin where the frame allows it.
    box = slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
    weights = np.zeros_like(pixels)
    weights[box] = _weights(pixels[box])
    rows, columns = _around(y, along, mask.shape[0]), _around(x, across, mask.shape[1])
    return _Defect(weights, rows, columns)


def _around(centre: float, reach: float, length: int) -> slice:
    low, high = math.floor(centre - reach) - 1, math.ceil(centre + reach) + 2
    return slice(min(max(low, 0), length), min(max(high, 0), length))


def _move(defect: _Defect, band: _Band, moved: Mask) -> None:
    """Write into `moved` what of `defect` comes to lie in `band`, unless it is ignored there."""
    rows = slice(max(defect.rows.start, band.rows.start), min(defect.rows.stop, band.rows.stop))
    if rows.start >= rows.stop or defect.columns.start >= defect.columns.stop:
        return
    cv2 = opencv.load()
    near = slice(rows.start - band.rows.start, rows.stop - band.rows.start), defect.columns
    places = [part[near] for part in band.places]
    blend = cv2.remap(defect.weights, *places, cv2.INTER_LINEAR)
    moved[rows, defect.columns] = (blend >= _DEFECT) & ~band.outside[near]


def _weights(defect: NDArray[np.uint8]) -> NDArray[np.uint8]:
    thick = _thick(defect)
    return np.asarray(defect * np.uint8(_THIN) - thick * np.uint8(_THIN - _THICK))


def _thick(defect: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pixels that belong to a 2x2 square of defect pixels."""
    cv2 = opencv.load()
    square = np.ones((2, 2), np.uint8)
    corners = cv2.erode(defect, square, anchor=(0, 0))
    return np.asarray(cv2.dilate(corners, square, anchor=(1, 1)))


GEO_JITTER = built_in("geo_jitter", GeoJitter, stage=Stage.SCENE, moves_pixels=True)
