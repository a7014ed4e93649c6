"""A lens out of focus: every point becomes a disc, unlike the soft spot of `blur`.

Discs of pixels have no sizes between; two neighbouring ones are blended so that the spread of the
light is that of the radius. All sums are of whole numbers, and one division at the end is all that
rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth, response
from pytest_robustbench.corruptions.pixels.light import in_light
from pytest_robustbench.corruptions.pixels.sizes import at_reduced_size, bands, factor_for, scale_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.pixels.response import Light

    Sums = NDArray[np.uint32]

_LARGEST = 6.0
"""Radius of the largest disc that is worked out at full size, in pixels."""

_PARTS = 256
"""Between two discs."""


@dataclass(frozen=True)
class Defocus:
    """Spread the light of every pixel evenly over a disc; nothing is drawn.

    Parameters
    ----------
    radius_px : float
        Radius of the disc at severity 3, in pixels of an image whose shorter side is 256.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    radius_px: float = graded(2.0, Number(0.1, 30))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the radius of `severity`."""
        return f"radius {self.radius_px * growth(severity):.3g} px at 256"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Blur `image` with the disc of `severity`."""
        radius = self.radius_px * growth(severity) * scale_of(image.shape)
        blurred = in_light(image, self.response, lambda light: _defocused(light, radius))
        return Corrupted(blurred, mask)


def _defocused(part: Light, radius: float) -> Light:
    """Spread `part` over discs; large ones at a reduced size, which spreads light as well."""
    factor = factor_for(radius, _LARGEST)
    # A disc spreads light with a variance of a quarter of its squared radius, as the reduction does
    # with a quarter of its squared factor.
    spread = radius / factor if factor == 1 else math.sqrt((radius / factor) ** 2 - 1)
    disc = _disc(spread)
    reach = len(disc.widths) - 1
    return at_reduced_size(part, factor, reach, partial(_spread, disc=disc))


class _Disc(NamedTuple):
    """A disc of pixels, and what joins it in the next larger one.

    Attributes
    ----------
    widths : tuple of int
        By how many pixels the disc extends sideways, 0, 1, 2, ... rows from its centre; -1 where
        only what joins is so far out.
    joining : tuple of pairs of int
        ``(down, right)``, in pixels.
    blend : int
        How much the larger disc counts, of `_PARTS`.
    """

    widths: tuple[int, ...]
    joining: tuple[tuple[int, int], ...]
    blend: int


def _disc(radius: float) -> _Disc:
    """Return the disc whose pixels have on average the squared distance that `radius` asks for."""
    wanted = radius**2 / 2
    index = int(np.searchsorted(_MEANS, wanted, side="right")) - 1
    small, large = _SQUARES[index : index + 2].tolist()
    blend = round(_PARTS * (wanted - _MEANS[index]) / (_MEANS[index + 1] - _MEANS[index]))
    rows = range(math.isqrt(large) + 1)
    widths = (math.isqrt(small - row**2) if row**2 <= small else -1 for row in rows)
    joining = (np.argwhere(large == _DISTANCES) - _EDGE).tolist()
    return _Disc(tuple(widths), tuple((down, right) for down, right in joining), blend)


_EDGE = 12
_STEPS = np.arange(-_EDGE, _EDGE + 1)
_DISTANCES = _STEPS[:, None] ** 2 + _STEPS**2
"""Squared, from the middle of a square that the largest disc fits into."""

_SQUARES, _COUNTS = np.unique(_DISTANCES[_DISTANCES <= _EDGE**2], return_counts=True)
_MEANS = np.cumsum(_SQUARES * _COUNTS) / np.cumsum(_COUNTS)
"""Of the squared distances within a disc of each size."""


def _spread(part: Light, border: int, disc: _Disc) -> Light:
    """Return the weighted mean over both discs."""
    reach = len(disc.widths) - 1
    wide = opencv.load().copyMakeBorder(part, reach, reach, reach, reach, border)
    n_inner = sum(max(2 * w + 1, 0) * (1 + (row > 0)) for row, w in enumerate(disc.widths))
    n_outer = n_inner + len(disc.joining)
    inner_share = (_PARTS - disc.blend) / n_inner + disc.blend / n_outer
    outer_share = disc.blend / n_outer
    result = np.empty_like(part)
    for band in bands(*part.shape[:2]):
        rows = wide[band.start : band.stop + 2 * reach].astype(np.uint32)
        inner = _disc_sum(rows, disc.widths)
        ring = _sum_at(rows, disc.joining, reach)
        mean = (inner * inner_share + ring * outer_share) / _PARTS
        result[band] = np.floor(mean + 0.5)
    return result


def _disc_sum(wide: Sums, widths: tuple[int, ...]) -> Sums:
    """Return the sum over a disc, each row of which is one sum along the row.

    A row of a disc extends the shorter one next to it: no pixel is added up twice for that.
    """
    reach = len(widths) - 1
    height, width = (length - 2 * reach for length in wide.shape[:2])
    row = wide[:, reach : reach + width].copy()
    total = np.zeros_like(row[:height])
    for extent in range(max(widths) + 1):
        for side in {extent, -extent} - {0}:
            row += wide[:, reach + side : reach + side + width]
        for at in range(-reach, reach + 1):
            if widths[abs(at)] == extent:
                total += row[reach + at : reach + at + height]
    return np.asarray(total)


def _sum_at(wide: Sums, offsets: tuple[tuple[int, int], ...], reach: int) -> Sums:
    height, width = (length - 2 * reach for length in wide.shape[:2])
    total = np.zeros((height, width, *wide.shape[2:]), np.uint32)
    for down, right in offsets:
        top, left = reach + down, reach + right
        total += wide[top : top + height, left : left + width]
    return total


DEFOCUS = built_in("defocus", Defocus, stage=Stage.OPTICS)
