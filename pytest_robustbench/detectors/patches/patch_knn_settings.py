"""What may be chosen about the plain patch-kNN, and what its published recipes choose."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_robustbench.detectors.patches.settings import PatchSettings, is_number

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


PRESET_SETTINGS = {
    "industrial-fast": PatchKNNSettings(input_size=192, coreset_size=1000, smoothing=3.0),
    "industrial-balanced": PatchKNNSettings(),
    "industrial-accurate": PatchKNNSettings(
        input_size=320, coreset_size=4000, projection=64, smoothing=5.0
    ),
}


def anomalydino(settings: PatchKNNSettings) -> PatchKNNSettings:
    """Return settings as AnomalyDINO's recipe changes them."""
    return replace(settings, k=1, layers="auto")


def superad(settings: PatchKNNSettings) -> PatchKNNSettings:
    """Return settings as SuperAD's recipe changes them."""
    return replace(settings, k=3, distance="kth", layers="spread")
