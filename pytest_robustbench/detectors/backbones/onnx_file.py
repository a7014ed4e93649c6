"""An ONNX file as a backbone, run by onnxruntime or, without it, by OpenCV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.normalisation import Normalisation
from pytest_robustbench.detectors.backbones.outputs import layer_indices
from pytest_robustbench.detectors.backbones.weights import file_weights
from pytest_robustbench.detectors.files.engines import onnx_engine
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_robustbench.detectors.patches.settings import PatchSettings

FLOAT = "float32"


def load(path: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the network in a file; its layers are its outputs.

    Raises
    ------
    DetectorError
        If the file cannot be read or has no such output, or the device cannot be used.
    """
    weights = file_weights(path)
    return Backbone(OnnxFeatures(path, settings, device), weights)


class OnnxFeatures:
    """Outputs of an ONNX network.

    Parameters
    ----------
    path : str
        The file.
    settings : PatchSettings
        Layers and normalisation.
    device : torch.device
        Where images come from and features go.
    """

    def __init__(self, path: str, settings: PatchSettings, device: torch.device) -> None:
        self._engine = onnx_engine(Path(path), str(device), torch.get_num_threads())
        found = self._engine.declared.dtype
        if found != FLOAT:
            raise DetectorError(f"it must take one input of type {FLOAT}, and takes {found}")
        names = self._engine.outputs
        wanted = layer_indices(names, settings.layers, range(len(names)))
        self._engine.wanted = self._layers = tuple(names[i] for i in wanted)
        self._device = device
        self._normalised = Normalisation(settings, device)

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Return the outputs for images in 0..255, on their device."""
        batch = np.ascontiguousarray(self._normalised(images).cpu().numpy())
        outputs = self._engine.run(batch)
        return [torch.from_numpy(outputs[name]).to(self._device) for name in self._layers]
