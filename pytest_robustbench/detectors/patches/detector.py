"""What every detector that compares patches with remembered normal ones has in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch

from pytest_robustbench import opencv
from pytest_robustbench.detectors.built_in import BuiltIn
from pytest_robustbench.detectors.devices import choose_device, synchronize
from pytest_robustbench.detectors.patches.features import PatchFeatures
from pytest_robustbench.detectors.patches.neighbours import NearestNeighbours
from pytest_robustbench.detectors.patches.settings import PatchSettings, with_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor
    from typing_extensions import Self

    from pytest_robustbench.arrays import Floats, Image
    from pytest_robustbench.detectors.families import Request
    from pytest_robustbench.detectors.protocol import Prediction

S = TypeVar("S", bound=PatchSettings)

BANK = "bank"


class PatchDetector(BuiltIn[S]):
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

    arrays: ClassVar[tuple[str, ...]] = (BANK,)
    unit_features: ClassVar[bool] = False

    def __init__(self, settings: S | None = None, device: str = "auto") -> None:
        super().__init__(settings, device)
        self.device = choose_device(device)
        self._features = PatchFeatures(self.settings, self.device, unit=self.unit_features)

    @classmethod
    def build(cls, request: Request) -> Self:
        """Return an unfitted detector: a preset, with single settings changed.

        Raises
        ------
        DetectorError
            If there is no such setting, backbone or device.
        """
        return super().build(replace(request, settings=with_folder(request)))

    @abstractmethod
    def _anomalies(self, patches: Tensor) -> Tensor:
        """Return how anomalous each patch is, ``(patches,)``."""

    def _score(self, anomalies: Tensor, anomaly_map: Floats) -> float:  # noqa: ARG002
        """Return the score of an image from its patches' anomalies or its map."""
        return float(anomaly_map.max())

    def fit(self, images: Sequence[Image]) -> None:
        """Remember patches of the images, and forget those before."""
        with torch.inference_mode():
            super().fit(images)

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images by distances in feature space."""
        with torch.inference_mode():
            return super().predict(images)

    def synchronize(self) -> None:
        """Wait until the device has finished."""
        synchronize(self.device)

    def description(self) -> dict[str, Any]:
        """Return settings, weights, device and size of the memory, for the report."""
        return super().description() | {
            "weights": self._weights,
            "device": str(self.device),
            "remembered_patches": None if self._memory is None else len(self._memory[BANK]),
        }

    @property
    def _side(self) -> int:
        return self.settings.input_size

    @property
    def _weights(self) -> str:
        return self._features.backbone.weights

    def _score_and_map(self, image: Image) -> tuple[float, Floats]:
        anomalies = self._anomalies(self._features.patches(image))
        plane = _anomaly_map(anomalies, self._side, self.settings.smoothing)
        return self._score(anomalies, plane), plane

    def _remember(self, arrays: Mapping[str, Any]) -> None:
        tensors = {name: torch.as_tensor(array).to(self.device) for name, array in arrays.items()}
        self._neighbours = NearestNeighbours(tensors[BANK])
        super()._remember(tensors)

    def _to_numpy(self, array: Tensor) -> Floats:
        found: Floats = array.cpu().numpy()
        return found


def _anomaly_map(anomalies: Tensor, size: int, smoothing: float) -> Floats:
    """Enlarge a square grid of anomalies, given row by row, bilinearly and smooth it."""
    cv2 = opencv.load()
    side = round(len(anomalies) ** 0.5)
    grid = anomalies.reshape(side, side).cpu().numpy()
    enlarged: Floats = cv2.resize(grid, (size, size), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(enlarged, (0, 0), smoothing) if smoothing else enlarged
