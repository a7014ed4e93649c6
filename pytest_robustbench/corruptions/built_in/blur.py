"""Defocus: a Gaussian blur that grows with the image.

All weights are whole 1/256, along rows as along columns. So every product and every sum of the
convolution is a whole 1/65536 below 256, which float32 holds exactly: no order of summation, no
vector width and no fused multiply-add of an OpenCV build can change a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.gray import by_channel
from pytest_robustbench.corruptions.built_in.sizes import at_reduced_size, scale_of
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, Steps, built_in, parameter

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats, Image, Mask

SIGMAS = (0.5, 1.0, 1.5, 2.0, 3.0)

_WHOLE = 256
"""What the weights add up to."""


@dataclass(frozen=True)
class Blur:
    """Blur a picture with a Gaussian; nothing is drawn.

    Parameters
    ----------
    sigma_at_256 : tuple of 5 floats
        Standard deviation at severity 1 to 5, rising, in pixels; it grows by `scale_of`.
    """

    sigma_at_256: tuple[float, ...] = parameter(SIGMAS, Steps(Number(0.2, 20)))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Blur `image` with the sigma of `severity`."""
        sigma = self.sigma_at_256[severity - 1] * scale_of(image)
        return Corrupted(by_channel(image, lambda part: _blurred(part, sigma)), mask)


def _blurred(part: Image, sigma: float) -> Image:
    """Convolve `part`; from a sigma of 4 pixels on at a reduced size.

    The factor of reduction never exceeds half of `sigma`. Averaging squares of ``factor`` pixels
    and interpolating between their centres spreads light with a variance of ``factor ** 2 / 4``,
    taken over all places within a square; the convolution adds what is missing.
    """
    factor = 1 << max(0, int(sigma / 2).bit_length() - 1)
    missing = sigma if factor == 1 else math.sqrt((sigma / factor) ** 2 - 1 / 4)
    spread = partial(_convolved, sigma=missing)
    return at_reduced_size(part, factor, math.ceil(3 * sigma / factor), spread)


def _convolved(part: Image, border: int, sigma: float) -> Image:
    cv2 = opencv.load()
    weights = _weights(sigma)
    # Of factors that add up to 1, OpenCV makes integers, whose halves it rounds up in columns that
    # its vectors do not reach, and to even elsewhere. Powers of two change nothing else.
    rows, columns = weights / (_WHOLE / 2), weights / (_WHOLE * 2)
    return np.asarray(cv2.sepFilter2D(part, -1, rows, columns, borderType=border))


def _weights(sigma: float) -> Floats:
    """Return the Gaussian as whole numbers, each rounded together with what its outer ones lost."""
    distances = range(math.ceil(3 * sigma), 0, -1)
    side = [math.exp(-(distance**2) / (2 * sigma**2)) for distance in distances]
    scale = _WHOLE / (1.0 + 2 * sum(side))
    whole: list[int] = []
    lost = 0.0
    for value in side:
        weight = round(value * scale + lost)
        lost += value * scale - weight
        if whole or weight:  # zeros on the outside would only cost time
            whole.append(weight)
    return np.array([*whole, _WHOLE - 2 * sum(whole), *reversed(whole)], np.float32)


BLUR = built_in("blur", Blur)
