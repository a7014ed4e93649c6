"""Focus, as a Gaussian in light that grows with the image.

All weights are whole 1/65536, along rows as along columns. So every product and every sum of the
convolution is a whole number below 2**48, which float64 holds exactly: no order of summation, no
vector width and no fused multiply-add of an OpenCV build can change a pixel.
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
from pytest_robustbench.corruptions.pixels.sizes import at_reduced_size, scale_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.pixels.response import Light

_WHOLE = 1 << 16
"""What the weights add up to."""


@dataclass(frozen=True)
class Blur:
    """Blur the light of a picture with a Gaussian; nothing is drawn.

    Parameters
    ----------
    sigma_px : float
        Standard deviation at severity 3, in pixels of an image whose shorter side is 256.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    sigma_px: float = graded(1.0, Number(0.05, 20))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the sigma of `severity`."""
        return f"sigma {self.sigma_px * growth(severity):.3g} px at 256"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Blur `image` with the sigma of `severity`."""
        sigma = self.sigma_px * growth(severity) * scale_of(image.shape)
        blurred = in_light(image, self.response, lambda light: _blurred(light, sigma))
        return Corrupted(blurred, mask)


def _blurred(part: Light, sigma: float) -> Light:
    """Convolve `part`; from a sigma of 4 pixels on at a reduced size.

    The factor of reduction never exceeds half of `sigma`. Averaging squares of ``factor`` pixels
    and interpolating between their centres spreads light with a variance of ``factor ** 2 / 4``,
    taken over all places within a square; the convolution adds what is missing.
    """
    factor = 1 << max(0, int(sigma / 2).bit_length() - 1)
    missing = sigma if factor == 1 else math.sqrt((sigma / factor) ** 2 - 1 / 4)
    spread = partial(_convolved, sigma=missing)
    return at_reduced_size(part, factor, math.ceil(3 * sigma / factor), spread)


def _convolved(part: Light, border: int, sigma: float) -> Light:
    cv2 = opencv.load()
    weights = _weights(sigma)
    exact = cv2.sepFilter2D(part, cv2.CV_64F, weights, weights, borderType=border)
    exact *= 1 / _WHOLE**2
    exact += 0.5  # both steps are exact, and the conversion cuts off
    return np.asarray(exact.astype(np.uint16))


def _weights(sigma: float) -> NDArray[np.float64]:
    """Return the discrete Gaussian as whole numbers, each rounded with what its outer ones lost.

    Its variance is that of `sigma` however small that is, which sampling the continuous one does
    not give [1]_: ``w(n) = exp(-t) I_n(t)``, ``t = sigma ** 2``, here by the integral that defines
    the modified Bessel function ``I_n``, as a mean over one period.

    References
    ----------
    .. [1] Lindeberg, "Scale-space for discrete signals", IEEE TPAMI 12(3), 1990.
    """
    reach = math.ceil(3 * sigma) + 1
    angles = np.arange(8 * (reach + 8)) * (2 * np.pi / (8 * (reach + 8)))
    spread = np.exp(sigma**2 * (np.cos(angles) - 1))
    side = [float(np.mean(spread * np.cos(n * angles))) for n in range(reach, 0, -1)]
    scale = _WHOLE / (float(np.mean(spread)) + 2 * sum(side))
    whole: list[int] = []
    lost = 0.0
    for value in side:
        weight = round(value * scale + lost)
        lost += value * scale - weight
        if whole or weight:  # zeros on the outside would only cost time
            whole.append(weight)
    return np.array([*whole, _WHOLE - 2 * sum(whole), *reversed(whole)], np.float64)


BLUR = built_in("blur", Blur, stage=Stage.OPTICS)
