"""What may be chosen about PatchCore."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_robustbench.errors import DetectorError

BACKBONES = ("efficientnet_lite0",)
STRIDE = 16  # of the deepest features: the input must divide into whole patches
LEAST = {"input_size": 32, "coreset_size": 1, "candidates": 1, "projection": 0, "seed": 0}


@dataclass(frozen=True)
class PatchCoreSettings:
    """Settings of `PatchCore`.

    Parameters
    ----------
    input_size : int
        Side of the square image the network sees, in pixels; a multiple of 16.
    coreset_size : int
        Patches remembered; memory and time of a prediction grow with it, not with the train set.
    candidates : int
        Patches drawn at random, evenly over the train images, of which the coreset is chosen.
    projection : int
        Dimensions in which the coreset is chosen; 0 for the features' own.
    smoothing : float
        Standard deviation of the Gaussian that smooths the map, in pixels of the input; 0 for none.
    backbone : str
        Feature network.
    pretrained : bool
        ImageNet weights, or random ones of fixed `seed`.
    seed : int
        Seed of candidates, projection and random weights.

    Raises
    ------
    DetectorError
        If a value cannot be used.
    """

    input_size: int = 256
    coreset_size: int = 2000
    candidates: int = 50_000
    projection: int = 0
    smoothing: float = 4.0
    backbone: str = "efficientnet_lite0"
    pretrained: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for key, least in LEAST.items():
            valid = _is_whole(getattr(self, key)) and getattr(self, key) >= least
            _require(valid, self, key, f"a whole number, {least} or more")
        _require(self.input_size % STRIDE == 0, self, "input_size", f"a multiple of {STRIDE}")
        smooth = _is_number(self.smoothing) and 0 <= self.smoothing < self.input_size
        _require(smooth, self, "smoothing", "a number of pixels, 0 or more")
        _require(self.backbone in BACKBONES, self, "backbone", f"one of: {', '.join(BACKBONES)}")
        _require(_is_truth(self.pretrained), self, "pretrained", "true or false")


def _require(valid: bool, settings: PatchCoreSettings, key: str, expected: str) -> None:
    if not valid:
        message = f"patchcore: {key} must be {expected}, not {getattr(settings, key)!r}"
        raise DetectorError(message)


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, float) or _is_whole(value)


PRESET_SETTINGS = {
    "industrial-fast": PatchCoreSettings(input_size=192, coreset_size=1000, smoothing=3.0),
    "industrial-balanced": PatchCoreSettings(),
    "industrial-accurate": PatchCoreSettings(
        input_size=320, coreset_size=4000, projection=64, smoothing=5.0
    ),
}
