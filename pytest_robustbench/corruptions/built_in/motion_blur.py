"""A part that moves while the shutter is open: light is spread along a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_robustbench.corruptions.built_in.gray import by_channel
from pytest_robustbench.corruptions.built_in.sizes import scale_of
from pytest_robustbench.corruptions.built_in.taps import flat_blur, shifted_sum
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, Steps, built_in, parameter

if TYPE_CHECKING:
    import numpy as np

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.built_in.taps import Sums

LENGTHS = (3.0, 5.0, 7.0, 10.0, 14.0)

_PER_SIDE = 16
"""Dashes of a line, and points of a dash, at most: so many copies 16 bits can add up."""

_ONE_DASH = 32
"""Points of a line that is a single dash, at most."""


class Line(NamedTuple):
    """A line as points: every point of a dash, seen from every dash.

    Attributes
    ----------
    points, dashes : tuple of pairs of int
        ``(down, right)``, in pixels.
    """

    points: tuple[tuple[int, int], ...]
    dashes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class MotionBlur:
    """Spread every pixel evenly along a line.

    Its direction is drawn once per image; its length grows with severity.

    Parameters
    ----------
    length_at_256 : tuple of 5 floats
        Length of the line at severity 1 to 5, rising, in pixels; it grows by `scale_of`.
    """

    length_at_256: tuple[float, ...] = parameter(LENGTHS, Steps(Number(1, 60)))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Blur `image` along the line of `severity`."""
        line = _line(self.length_at_256[severity - 1] * scale_of(image), math.pi * rng.random())
        return Corrupted(by_channel(image, lambda part: _moved(part, line)), mask)


def _line(length: float, angle: float) -> Line:
    """Return a line of `length` pixels as points half a pixel apart, where so many are allowed."""
    count = math.ceil(2 * length)
    # A line of dashes is rounded twice: where it is short, that would bend it.
    dashes = 1 if count <= _ONE_DASH else min(math.ceil(math.sqrt(count)), _PER_SIDE)
    points = count if dashes == 1 else min(math.ceil(count / dashes), _PER_SIDE)
    dash = length / dashes
    return Line(_along(points, dash / points, angle), _along(dashes, dash, angle))


def _along(count: int, step: float, angle: float) -> tuple[tuple[int, int], ...]:
    """Return `count` points `step` pixels apart, around the origin, rounded to whole pixels."""
    places = [step * (index - (count - 1) / 2) for index in range(count)]
    return tuple((round(at * math.sin(angle)), round(at * math.cos(angle))) for at in places)


def _moved(part: Image, line: Line) -> Image:
    near, far = (_reach(one) for one in line)

    def line_sum(wide: Sums) -> Sums:
        return shifted_sum(shifted_sum(wide, line.points, near), line.dashes, far)

    return flat_blur(part, near + far, line_sum)


def _reach(offsets: tuple[tuple[int, int], ...]) -> int:
    return max(abs(along) for offset in offsets for along in offset)


MOTION_BLUR = built_in("motion_blur", MotionBlur)
