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

    That is a tensor, a sequence or a dictionary of tensors.

    Raises
    ------
    DetectorError
        If the file cannot be read.
    """
    weights = file_weights(path)
    module = scripted_module(Path(path), device)

    def network(images: Tensor) -> list[Tensor]:
        return chosen_outputs(module(images), settings.layers)

    return Backbone(network, weights, Normalisation(settings, device))
