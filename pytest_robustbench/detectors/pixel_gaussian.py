"""A Gaussian per pixel: for parts that always lie in the same place. Needs no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.pictures import require_enough, squared
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.detectors.settings import chosen_settings
from pytest_robustbench.detectors.state import read_state, require_same_settings, write_state
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from pytest_robustbench.arrays import Floats, Image

NAME = "pixel_gaussian"
ARRAYS = ("mean", "std")


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
            if not (isinstance(value, (int, float)) and value > 0):
                raise DetectorError(f"{NAME}: {key} must be a number above 0, not {value!r}")


class PixelGaussian:
    """Mean and standard deviation of every pixel of the smoothed normal images, per channel.

    The map is the root mean square over the channels of ``(x - mean) / std``, the score its
    maximum. With few images a single pixel's variance is little known: it is pooled with that of
    its neighbours, and never below the floor.

    Parameters
    ----------
    settings : PixelGaussianSettings, optional
        Size, smoothing and floor.
    """

    name = NAME

    def __init__(self, settings: PixelGaussianSettings | None = None) -> None:
        self.settings = settings or PixelGaussianSettings()
        self._mean: Floats | None = None
        self._std: Floats | None = None

    def fit(self, images: Sequence[Image]) -> None:
        """Learn mean and standard deviation, and forget those before.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            Normal images, RGB; at least two.

        Raises
        ------
        DetectorError
            If there are fewer than two images.
        """
        require_enough(images, self.name)
        mean, squares = np.float32(0), np.float32(0)
        # Welford's update: one pass, no cancellation, one picture in memory.
        for n, image in enumerate(images, start=1):
            picture = self._smoothed(image)
            difference = picture - mean
            mean = mean + difference / n
            squares = squares + difference * (picture - mean)
        variance = self._blurred(squares / np.float32(len(images) - 1))
        self._mean = np.asarray(mean)
        self._std = np.sqrt(np.maximum(variance, np.float32(self.settings.floor) ** 2))

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.

        Returns
        -------
        Prediction
            Scores ``(N,)`` and maps ``(N, size, size)``, float32: standard deviations.

        Raises
        ------
        DetectorError
            If it has not been fitted, or an image is no (H, W, 3) uint8 array.
        """
        mean, std = self._fitted()
        maps = np.empty((len(images), *mean.shape[:2]), np.float32)
        for i, image in enumerate(images):
            deviation = (self._smoothed(image) - mean) / std
            maps[i] = np.sqrt(np.mean(deviation * deviation, axis=2))
        return Prediction(maps.max(axis=(1, 2)), maps)

    def description(self) -> dict[str, Any]:
        """Return class and settings, for the report."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return {"class": path, "parameters": asdict(self.settings)}

    def save(self, path: str | PathLike[str]) -> None:
        """Write settings, mean and standard deviation to one npz file.

        Raises
        ------
        DetectorError
            If it has not been fitted.
        """
        mean, std = self._fitted()
        write_state(path, self.name, asdict(self.settings), {"mean": mean, "std": std})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> PixelGaussian:
        """Return the fitted detector that `save` wrote; its predictions are the same.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote.
        """
        state = read_state(path, cls.name, ARRAYS)
        detector = cls(chosen_settings(PixelGaussianSettings(), state.settings, cls.name))
        detector._mean, detector._std = state.arrays
        return detector

    def restore(self, path: str | PathLike[str]) -> None:
        """Become the fitted detector that `save` wrote, which had the same settings.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote, or by a detector with other settings.
        """
        state = read_state(path, self.name, ARRAYS)
        require_same_settings(path, state, asdict(self.settings))
        self._mean, self._std = state.arrays

    def _fitted(self) -> tuple[Floats, Floats]:
        if self._mean is None or self._std is None:
            raise DetectorError(f"detector {self.name!r} has not been fitted")
        return self._mean, self._std

    def _smoothed(self, image: Image) -> Floats:
        return self._blurred(squared(image, self.settings.size).astype(np.float32))

    def _blurred(self, picture: Floats) -> Floats:
        blurred: Floats = opencv.load().GaussianBlur(picture, (0, 0), self.settings.smoothing)
        return blurred


def build(preset: str | None, device: str, settings: Mapping[str, Any]) -> PixelGaussian:
    """Return an unfitted detector; it has no presets and runs on the CPU.

    Raises
    ------
    DetectorError
        If a preset or another device is asked for, or there is no such setting.
    """
    if preset is not None:
        raise DetectorError(f"{NAME} has no presets, and {preset!r} was asked for; leave it out")
    if device not in ("auto", "cpu"):
        raise DetectorError(
            f"{NAME} runs on the CPU only; say device: cpu or leave it out, not {device!r}"
        )
    return PixelGaussian(chosen_settings(PixelGaussianSettings(), settings, NAME))
