"""SoftPatch: a patch memory for training images of which some are not normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.detector import BANK, PatchDetector
from pytest_robustbench.detectors.patches.outlier_factors import local_outlier_factors
from pytest_robustbench.detectors.patches.settings import PatchSettings, is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Image

WEIGHTS = "weights"


@dataclass(frozen=True)
class SoftPatchSettings(PatchSettings):
    """Settings of `SoftPatch`: those of `PatchSettings`, and how to doubt training patches.

    Parameters
    ----------
    discard : float
        Share of the training patches, the most outlying ones, that is never remembered; 0 or more
        and below 1.
    neighbours : int
        Neighbours a patch's outlier factor looks at, among the patches at the same position.
    examined : int
        Patches examined, over all train images and positions: bounds the memory `fit` needs.

    Raises
    ------
    DetectorError
        If a value cannot be used.
    """

    detector = "softpatch"
    least = {**PatchSettings.least, "neighbours": 1, "examined": 2}  # noqa: RUF012

    discard: float = 0.15
    neighbours: int = 5
    examined: int = 300_000

    def __post_init__(self) -> None:
        super().__post_init__()
        valid = is_number(self.discard) and 0 <= self.discard < 1
        self._require(valid, "discard", "a share, 0 or more and below 1")


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

    Parameters and errors are those of `PatchDetector`.

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

    def _anomalies(self, patches: Tensor) -> Tensor:
        distances, nearest = self._neighbours.nearest(patches)
        anomalies: Tensor = (distances * self._require_fitted()[WEIGHTS][nearest])[:, 0]
        return anomalies

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
