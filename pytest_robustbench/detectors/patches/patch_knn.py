"""The plain patch-kNN: cosine distances of patch features to remembered normal ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.detector import BANK, PatchDetector
from pytest_robustbench.detectors.patches.settings import PatchSettings, is_number
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Floats, Image

DISTANCES = ("mean", "kth")


@dataclass(frozen=True)
class PatchKNNSettings(PatchSettings):
    """Settings of `PatchKNN`: those of `PatchSettings`, and how neighbours and patches count.

    `coreset_size` may be 0: all candidates are remembered.

    Parameters
    ----------
    k : int
        Nearest remembered patches a patch is compared with.
    distance : str
        Of the distances to these: ``"mean"``, or ``"kth"``, the largest.
    top_share : float
        Share of an image's patches, the most anomalous ones, whose mean is its score; above 0, at
        most 1. At least one patch counts.

    Raises
    ------
    DetectorError
        If a value cannot be used.
    """

    detector = "patch_knn"
    least = {**PatchSettings.least, "coreset_size": 0, "k": 1}  # noqa: RUF012

    k: int = 1
    neighbourhood: int = 1
    distance: str = "mean"
    top_share: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.distance in DISTANCES, "distance", f"one of: {', '.join(DISTANCES)}")
        valid = is_number(self.top_share) and 0 < self.top_share <= 1
        self._require(valid, "top_share", "a share above 0, at most 1")


class PatchKNN(PatchDetector[PatchKNNSettings]):
    """Cosine distances of patches to their nearest remembered ones, after [1]_ and [2]_.

    Each layer's features are scaled to length 1, so that layers count alike, and joined. The
    anomaly of a patch is the mean of, or the largest among, the cosine distances to its `k` nearest
    remembered patches; an image's score is the mean of its most anomalous patches (`top_share`);
    the map is the grid of anomalies, enlarged bilinearly and smoothed.

    Unlike the papers, the network is the offline ``efficientnet_lite0`` unless another is named
    (theirs: DINOv2, ``backbone: timm:vit_small_patch14_dinov2.lvd142m``, ``input_size: 448``), no
    object is cut out of its background, train images are not rotated, and the memory is bounded:
    a coreset of `coreset_size` patches, or with 0 all `candidates`. With several layers, as in
    [2]_, a neighbour is the nearest in all of them together.

    Parameters and errors are those of `PatchDetector`.

    References
    ----------
    .. [1] S. Damm et al., AnomalyDINO: boosting patch-based few-shot anomaly detection with DINOv2,
       WACV 2025.
    .. [2] SuperAD: a training-free anomaly classification and segmentation method for CVPR 2025
       VAND 3.0 workshop challenge track 1, arXiv 2505.19750, 2025.
    """

    name = PatchKNNSettings.detector
    settings_type = PatchKNNSettings
    unit_features = True

    def _learned(self, images: Sequence[Image]) -> dict[str, Tensor]:
        wanted = self.settings
        candidates = self._features.drawn(images, wanted.candidates, wanted.seed)
        size = wanted.coreset_size or len(candidates)
        bank = candidates[greedy_coreset(candidates, size, wanted.projection, wanted.seed)]
        if len(bank) < wanted.k:
            raise DetectorError(
                f"{self.name}: k is {wanted.k}, and only {len(bank)} patches are remembered"
            )
        return {BANK: bank}

    def _anomalies(self, patches: Tensor) -> Tensor:
        distances, _ = self._neighbours.nearest(patches, self.settings.k)
        cosine = distances.square() / 2  # of vectors of length 1
        return cosine.mean(1) if self.settings.distance == "mean" else cosine[:, -1]

    def _score(self, anomalies: Tensor, anomaly_map: Floats) -> float:  # noqa: ARG002
        top = max(1, math.ceil(self.settings.top_share * len(anomalies)))
        return float(anomalies.topk(top).values.mean())
