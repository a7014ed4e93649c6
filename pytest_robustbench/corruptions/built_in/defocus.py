"""A lens out of focus: every point becomes a disc, unlike the soft spot of `blur`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.built_in.gray import by_channel
from pytest_robustbench.corruptions.built_in.sizes import at_reduced_size, scale_of
from pytest_robustbench.corruptions.built_in.taps import flat_blur
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, Steps, built_in, parameter

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.built_in.taps import Sums

RADII = (1.0, 1.5, 2.25, 3.0, 4.0)

_LARGEST = 8.9
"""Radius of the largest disc that 16 bits can add up, in pixels."""


@dataclass(frozen=True)
class Defocus:
    """Spread every pixel evenly over a disc; nothing is drawn.

    Parameters
    ----------
    radius_at_256 : tuple of 5 floats
        Radius of the disc at severity 1 to 5, rising, in pixels; it grows by `scale_of`.
    """

    radius_at_256: tuple[float, ...] = parameter(RADII, Steps(Number(1, 20)))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Blur `image` with the disc of `severity`."""
        radius = self.radius_at_256[severity - 1] * scale_of(image)
        return Corrupted(by_channel(image, lambda part: _defocused(part, radius)), mask)


def _defocused(part: Image, radius: float) -> Image:
    """Spread `part` over discs; large ones at a reduced size."""
    factor = 1
    while radius / factor > _LARGEST:
        factor *= 2
    spread = partial(_spread, radius=radius / factor)
    return at_reduced_size(part, factor, math.ceil(radius / factor), spread)


def _spread(part: Image, border: int, radius: float) -> Image:
    """Return the mean over the pixels whose centre lies within `radius`."""
    widths = _widths(radius)
    return flat_blur(part, len(widths) - 1, lambda wide: _disc_sum(wide, widths), border)


def _disc_sum(wide: Sums, widths: list[int]) -> Sums:
    """Return the sum over discs, each row of which is one sum along the row.

    A row of a disc extends the shorter one next to it: no pixel is added up twice for that.
    """
    reach = len(widths) - 1
    height, width = (length - 2 * reach for length in wide.shape[:2])
    row = wide[:, reach : reach + width].copy()
    total = np.zeros_like(row[:height])
    for extent in range(reach + 1):
        for side in {extent, -extent} - {0}:
            row += wide[:, reach + side : reach + side + width]
        for at in range(-reach, reach + 1):
            if widths[abs(at)] == extent:
                total += row[reach + at : reach + at + height]
    return np.asarray(total)


def _widths(radius: float) -> list[int]:
    """Return by how many pixels a disc extends sideways, 0, 1, 2, ... rows from its centre."""
    return [math.isqrt(int(radius**2 - row**2)) for row in range(int(radius) + 1)]


DEFOCUS = built_in("defocus", Defocus)
