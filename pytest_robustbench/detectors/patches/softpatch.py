"""SoftPatch: a patch memory for training images of which some are not normal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pytest_robustbench.detectors.names import DEFAULT_PRESET
from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.detector import PatchDetector
from pytest_robustbench.detectors.patches.memory import BANK
from pytest_robustbench.detectors.patches.outlier_factors import local_outlier_factors
from pytest_robustbench.detectors.patches.softpatch_settings import (
    PRESET_SETTINGS,
    SoftPatchSettings,
)
from pytest_robustbench.detectors.settings import chosen_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.patches.memory import PatchMemory

WEIGHTS = "weights"


class SoftPatch(PatchDetector[SoftPatchSettings]):
    """Patch distances to a coreset from which outlying training patches are kept away [1]_.

    Each training patch is compared with those of the other images at the same position, by its
    local outlier factor. The most outlying share is discarded; of the rest a coreset is remembered,
    with its factors. The anomaly of a patch is its distance to the nearest remembered patch times
    that one's factor: a memory that is itself in doubt explains less. Map and score are as in
    `PatchCore`, whose features these are.

    Unlike the paper's implementation, the factors are of the features themselves, not of a random
    projection, and where there are more training patches than `examined`, each position looks at
    randomly drawn images.

    Parameters
    ----------
    settings : SoftPatchSettings, optional
        By default those of the preset ``industrial-balanced``.
    device : str
        ``"auto"`` (CUDA if there is one, else the CPU), ``"cpu"``, ``"cuda"``, ``"mps"``.

    Raises
    ------
    DetectorError
        If there is no such device, or the backbone cannot be loaded.

    References
    ----------
    .. [1] X. Jiang et al., SoftPatch: unsupervised anomaly detection with noisy data, NeurIPS 2022.
    """

    name = SoftPatchSettings.detector
    settings_type = SoftPatchSettings
    arrays = (BANK, WEIGHTS)

    def _learned(self, images: Sequence[Image]) -> dict[str, Tensor]:
        wanted = self.settings
        clouds = self._features.by_position(images, wanted.examined, wanted.seed)
        factors = local_outlier_factors(clouds, wanted.neighbours).flatten()
        patches = clouds.flatten(0, 1)
        kept = self._drawn(_least(factors, 1 - wanted.discard))
        chosen = kept[
            greedy_coreset(patches[kept], wanted.coreset_size, wanted.projection, wanted.seed)
        ]
        return {BANK: patches[chosen], WEIGHTS: factors[chosen]}

    def _anomalies(self, memory: PatchMemory, patches: Tensor) -> Tensor:
        distances, nearest = memory.neighbours.nearest(patches)
        return (distances * memory.arrays[WEIGHTS][nearest])[:, 0]

    def _drawn(self, indices: Tensor) -> Tensor:
        """Return at most as many of the indices as there may be candidates."""
        limit = self.settings.candidates
        if len(indices) <= limit:
            return indices
        generator = np.random.default_rng(self.settings.seed)
        drawn = generator.choice(len(indices), limit, replace=False)
        return indices[torch.from_numpy(drawn).to(indices.device)]


def _least(values: Tensor, share: float) -> Tensor:
    """Return the indices of the share of smallest values, at least one."""
    return values.argsort(stable=True)[: max(1, round(share * len(values)))]


def build(preset: str | None, device: str, settings: Mapping[str, Any]) -> SoftPatch:
    """Return an unfitted SoftPatch: a preset, with single settings changed.

    Raises
    ------
    DetectorError
        If there is no such preset, setting, backbone or device.
    """
    base = PRESET_SETTINGS[preset or DEFAULT_PRESET]
    return SoftPatch(chosen_settings(base, settings, SoftPatch.name), device)
