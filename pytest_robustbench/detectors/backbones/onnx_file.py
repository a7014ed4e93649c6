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
    from collections.abc import Sequence

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

    def wanted(names: Sequence[str]) -> list[str]:
        return [names[i] for i in layer_indices(names, settings.layers, range(len(names)))]

    engine = onnx_engine(Path(path), str(device), torch.get_num_threads(), wanted)
    found = engine.declared.dtype
    if found != FLOAT:
        raise DetectorError(f"it must take one input of type {FLOAT}, and takes {found}")

    def network(images: Tensor) -> list[Tensor]:
        outputs = engine.run(np.ascontiguousarray(images.cpu().numpy()))
        return [torch.from_numpy(each).to(device) for each in outputs.values()]

    return Backbone(network, weights, Normalisation(settings, device))
