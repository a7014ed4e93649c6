"""A camera short of light: shot noise that grows with the signal, and read noise that does not.

Every pixel's noise is the product of two odd integers over a power of two. Such a product is never
half-way between two levels, so that no way of rounding can change a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import (
    Number,
    built_in,
    graded,
    growth,
    parameter,
    response,
)
from pytest_robustbench.corruptions.pixels.gray import by_channel
from pytest_robustbench.corruptions.pixels.response import (
    levels_in_light,
    light_of,
    mean_light,
    share_of,
)
from pytest_robustbench.corruptions.pixels.sizes import bands
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask

_DEVIATION = 1 / 16
"""Unit of the tabled standard deviations, in grey levels."""

_NORMAL = 1 / 128
"""Unit of the tabled normal numbers."""


@dataclass(frozen=True)
class Noise:
    """Add the noise of a camera.

    The variance of the light that a pixel counts is ``read ** 2 + shot ** 2 * light``, light being
    1 at white, by the noise model of the EMVA 1288 standard [1]_; the response makes grey levels of
    it. Severity scales both. One field of normal numbers is drawn per image, so that each pixel
    departs further from the source with every severity, and in the same direction. A gray image
    gets the same noise in all channels. The grain is one pixel of the camera.

    Parameters
    ----------
    levels : float
        Standard deviation of shot noise at white and severity 3, in grey levels.
    read : float
        Standard deviation of read noise, as a share of that of shot noise at white, in a picture
        whose mean light is white; it falls with the mean, so that dark parts are not drowned.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.

    References
    ----------
    .. [1] European Machine Vision Association, "EMVA Standard 1288: Standard for Characterization
       of Image Sensors and Cameras", release 4.0, 2021.
    """

    levels: float = graded(8.0, Number(0.1, 60))
    read: float = parameter(0.3, Number(0, 2))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the noise of `severity` at white, and the electrons that a full pixel counts."""
        levels = self.levels * growth(severity)
        electrons = 1 / self._shot(severity) ** 2
        return f"{levels:.3g} levels at white ({electrons:.3g} electrons)"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Add noise to `image`."""
        return Corrupted(by_channel(image, lambda part: self._noisy(part, severity, rng)), mask)

    def _noisy(self, part: Image, severity: float, rng: np.random.Generator) -> Image:
        mean = float(np.mean(mean_light(part, self.response)))
        return _noisy(part, self._deviations(severity, mean), rng)

    def _shot(self, severity: float) -> float:
        """Return the standard deviation of the light at white."""
        below = np.array(max(1 - self.levels * growth(severity) / 255, 0))
        return float(1 - light_of(below, self.response))

    def _deviations(self, severity: float, mean: float) -> NDArray[np.int16]:
        """Return the standard deviation at each of the 256 levels, in odd numbers of its unit.

        Half of the way between what a deviation more, and less, of light is seen as.
        """
        light, shot = levels_in_light(self.response), self._shot(severity)
        spread = np.sqrt(shot**2 * light + (self.read * shot * mean) ** 2)
        ends = (share_of(np.maximum(light + way * spread, 0), self.response) for way in (1, -1))
        exact = 255 * (next(ends) - next(ends)) / 2
        return _odd(exact / _DEVIATION).astype(np.int16)


def _noisy(pixels: Image, deviations: NDArray[np.int16], rng: np.random.Generator) -> Image:
    cv2 = opencv.load()
    drawn = _drawn((2, *pixels.shape), rng)
    result = np.empty_like(pixels)
    for band in bands(*pixels.shape[:2]):
        part = pixels[band]
        normal = cv2.add(cv2.LUT(drawn[0, band], _ODD[None]), cv2.LUT(drawn[1, band], _EVEN[None]))
        deviation = cv2.LUT(part, deviations[None])
        scaled = cv2.multiply(normal, deviation, scale=_DEVIATION * _NORMAL)
        result[band] = cv2.add(part, scaled, dtype=cv2.CV_8U)
    return result


def _drawn(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw bytes, the same on machines of either byte order."""
    count = math.prod(shape)
    words = rng.bit_generator.random_raw(-(-count // 8)).astype("<u8", copy=False)
    return np.asarray(words.view(np.uint8)[:count].reshape(shape))


def _odd(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the odd whole number nearest to each of `values`."""
    return np.asarray(2 * np.floor(values / 2) + 1)


def _quantiles() -> NDArray[np.float64]:
    """Return 256 quantiles of a normal number with half the variance: two drawn ones add up."""
    half = NormalDist(sigma=0.5**0.5)
    return np.array([half.inv_cdf((index + 0.5) / 256) for index in range(256)])


_ODD = _odd(_quantiles() / _NORMAL).astype(np.int16)
_EVEN = _odd(_quantiles() / _NORMAL - 1).astype(np.int16) + np.int16(1)

NOISE = built_in("noise", Noise, stage=Stage.SENSOR)
