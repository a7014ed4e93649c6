"""What may be chosen about every detector that compares patches with remembered ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_robustbench.detectors.backbones.kinds import DEFAULT, KINDS, kind_of
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from pytest_robustbench.detectors.families import Request

LAYER_CHOICES = ("auto", "spread")


@dataclass(frozen=True)
class PatchSettings:
    """Settings that the patch detectors share.

    Parameters
    ----------
    input_size : int
        Side of the square image the network sees, in pixels; a multiple of 16 with the backbone
        ``efficientnet_lite0``, and what the network takes with any other.
    backbone : str
        Feature network: ``efficientnet_lite0`` (weights ship in a package), ``torchvision:<name>``,
        ``timm:<name>``, ``onnx:<file>`` or ``torchscript:<file>``.
    layers : str or sequence of str and int
        Layers whose output describes a patch, by name or index (negative from the end), or
        ``"auto"``: the stages of a CNN at 1/8 and 1/16 of the input, the last block of a vision
        transformer, all outputs of a file; or ``"spread"``: the same for CNNs and files, four
        blocks evenly over a vision transformer's depth. For a file: names or indices of its
        outputs.
    checkpoint_path : str, optional
        Weights for a torchvision or timm network, a state dictionary (``torch.save`` or
        safetensors). With it, `pretrained` is not looked at and nothing is downloaded.
    pretrained : bool
        Trained weights (the package's own download for torchvision and timm), or random ones of
        fixed `seed`.
    mean, std : sequence of three float, optional
        Of the training images' RGB values in 0..1, by which the input is normalised; by default
        timm's own for timm, otherwise ImageNet's. ``efficientnet_lite0`` has its own.
    neighbourhood : int
        Side of the square of positions over which features are averaged; odd, 1 for none.
    candidates : int
        Patches drawn at random, evenly over the train images, of which the coreset is chosen.
    coreset_size : int
        Patches remembered; memory and time of a prediction grow with it, not with the train set.
    projection : int
        Dimensions in which the coreset is chosen; 0 for the features' own.
    smoothing : float
        Standard deviation of the Gaussian that smooths the map, in pixels of the input; 0 for none.
    seed : int
        Seed of candidates, projection and random weights.

    Raises
    ------
    DetectorError
        If a value cannot be used.
    """

    detector: ClassVar[str]
    least: ClassVar[Mapping[str, int]] = MappingProxyType(
        {
            "input_size": 32,
            "neighbourhood": 1,
            "candidates": 1,
            "coreset_size": 1,
            "projection": 0,
            "seed": 0,
        }
    )

    input_size: int = 256
    backbone: str = DEFAULT
    layers: str | Sequence[str | int] = "auto"
    checkpoint_path: str | None = None
    pretrained: bool = True
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    neighbourhood: int = 3
    candidates: int = 50_000
    coreset_size: int = 2000
    projection: int = 0
    smoothing: float = 4.0
    seed: int = 0

    def __post_init__(self) -> None:
        for key, least in self.least.items():
            self._require_whole(key, least)
        self._require(self.neighbourhood % 2 == 1, "neighbourhood", "an odd number")
        smooth = is_number(self.smoothing) and 0 <= self.smoothing < self.input_size
        self._require(smooth, "smoothing", "a number of pixels, 0 or more")
        self._require(isinstance(self.pretrained, bool), "pretrained", "true or false")
        self._check_backbone()

    def _check_backbone(self) -> None:
        kind = kind_of(self.backbone)
        forms = ", ".join(each.form for each in KINDS)
        self._require(kind is not None, "backbone", f"one of: {forms}")
        self._require(_are_layers(self.layers), "layers", _LAYERS)
        for key in ("mean", "std"):
            self._require(_is_rgb(getattr(self, key)), key, "three numbers: red, green, blue")
        self._require(min(self.std or [1]) > 0, "std", "three numbers above 0")
        valid = self.checkpoint_path is None or isinstance(self.checkpoint_path, (str, PathLike))
        self._require(valid, "checkpoint_path", "a path")
        self._make_plain()
        if kind is not None:
            whole = self.input_size % kind.stride == 0
            self._require(whole, "input_size", f"a multiple of {kind.stride}")
            for key in kind.own:
                self._require_default(key, kind.why)

    def _make_plain(self) -> None:
        """Turn what YAML and callers write into what compares equal and can be saved as JSON."""
        for key in ("layers", "mean", "std"):
            value = getattr(self, key)
            if value is not None and not isinstance(value, str):
                object.__setattr__(self, key, tuple(value))
        if self.checkpoint_path is not None:
            object.__setattr__(self, "checkpoint_path", fspath(self.checkpoint_path))

    def _require_default(self, key: str, why: str) -> None:
        value = getattr(self, key)
        if value != getattr(type(self), key):
            raise DetectorError(
                f"{self.detector}: backbone {self.backbone!r} {why}; leave {key} out, which is "
                f"{value!r}"
            )

    def _require_whole(self, key: str, least: int) -> None:
        value = getattr(self, key)
        self._require(is_whole(value) and value >= least, key, f"a whole number, {least} or more")

    def _require(self, valid: bool, key: str, expected: str) -> None:
        if not valid:
            raise DetectorError(
                f"{self.detector}: {key} must be {expected}, not {getattr(self, key)!r}"
            )


_LAYERS = f"{' or '.join(LAYER_CHOICES)}, or a list of the layers' names or indices"


def with_folder(request: Request) -> Mapping[str, Any]:
    """Return the settings asked for; a backbone's relative file starts at the request's folder."""
    backbone = request.settings.get("backbone")
    kind = kind_of(backbone)
    if request.folder is None or kind is None or kind.of != "file":
        return request.settings
    path = str(backbone).partition(":")[2]
    return {**request.settings, "backbone": f"{kind.name}:{request.folder / path}"}


def is_whole(value: object) -> bool:
    """Return whether `value` is an int that is no bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Return whether `value` is a finite int or float that is no bool."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _are_layers(value: object) -> bool:
    if isinstance(value, str):
        return value in LAYER_CHOICES
    if not isinstance(value, Sequence) or not value:
        return False
    return all(isinstance(layer, str) or is_whole(layer) for layer in value)


def _is_rgb(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return len(value) == 3 and all(map(is_number, value))
