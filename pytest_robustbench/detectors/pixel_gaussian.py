"""A Gaussian per pixel: for parts that always lie in the same place. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.built_in import BuiltIn
from pytest_robustbench.detectors.pictures import squared
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.arrays import Floats, Image

NAME = "pixel_gaussian"
MOST = 1000
"""Of pixels that a Gaussian can be made of, and of grey levels."""


@dataclass(frozen=True)
class PixelGaussianSettings:
    """Settings of `PixelGaussian`.

    Parameters
    ----------
    size : int
        Side of the square the images are resized to, in pixels.
    smoothing : float
        Standard deviation of the Gaussian that smooths pictures, in pixels of that square: parts
        never lie in exactly the same place.
    floor : float
        Smallest standard deviation of a pixel, in grey levels.

    Raises
    ------
    DetectorError
        If a value cannot be used.
    """

    size: int = 128
    smoothing: float = 1.5
    floor: float = 2.0

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or self.size < 1:
            raise DetectorError(f"{NAME}: size must be a whole number of pixels, not {self.size!r}")
        for key in ("smoothing", "floor"):
            value = getattr(self, key)
            if not (isinstance(value, (int, float)) and 0 < value <= MOST):
                expected = f"a number above 0, at most {MOST}"
                raise DetectorError(f"{NAME}: {key} must be {expected}, not {value!r}")


class PixelGaussian(BuiltIn[PixelGaussianSettings]):
    """Mean and standard deviation of every pixel of the smoothed normal images, per channel.

    The map is the root mean square over the channels of ``(x - mean) / std``, the score its
    maximum. With few images a single pixel's variance is little known: it is pooled with that of
    its neighbours, and never below the floor.

    Parameters
    ----------
    settings : PixelGaussianSettings, optional
        Size, smoothing and floor.
    device : str
        ``"auto"`` or ``"cpu"``: it runs on no other.

    Raises
    ------
    DetectorError
        If another device is asked for.
    """

    name = NAME
    settings_type = PixelGaussianSettings
    arrays = ("mean", "std")

    def __init__(self, settings: PixelGaussianSettings | None = None, device: str = "auto") -> None:
        if device not in ("auto", "cpu"):
            raise DetectorError(
                f"{NAME} runs on the CPU only; say device: cpu or leave it out, not {device!r}"
            )
        super().__init__(settings, device)

    @property
    def _side(self) -> int:
        return self.settings.size

    def _learned(self, images: Sequence[Image]) -> Mapping[str, Floats]:
        mean, squares = np.float32(0), np.float32(0)
        # Welford's update: one pass, no cancellation, one picture in memory.
        for n, image in enumerate(images, start=1):
            picture = self._smoothed(image)
            difference = picture - mean
            mean = mean + difference / n
            squares = squares + difference * (picture - mean)
        variance = self._blurred(squares / np.float32(len(images) - 1))
        std = np.sqrt(np.maximum(variance, np.float32(self.settings.floor) ** 2))
        return {"mean": np.asarray(mean), "std": std}

    def _score_and_map(self, image: Image) -> tuple[float, Floats]:
        memory = self._require_fitted()
        deviation = (self._smoothed(image) - memory["mean"]) / memory["std"]
        plane: Floats = np.sqrt(np.mean(deviation * deviation, axis=2))
        return plane.max(), plane

    def _smoothed(self, image: Image) -> Floats:
        return self._blurred(squared(image, self.settings.size).astype(np.float32))

    def _blurred(self, picture: Floats) -> Floats:
        blurred: Floats = opencv.load().GaussianBlur(picture, (0, 0), self.settings.smoothing)
        return blurred
