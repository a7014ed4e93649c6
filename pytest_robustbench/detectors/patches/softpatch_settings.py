"""What may be chosen about SoftPatch."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_robustbench.detectors.patches.settings import PatchSettings, is_number


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


PRESET_SETTINGS = {
    "industrial-fast": SoftPatchSettings(input_size=192, coreset_size=1000, smoothing=3.0),
    "industrial-balanced": SoftPatchSettings(),
    "industrial-accurate": SoftPatchSettings(
        input_size=320, coreset_size=4000, projection=64, smoothing=5.0
    ),
}
