"""What may be chosen about PatchCore."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_robustbench.detectors.patches.settings import PatchSettings


@dataclass(frozen=True)
class PatchCoreSettings(PatchSettings):
    """Settings of `PatchCore`: those of `PatchSettings`."""

    detector = "patchcore"


PRESET_SETTINGS = {
    "industrial-fast": PatchCoreSettings(input_size=192, coreset_size=1000, smoothing=3.0),
    "industrial-balanced": PatchCoreSettings(),
    "industrial-accurate": PatchCoreSettings(
        input_size=320, coreset_size=4000, projection=64, smoothing=5.0
    ),
}
