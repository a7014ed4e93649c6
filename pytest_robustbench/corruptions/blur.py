"""Defocus: a Gaussian blur that grows with the image.

All weights are whole 1/256, along rows as along columns. So every product and every sum of the
convolution is a whole 1/65536 below 256, which float32 holds exactly: no order of summation, no
vector width and no fused multiply-add of an OpenCV build can change a pixel.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.gray import by_channel

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats, Image, Mask

SIGMAS = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Standard deviation of severity 1 to 5, in pixels of an image whose shorter side is 256."""

_WHOLE = 256
"""What the weights add up to."""


def blur(
    image: Image,
    mask: Mask | None,
    severity: int,
    rng: np.random.Generator,  # noqa: ARG001
) -> Corrupted:
    """Blur `image` with the sigma of `severity`; nothing is drawn."""
    sigma = SIGMAS[severity - 1] * max(1.0, min(image.shape[:2]) / 256)
    return Corrupted(by_channel(image, lambda part: _blurred(part, sigma)), mask)


def _blurred(part: Image, sigma: float) -> Image:
    """Convolve `part`; from a sigma of 4 pixels on at a reduced size."""
    factor = 1 << max(0, int(sigma / 2).bit_length() - 1)
    if factor > 1:
        return _reduced(part, sigma, factor)
    return _convolved(part, sigma, opencv.load().BORDER_REFLECT_101)


def _reduced(part: Image, sigma: float, factor: int) -> Image:
    """Convolve `part` at 1 / `factor` of its size, which must not exceed half of `sigma`.

    Averaging squares of ``factor`` pixels and interpolating between their centres spreads light
    with a variance of ``factor ** 2 / 4``, taken over all places within a square; the convolution
    adds what is missing. Inside the picture the result differs from the Gaussian at full size by
    little more than rounding, at its frame, which is mirrored half a pixel further out, by a few
    levels; it takes a fraction of the time.
    """
    cv2 = opencv.load()
    whole = _whole_squares(part, factor, reach=math.ceil(3 * sigma / factor))
    height, width = whole.shape[:2]
    small = (width // factor, height // factor)
    averaged = cv2.resize(whole, small, interpolation=cv2.INTER_AREA)
    missing = math.sqrt((sigma / factor) ** 2 - 1 / 4)
    # Seen from a large pixel's centre, the frame ends half a pixel away.
    spread = _convolved(averaged, missing, cv2.BORDER_REFLECT)
    full = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.ascontiguousarray(full[: part.shape[0], : part.shape[1]])


def _whole_squares(part: Image, factor: int, reach: int) -> Image:
    """Return `part`; where `factor` does not divide it, continued by at least `reach` squares."""
    below, beside = (-length % factor for length in part.shape[:2])
    below += factor * reach if below else 0
    beside += factor * reach if beside else 0
    if not below and not beside:
        return part
    cv2 = opencv.load()
    return np.asarray(cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_REFLECT))


def _convolved(part: Image, sigma: float, border: int) -> Image:
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


BLUR = Corruption("blur", blur, parameters={"sigma_at_256": SIGMAS}, fresh=True)
