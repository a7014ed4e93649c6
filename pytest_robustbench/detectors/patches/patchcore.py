"""PatchCore: the distance of each patch to the nearest one seen on normal images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.names import DEFAULT_PRESET
from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.detector import PatchDetector
from pytest_robustbench.detectors.patches.memory import BANK
from pytest_robustbench.detectors.patches.patchcore_settings import (
    PRESET_SETTINGS,
    PatchCoreSettings,
)
from pytest_robustbench.detectors.settings import chosen_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.patches.memory import PatchMemory


class PatchCore(PatchDetector[PatchCoreSettings]):
    """Nearest-neighbour distances of patch features to a coreset of normal ones [1]_.

    A patch is described by layers of a frozen network, averaged over 3 x 3 positions. Its anomaly
    is the distance to the nearest patch of the coreset; the map is that grid of distances, enlarged
    bilinearly to the network's input and smoothed; the score is the map's maximum. (The paper's
    re-weighted score ranked no real test set better.)

    Parameters
    ----------
    settings : PatchCoreSettings, optional
        By default those of the preset ``industrial-balanced``.
    device : str
        ``"auto"`` (CUDA if there is one, else the CPU), ``"cpu"``, ``"cuda"``, ``"mps"``.

    Raises
    ------
    DetectorError
        If there is no such device, or the backbone cannot be loaded.

    References
    ----------
    .. [1] K. Roth et al., Towards total recall in industrial anomaly detection, CVPR 2022.
    """

    name = PatchCoreSettings.detector
    settings_type = PatchCoreSettings

    def _learned(self, images: Sequence[Image]) -> dict[str, Tensor]:
        wanted = self.settings
        candidates = self._features.drawn(images, wanted.candidates, wanted.seed)
        chosen = greedy_coreset(candidates, wanted.coreset_size, wanted.projection, wanted.seed)
        return {BANK: candidates[chosen]}

    def _anomalies(self, memory: PatchMemory, patches: Tensor) -> Tensor:
        return memory.neighbours.distances(patches)


def build(preset: str | None, device: str, settings: Mapping[str, Any]) -> PatchCore:
    """Return an unfitted PatchCore: a preset, with single settings changed.

    Raises
    ------
    DetectorError
        If there is no such preset, setting, backbone or device.
    """
    base = PRESET_SETTINGS[preset or DEFAULT_PRESET]
    return PatchCore(chosen_settings(base, settings, PatchCore.name), device)
