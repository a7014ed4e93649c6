"""An ONNX file as a backbone, run by onnxruntime or, without it, by OpenCV."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pytest_robustbench import opencv
from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.normalisation import Normalisation
from pytest_robustbench.detectors.backbones.outputs import layer_indices
from pytest_robustbench.detectors.backbones.weights import file_weights
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.detectors.patches.settings import PatchSettings

FLOAT = "tensor(float)"


def load(path: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the network in a file; its layers are its outputs.

    Raises
    ------
    DetectorError
        If the file cannot be read or has no such output, or the device cannot be used.
    """
    weights = file_weights(path)
    runtime = _onnxruntime()
    try:
        if runtime is None:
            run = _opened_by_opencv(path, settings, device)
        else:
            run = _opened_by_onnxruntime(runtime, path, settings, device)
    except DetectorError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise DetectorError(
            f"{path}: no ONNX file that can be run ({type(error).__name__}: {reason:.200})"
        ) from error
    return Backbone(OnnxFeatures(run, settings, device), weights)


class OnnxFeatures:
    """Outputs of an ONNX network.

    Parameters
    ----------
    run : callable
        Takes normalised images ``(1, 3, H, W)``, float32, and returns the wanted outputs.
    settings : PatchSettings
        Normalisation.
    device : torch.device
        Where images come from and features go.
    """

    def __init__(
        self,
        run: Callable[[Floats], Sequence[Floats]],
        settings: PatchSettings,
        device: torch.device,
    ) -> None:
        self._run = run
        self._device = device
        self._normalised = Normalisation(settings, device)

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Return the outputs for images in 0..255, on their device."""
        batch = np.ascontiguousarray(self._normalised(images).cpu().numpy())
        return [torch.from_numpy(np.array(o)).to(self._device) for o in self._run(batch)]


def _onnxruntime() -> Any | None:
    try:
        return import_module("onnxruntime")
    except ImportError:
        return None


def _opened_by_onnxruntime(
    runtime: Any, path: str, settings: PatchSettings, device: torch.device
) -> Callable[[Floats], Sequence[Floats]]:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that wait actively would take the time of whatever runs next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=_providers(runtime, device))
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != FLOAT:
        found = ", ".join(f"{each.name}: {each.type}" for each in inputs)
        raise DetectorError(f"it must take one input of type {FLOAT}, and takes {found}")
    names = [output.name for output in session.get_outputs()]
    wanted = [names[i] for i in layer_indices(names, settings.layers, range(len(names)))]

    def run(batch: Floats) -> Sequence[Floats]:
        outputs: Sequence[Floats] = session.run(wanted, {inputs[0].name: batch})
        return outputs

    return run


def _providers(runtime: Any, device: torch.device) -> list[Any]:
    if device.type == "cpu":
        return ["CPUExecutionProvider"]
    if device.type == "cuda" and "CUDAExecutionProvider" in runtime.get_available_providers():
        return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]
    raise DetectorError(
        f"the onnxruntime installed cannot use device {str(device)!r}; say device: cpu, or for "
        "CUDA: pip install onnxruntime-gpu"
    )


def _opened_by_opencv(
    path: str, settings: PatchSettings, device: torch.device
) -> Callable[[Floats], Sequence[Floats]]:
    if device.type != "cpu":
        raise DetectorError(
            f"device {str(device)!r} needs onnxruntime: pip install onnxruntime-gpu"
        )
    network = opencv.load().dnn.readNetFromONNX(path)
    names = list(network.getUnconnectedOutLayersNames())
    wanted = layer_indices(names, settings.layers, range(len(names)))

    def run(batch: Floats) -> Sequence[Floats]:
        network.setInput(batch)
        outputs = network.forward(names)  # OpenCV 5 gives all of them or none
        return [outputs[i] for i in wanted]

    return run
