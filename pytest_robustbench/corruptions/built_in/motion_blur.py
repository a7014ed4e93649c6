"""A part that moves while the shutter is open: light is spread along a line.

The line is laid in dashes of a few pixels. A dash is drawn with soft ends, so that its length has
no steps; where the dashes lie is rounded to whole pixels. Weights are whole, and sums of whole
numbers are exact: one division at the end is all that rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth, response
from pytest_robustbench.corruptions.pixels.gray import by_channel
from pytest_robustbench.corruptions.pixels.response import decoded, encoded
from pytest_robustbench.corruptions.pixels.sizes import bands, scale_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.pixels.response import Light

    Kernel = NDArray[np.float64]

_DASH = 5.0
"""Length of a dash, at most: its kernel of 7 x 7 is the largest that OpenCV never transforms."""

_REACH = 3
_WHOLE = 1 << 12
"""What the weights of a dash add up to."""

_POINTS = 64
"""Of a dash."""


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
        length = self.length_px * growth(severity) * scale_of(image)
        angle = math.pi * rng.random()

        def moved(part: Image) -> Image:
            return encoded(_moved(decoded(part, self.response), length, angle), self.response)

        return Corrupted(by_channel(image, moved), mask)


def _moved(part: Light, length: float, angle: float) -> Light:
    """Spread `part` along a line of `length` pixels."""
    n_dashes = math.ceil(length / _DASH)
    dash = length / n_dashes
    places = [dash * (index - (n_dashes - 1) / 2) for index in range(n_dashes)]
    offsets = [(round(at * math.sin(angle)), round(at * math.cos(angle))) for at in places]
    reach = max(max(abs(along) for along in offset) for offset in offsets)
    cv2 = opencv.load()
    edge = reach + _REACH
    wide = cv2.copyMakeBorder(part, edge, edge, edge, edge, cv2.BORDER_REFLECT_101)
    return _mean_of_dashes(cv2.filter2D(wide, cv2.CV_64F, _drawn(dash, angle)), offsets, edge)


def _mean_of_dashes(dashes: Kernel, offsets: list[tuple[int, int]], edge: int) -> Light:
    """Return the mean of a picture, wider by `edge`, as seen from `offsets`; its unit is a dash."""
    height, width = (length - 2 * edge for length in dashes.shape[:2])
    result = np.empty((height, width, *dashes.shape[2:]), np.uint16)
    for band in bands(height, width):
        rows = range(band.start + edge, band.stop + edge)
        total = np.zeros((len(rows), width, *dashes.shape[2:]))
        for down, right in offsets:
            left = edge + right
            total += dashes[rows.start + down : rows.stop + down, left : left + width]
        result[band] = np.floor(total / (_WHOLE * len(offsets)) + 0.5)
    return result


def _drawn(length: float, angle: float) -> Kernel:
    """Return a dash as whole weights ``(7, 7)``; each of its points goes to the pixels near it."""
    along = (np.arange(_POINTS) + 0.5) / _POINTS - 0.5
    y, x = _REACH + length * along * math.sin(angle), _REACH + length * along * math.cos(angle)
    kernel = np.zeros((2 * _REACH + 1, 2 * _REACH + 1))
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    for below in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - below - (y - top)) * np.abs(1 - right - (x - left))
            inside = share > 0  # a point on the outermost pixels has no others beyond
            np.add.at(kernel, (top[inside] + below, left[inside] + right), share[inside])
    whole = np.rint(kernel * (_WHOLE / _POINTS))
    whole[_REACH, _REACH] += _WHOLE - whole.sum()
    return np.asarray(whole)


MOTION_BLUR = built_in("motion_blur", MotionBlur, stage=Stage.OPTICS)
