"""What every detector that compares patches with remembered normal ones has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np
import torch

from pytest_robustbench.detectors.devices import choose_device, synchronize
from pytest_robustbench.detectors.patches.features import PatchFeatures
from pytest_robustbench.detectors.patches.maps import anomaly_map
from pytest_robustbench.detectors.patches.memory import BANK, PatchMemory
from pytest_robustbench.detectors.patches.settings import PatchSettings
from pytest_robustbench.detectors.pictures import require_enough
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.detectors.settings import chosen_settings
from pytest_robustbench.detectors.state import (
    State,
    read_state,
    require_same_settings,
    write_state,
)
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from torch import Tensor
    from typing_extensions import Self

    from pytest_robustbench.arrays import Floats, Image

S = TypeVar("S", bound=PatchSettings)


class PatchDetector(ABC, Generic[S]):
    """A detector that remembers patches of normal images; subclasses say which and how they count.

    The map is the grid of the patches' anomalies, enlarged and smoothed; the score is the map's
    maximum unless a subclass says otherwise.

    Parameters
    ----------
    settings : PatchSettings, optional
        By default those of the preset ``industrial-balanced``.
    device : str
        ``"auto"`` (CUDA if there is one, else the CPU), ``"cpu"``, ``"cuda"``, ``"mps"``.

    Raises
    ------
    DetectorError
        If there is no such device, or the backbone cannot be loaded.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[PatchSettings]]
    arrays: ClassVar[tuple[str, ...]] = (BANK,)
    unit_features: ClassVar[bool] = False

    def __init__(self, settings: S | None = None, device: str = "auto") -> None:
        self.settings: S = settings or self.settings_type()  # type: ignore[assignment]
        self.device = choose_device(device)
        self._features = PatchFeatures(self.settings, self.device, unit=self.unit_features)
        self._memory: PatchMemory | None = None

    @abstractmethod
    def _learned(self, images: Sequence[Image]) -> Mapping[str, Tensor]:
        """Return what is to be remembered of normal images: the arrays that `arrays` names."""

    @abstractmethod
    def _anomalies(self, memory: PatchMemory, patches: Tensor) -> Tensor:
        """Return how anomalous each patch is, ``(patches,)``."""

    def _score(self, anomalies: Tensor, anomaly_map: Floats) -> float:  # noqa: ARG002
        """Return the score of an image from its patches' anomalies or its map."""
        return float(anomaly_map.max())

    def fit(self, images: Sequence[Image]) -> None:
        """Remember patches of the images, and forget those before.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            Normal images, RGB; at least two.

        Raises
        ------
        DetectorError
            If there are fewer than two images, or the detector cannot learn from them.
        """
        require_enough(images, self.name)
        with torch.inference_mode():
            self._memory = PatchMemory(self._learned(images))

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
        memory, size = self._fitted(), self.settings.input_size
        scores = np.empty(len(images), np.float32)
        maps = np.empty((len(images), size, size), np.float32)
        with torch.inference_mode():
            for i, image in enumerate(images):
                anomalies = self._anomalies(memory, self._features.patches(image))
                maps[i] = anomaly_map(anomalies, size, self.settings.smoothing)
                scores[i] = self._score(anomalies, maps[i])
        return Prediction(scores, maps)

    def synchronize(self) -> None:
        """Wait until the device has finished."""
        synchronize(self.device)

    def description(self) -> dict[str, Any]:
        """Return settings, weights, device and size of the memory, for the report."""
        return {
            "class": f"{type(self).__module__}.{type(self).__qualname__}",
            "parameters": asdict(self.settings),
            "weights": self._features.backbone.weights,
            "device": str(self.device),
            "remembered_patches": None if self._memory is None else len(self._memory),
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Write settings and memory to one npz file; weights that lie in a file stay there.

        Raises
        ------
        DetectorError
            If it has not been fitted.
        """
        memory = self._fitted()
        arrays = {name: memory.arrays[name].cpu().numpy() for name in self.arrays}
        weights = self._features.backbone.weights
        write_state(path, self.name, asdict(self.settings), arrays, weights)

    @classmethod
    def load(cls, path: str | PathLike[str], device: str = "auto") -> Self:
        """Return the fitted detector that `save` wrote; its predictions are the same.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote, there is no such device, or the backbone cannot
            be loaded or has other weights than it had.
        """
        state = read_state(path, cls.name, cls.arrays)
        detector = cls(chosen_settings(cls.settings_type(), state.settings, cls.name), device)  # type: ignore[arg-type]
        detector._remember(path, state)
        return detector

    def restore(self, path: str | PathLike[str]) -> None:
        """Become the fitted detector that `save` wrote, which had the same settings.

        Raises
        ------
        DetectorError
            If the file is none that `save` wrote, or by a detector with other settings or weights.
        """
        state = read_state(path, self.name, self.arrays)
        require_same_settings(path, state, asdict(self.settings))
        self._remember(path, state)

    def _remember(self, path: str | PathLike[str], state: State) -> None:
        self._require_weights(path, state.weights)
        arrays = zip(self.arrays, state.arrays, strict=True)
        self._memory = PatchMemory({n: torch.from_numpy(a).to(self.device) for n, a in arrays})

    def _fitted(self) -> PatchMemory:
        if self._memory is None:
            raise DetectorError(f"detector {self.name!r} has not been fitted")
        return self._memory

    def _require_weights(self, path: str | PathLike[str], wanted: str | None) -> None:
        found = self._features.backbone.weights
        if wanted != found:
            raise DetectorError(
                f"{path}: was fitted with a backbone whose weights are {wanted!r}; those of "
                f"{self.settings.backbone!r} here are {found!r}"
            )
