"""The plain patch-kNN: cosine distances of patch features to remembered normal ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.names import DEFAULT_PRESET
from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.detector import PatchDetector
from pytest_robustbench.detectors.patches.memory import BANK
from pytest_robustbench.detectors.patches.patch_knn_settings import (
    PRESET_SETTINGS,
    PatchKNNSettings,
    anomalydino,
    superad,
)
from pytest_robustbench.detectors.settings import chosen_settings
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Floats, Image
    from pytest_robustbench.detectors.patches.memory import PatchMemory


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

    Parameters
    ----------
    settings : PatchKNNSettings, optional
        By default those of the preset ``industrial-balanced``.
    device : str
        ``"auto"`` (CUDA if there is one, else the CPU), ``"cpu"``, ``"cuda"``, ``"mps"``.

    Raises
    ------
    DetectorError
        If there is no such device, or the backbone cannot be loaded.

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

    def _anomalies(self, memory: PatchMemory, patches: Tensor) -> Tensor:
        distances, _ = memory.neighbours.nearest(patches, self.settings.k)
        cosine = distances.square() / 2  # of vectors of length 1
        return cosine.mean(1) if self.settings.distance == "mean" else cosine[:, -1]

    def _score(self, anomalies: Tensor, anomaly_map: Floats) -> float:  # noqa: ARG002
        top = max(1, math.ceil(self.settings.top_share * len(anomalies)))
        return float(anomalies.topk(top).values.mean())


def build(preset: str | None, device: str, settings: Mapping[str, Any]) -> PatchKNN:
    """Return an unfitted patch-kNN: a preset, with single settings changed.

    Raises
    ------
    DetectorError
        If there is no such preset, setting, backbone or device.
    """
    return _built(PRESET_SETTINGS[preset or DEFAULT_PRESET], device, settings)


def build_anomalydino(preset: str | None, device: str, settings: Mapping[str, Any]) -> PatchKNN:
    """Return a patch-kNN with AnomalyDINO's defaults: the nearest patch, one place in a network.

    Raises
    ------
    DetectorError
        If there is no such preset, setting, backbone or device.
    """
    return _built(anomalydino(PRESET_SETTINGS[preset or DEFAULT_PRESET]), device, settings)


def build_superad(preset: str | None, device: str, settings: Mapping[str, Any]) -> PatchKNN:
    """Return a patch-kNN with SuperAD's defaults: the third nearest patch, layers at all depths.

    Raises
    ------
    DetectorError
        If there is no such preset, setting, backbone or device.
    """
    return _built(superad(PRESET_SETTINGS[preset or DEFAULT_PRESET]), device, settings)


def _built(base: PatchKNNSettings, device: str, settings: Mapping[str, Any]) -> PatchKNN:
    return PatchKNN(chosen_settings(base, settings, PatchKNN.name), device)
