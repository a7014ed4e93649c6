"""PatchCore: the distance of each patch to the nearest one seen on normal images."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from pytest_robustbench import opencv
from pytest_robustbench.detectors.backbone import EfficientNetLite0
from pytest_robustbench.detectors.coreset import greedy_coreset
from pytest_robustbench.detectors.devices import choose_device, synchronize
from pytest_robustbench.detectors.names import DEFAULT_PRESET
from pytest_robustbench.detectors.neighbours import NearestNeighbours
from pytest_robustbench.detectors.patchcore_settings import PRESET_SETTINGS, PatchCoreSettings
from pytest_robustbench.detectors.pictures import require_enough, squared
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.detectors.settings import chosen_settings
from pytest_robustbench.detectors.state import read_state, write_state
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from torch import Tensor

    from pytest_robustbench.arrays import Floats, Image

NAME = "patchcore"
NEIGHBOURHOOD = 3


class PatchCore:
    """Nearest-neighbour distances of patch features to a coreset of normal ones [1]_.

    A patch is described by two layers of a frozen network, averaged over 3 x 3 positions. Its
    anomaly is the distance to the nearest patch of the coreset; the map is that grid of distances,
    enlarged bilinearly to the network's input and smoothed; the score is the map's maximum. (The
    paper's re-weighted score ranked no real test set better.)

    Images go through the network one by one, so that no result depends on its batch.

    Parameters
    ----------
    settings : PatchCoreSettings, optional
        By default those of the preset ``industrial-balanced``.
    device : str
        ``"auto"`` (CUDA if there is one, else the CPU), ``"cpu"``, ``"cuda"``, ``"mps"``.

    Raises
    ------
    DetectorError
        If there is no such device.

    References
    ----------
    .. [1] K. Roth et al., Towards total recall in industrial anomaly detection, CVPR 2022.
    """

    name = NAME

    def __init__(self, settings: PatchCoreSettings | None = None, device: str = "auto") -> None:
        self.settings = settings or PatchCoreSettings()
        self.device = choose_device(device)
        network = EfficientNetLite0(self.settings.pretrained, self.settings.seed)
        self._network = network.to(self.device)
        self._neighbours: NearestNeighbours | None = None

    def fit(self, images: Sequence[Image]) -> None:
        """Remember a coreset of the images' patches, and forget the one before.

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
        settings = self.settings
        with torch.inference_mode():
            candidates = self._candidates(images)
            chosen = greedy_coreset(
                candidates, settings.coreset_size, settings.projection, settings.seed
            )
            self._neighbours = NearestNeighbours(candidates[chosen])

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.

        Returns
        -------
        Prediction
            Scores ``(N,)`` and maps ``(N, input_size, input_size)``, float32: distances in feature
            space.

        Raises
        ------
        DetectorError
            If it has not been fitted, or an image is no (H, W, 3) uint8 array.
        """
        neighbours = self._fitted()
        size = self.settings.input_size
        maps = np.empty((len(images), size, size), np.float32)
        with torch.inference_mode():
            for i, image in enumerate(images):
                maps[i] = self._map(neighbours.distances(self._patches(image)))
        return Prediction(maps.max(axis=(1, 2)), maps)

    def synchronize(self) -> None:
        """Wait until the device has finished."""
        synchronize(self.device)

    def description(self) -> dict[str, Any]:
        """Return settings, weights, device and size of the memory, for the report."""
        bank = None if self._neighbours is None else len(self._neighbours.bank)
        return {
            "class": f"{type(self).__module__}.{type(self).__qualname__}",
            "parameters": asdict(self.settings),
            "weights": self._weights(),
            "device": str(self.device),
            "remembered_patches": bank,
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Write settings and coreset to one npz file.

        Raises
        ------
        DetectorError
            If it has not been fitted.
        """
        bank = self._fitted().bank.cpu().numpy()
        write_state(path, self.name, asdict(self.settings), {"bank": bank})

    @classmethod
    def load(cls, path: str | PathLike[str], device: str = "auto") -> PatchCore:
        """Return the fitted detector that `save` wrote; its predictions are the same.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote, or there is no such device.
        """
        settings, (bank,) = read_state(path, cls.name, ["bank"])
        detector = cls(chosen_settings(PatchCoreSettings(), settings, cls.name), device)
        detector._neighbours = NearestNeighbours(torch.from_numpy(bank).to(detector.device))
        return detector

    def _fitted(self) -> NearestNeighbours:
        if self._neighbours is None:
            message = f"detector {self.name!r} has not been fitted"
            raise DetectorError(message)
        return self._neighbours

    def _weights(self) -> str:
        if self.settings.pretrained:
            return "ImageNet"
        return f"random, seed {self.settings.seed}: not trained on anything"

    def _candidates(self, images: Sequence[Image]) -> Tensor:
        """Return as many random patches of each image as share the allowed number evenly."""
        generator = np.random.default_rng(self.settings.seed)
        share = max(1, self.settings.candidates // len(images))
        drawn = []
        for image in images:
            patches = self._patches(image)
            if share < len(patches):
                kept = generator.choice(len(patches), share, replace=False)
                patches = patches[torch.from_numpy(kept).to(self.device)]
            drawn.append(patches)
        return torch.cat(drawn)

    def _patches(self, image: Image) -> Tensor:
        """Return the features of one image's patches, ``(patches, channels)``, row by row."""
        pixels = torch.from_numpy(squared(image, self.settings.input_size))
        batch = pixels.to(self.device).permute(2, 0, 1)[None].float()
        shallow, deep = (_averaged(tap) for tap in self._network(batch))
        deep = functional.interpolate(deep, size=shallow.shape[-2:], mode="bilinear")
        features = torch.cat([shallow, deep], dim=1)
        return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])

    def _map(self, distances: Tensor) -> Floats:
        cv2 = opencv.load()
        size, sigma = self.settings.input_size, self.settings.smoothing
        side = round(len(distances) ** 0.5)
        grid = distances.reshape(side, side).cpu().numpy()
        enlarged: Floats = cv2.resize(grid, (size, size), interpolation=cv2.INTER_LINEAR)
        return cv2.GaussianBlur(enlarged, (0, 0), sigma) if sigma else enlarged


def _averaged(features: Tensor) -> Tensor:
    """Average each position's neighbourhood, counting zeros outside the picture, as the paper does.

    The network's own padding makes border features odd. The zeros damp them; without, the border
    of normal images outscores small defects.
    """
    return functional.avg_pool2d(features, NEIGHBOURHOOD, stride=1, padding=NEIGHBOURHOOD // 2)


def build(preset: str | None, device: str, settings: Mapping[str, Any]) -> PatchCore:
    """Return an unfitted PatchCore: a preset, with single settings changed.

    Raises
    ------
    DetectorError
        If there is no such preset, setting or device.
    """
    base = PRESET_SETTINGS[preset or DEFAULT_PRESET]
    return PatchCore(chosen_settings(base, settings, NAME), device)
