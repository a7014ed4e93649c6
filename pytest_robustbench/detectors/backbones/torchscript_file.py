"""A TorchScript file as a backbone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.normalisation import Normalisation
from pytest_robustbench.detectors.backbones.outputs import chosen_outputs
from pytest_robustbench.detectors.backbones.weights import file_weights
from pytest_robustbench.detectors.files.engines import scripted_module

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from pytest_robustbench.detectors.patches.settings import PatchSettings


def load(path: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the module in a file; its layers are what it returns.

    Raises
    ------
    DetectorError
        If the file cannot be read.
    """
    weights = file_weights(path)
    module = scripted_module(Path(path), device)
    return Backbone(TorchScriptFeatures(module, settings, device), weights)


class TorchScriptFeatures:
    """What a scripted or traced module returns.

    Parameters
    ----------
    module : Module
        Takes normalised images ``(1, 3, H, W)`` and returns a tensor, a sequence or a dictionary of
        tensors: ``(1, C, h, w)`` or tokens ``(1, T, C)``.
    settings : PatchSettings
        Layers and normalisation.
    device : torch.device
        Where the module is.
    """

    def __init__(
        self, module: torch.nn.Module, settings: PatchSettings, device: torch.device
    ) -> None:
        self.module = module
        self.layers = settings.layers
        self._normalised = Normalisation(settings, device)

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Return the outputs that `layers` names."""
        return chosen_outputs(self.module(self._normalised(images)), self.layers)
