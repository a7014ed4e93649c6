"""A part that moves while the shutter is open: light is spread along a line.

A line is drawn with soft ends, so that its length has no steps. Weights are whole 1/256, so that
sums of 16 bits of light are whole numbers below 2**24, which float32 holds exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth, response
from pytest_robustbench.corruptions.pixels.light import in_light
from pytest_robustbench.corruptions.pixels.sizes import at_reduced_size, bands, factor_for, scale_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats, Image, Mask
    from pytest_robustbench.corruptions.pixels.response import Light

_LONGEST = 10.0
"""Length of the longest line that is worked out at full size, in pixels."""

_WHOLE = 1 << 8
"""What the weights add up to."""

_POINTS = 256
"""Of a line."""


@dataclass(frozen=True)
class MotionBlur:
    """Spread the light of every pixel evenly along a line.

    Its direction is drawn once per image; its length grows with severity.

    Parameters
    ----------
    length_px : float
        Length of the line at severity 3, in pixels of an image whose shorter side is 256.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    length_px: float = graded(4.0, Number(0.2, 60))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the length of `severity`."""
        return f"{self.length_px * growth(severity):.3g} px at 256"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Blur `image` along the line of `severity`."""
        length = self.length_px * growth(severity) * scale_of(image.shape)
        angle = math.pi * rng.random()
        blurred = in_light(image, self.response, lambda light: _moved(light, length, angle))
        return Corrupted(blurred, mask)


def _moved(part: Light, length: float, angle: float) -> Light:
    """Spread `part` along a line; along a long one at a reduced size, which spreads light as well.

    Averaging squares and interpolating between them spreads light with a variance of a quarter of
    the squared factor, a line with a twelfth of its squared length.
    """
    factor = factor_for(length, _LONGEST)
    drawn = length / factor if factor == 1 else math.sqrt((length / factor) ** 2 - 3)
    kernel = _line(drawn, angle)
    return at_reduced_size(part, factor, kernel.shape[0] // 2, partial(_spread, kernel=kernel))


def _spread(part: Light, border: int, kernel: Floats) -> Light:
    """Return the mean over the pixels of a line."""
    reach = kernel.shape[0] // 2
    wide = opencv.load().copyMakeBorder(part, reach, reach, reach, reach, border)
    width = part.shape[1]
    taps = [(down, right, kernel[down, right]) for down, right in np.argwhere(kernel).tolist()]
    result = np.empty_like(part)
    for band in bands(*part.shape[:2]):
        rows = wide[band.start : band.stop + 2 * reach].astype(np.float32)
        height = band.stop - band.start
        total = np.zeros((height, *part.shape[1:]), np.float32)
        for down, right, weight in taps:
            total += weight * rows[down : down + height, right : right + width]
        total *= np.float32(1 / _WHOLE)
        result[band] = np.rint(total)
    return result


def _line(length: float, angle: float) -> Floats:
    """Return a line as whole weights, square: each of its points goes to the pixels near it."""
    reach = math.ceil(length / 2) + 1
    along = length * ((np.arange(_POINTS) + 0.5) / _POINTS - 0.5)
    y, x = reach + along * math.sin(angle), reach + along * math.cos(angle)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for below in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - below - (y - top)) * np.abs(1 - right - (x - left))
            np.add.at(kernel, (top + below, left + right), share)
    whole = np.rint(kernel * (_WHOLE / _POINTS))
    whole[reach, reach] += _WHOLE - whole.sum()
    return whole.astype(np.float32)


MOTION_BLUR = built_in("motion_blur", MotionBlur, stage=Stage.OPTICS)
