"""PatchCore: the distance of each patch to the nearest one seen on normal images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.detector import BANK, PatchDetector
from pytest_robustbench.detectors.patches.settings import PatchSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Image


@dataclass(frozen=True)
class PatchCoreSettings(PatchSettings):
    """Settings of `PatchCore`: those of `PatchSettings`."""

    detector = "patchcore"


class PatchCore(PatchDetector[PatchCoreSettings]):
    """Nearest-neighbour distances of patch features to a coreset of normal ones [1]_.

    A patch is described by layers of a frozen network, averaged over 3 x 3 positions. Its anomaly
    is the distance to the nearest patch of the coreset; the map is that grid of distances, enlarged
    bilinearly to the network's input and smoothed; the score is the map's maximum. (The paper's
    re-weighted score ranked no real test set better.)

    Parameters and errors are those of `PatchDetector`.

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

    def _anomalies(self, patches: Tensor) -> Tensor:
        return self._neighbours.distances(patches)
