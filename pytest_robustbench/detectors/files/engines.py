"""What runs model files: onnxruntime, OpenCV, OpenVINO and torch."""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.files.inputs import DeclaredInput
from pytest_robustbench.detectors.introspection import one_line
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
}
OPENVINO_TYPES = {"f32": "float32", "f16": "float16", "f64": "float64", "u8": "uint8"}


class Engine(Protocol):
    """A loaded model file."""

    @property
    def declared(self) -> DeclaredInput:
        """What the file says about its input."""
        ...

    @property
    def outputs(self) -> tuple[str, ...] | None:
        """Names of its outputs; ``None`` where the file does not tell before it runs."""
        ...

    def run(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return all outputs for a batch, by name; done when it returns."""
        ...

    def description(self) -> dict[str, Any]:
        """Return package, version, device, inputs and outputs, for the report."""
        ...


def onnx_engine(
    path: Path, device: str, threads: int | None = None
) -> OnnxRuntimeEngine | OpenCvEngine:
    """Return what runs an ONNX file: onnxruntime, or OpenCV where that is missing.

    Parameters
    ----------
    path : Path
        The file.
    device : str
        ``"auto"`` (CUDA where onnxruntime has it), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    threads : int, optional
        How many onnxruntime uses, by default as many as it chooses. These wait passively: actively
        they would take the time of whatever runs next.

    Raises
    ------
    DetectorError
        If the file cannot be read, or the device cannot be used.
    """
    if find_spec("onnxruntime") is None:
        return OpenCvEngine(path, device)
    return OnnxRuntimeEngine(path, device, threads)


class OnnxRuntimeEngine:
    """An ONNX file in onnxruntime."""

    def __init__(self, path: Path, device: str, threads: int | None = None) -> None:
        self._runtime = import_module("onnxruntime")
        providers = _providers(self._runtime.get_available_providers(), device)
        options = self._runtime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.log_severity_level = 3
        try:
            self._session = self._runtime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # it has a dozen classes of its own
            raise _unreadable(path, "onnxruntime", error) from error
        arguments = self._session.get_inputs()
        self._input = _only([argument.name for argument in arguments])
        (argument,) = arguments
        self.declared = DeclaredInput(_shape(argument.shape), _known(ONNX_TYPES, argument.type))
        self.outputs = self.wanted = tuple(o.name for o in self._session.get_outputs())

    def run(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the wanted outputs; what only others need is not computed."""
        values = self._session.run(self.wanted, {self._input: tensor})
        return {n: np.asarray(v) for n, v in zip(self.wanted, values, strict=True)}

    def description(self) -> dict[str, Any]:
        """Return version, providers, inputs and outputs."""
        session = self._session
        return {
            "engine": f"onnxruntime {self._runtime.__version__}",
            "device": session.get_providers()[0],
            "inputs": [_told(i.name, _shape(i.shape), i.type) for i in session.get_inputs()],
            "outputs": [_told(o.name, _shape(o.shape), o.type) for o in session.get_outputs()],
        }


class OpenCvEngine:
    """An ONNX file in OpenCV's dnn module, for machines without onnxruntime.

    It does not tell the shape of the input.
    """

    def __init__(self, path: Path, device: str) -> None:
        if device not in ("auto", "cpu"):
            raise DetectorError(
                f"onnxruntime is not installed and OpenCV runs on the CPU, not on {device!r}: "
                "pip install onnxruntime-gpu"
            )
        self._cv2 = opencv.load()
        try:
            self._net = self._cv2.dnn.readNetFromONNX(str(path))
        except self._cv2.error as error:
            raise _unreadable(path, "OpenCV (onnxruntime is not installed)", error) from error
        self.declared = DeclaredInput()
        names = tuple(str(name) for name in self._net.getUnconnectedOutLayersNames())
        self.outputs = self.wanted = names  # it computes all of them or none

    def run(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return all outputs."""
        self._net.setInput(tensor)
        values = self._net.forward(self.outputs)
        return {n: np.array(v) for n, v in zip(self.outputs, values, strict=True)}

    def description(self) -> dict[str, Any]:
        """Return version and outputs."""
        return {
            "engine": f"OpenCV {self._cv2.__version__}",
            "device": "cpu",
            "outputs": list(self.outputs),
        }


class OpenVinoEngine:
    """A file that OpenVINO reads."""

    def __init__(self, path: Path, device: str) -> None:
        self._package = import_module("openvino")
        core = self._package.Core()
        try:
            model = core.read_model(str(path))
            # Else some processors compute in bfloat16, and a score depends on where it is computed.
            accurate = {"EXECUTION_MODE_HINT": "ACCURACY"}
            self._compiled = core.compile_model(model, _openvino_device(core, device), accurate)
        except DetectorError:
            raise
        except Exception as error:
            raise _unreadable(path, "OpenVINO", error) from error
        _only([_openvino_name(each) for each in self._compiled.inputs])
        (argument,) = self._compiled.inputs
        kind = _known(OPENVINO_TYPES, argument.get_element_type().get_type_name())
        self.declared = DeclaredInput(_openvino_shape(argument), kind)
        self.outputs = tuple(_openvino_name(each) for each in self._compiled.outputs)

    def run(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return all outputs."""
        values = self._compiled({0: tensor})
        return {n: np.array(values[i]) for i, n in enumerate(self.outputs)}

    def description(self) -> dict[str, Any]:
        """Return version, device, inputs and outputs."""
        compiled = self._compiled
        return {
            "engine": f"openvino {self._package.__version__}",
            "device": ", ".join(compiled.get_property("EXECUTION_DEVICES")),
            "inputs": [_openvino_told(each) for each in compiled.inputs],
            "outputs": [_openvino_told(each) for each in compiled.outputs],
        }


class TorchEngine:
    """A TorchScript file (``torch.jit``), or an exported program (``.pt2``, ``torch.export``).

    Neither tells the shape of its input.
    """

    def __init__(self, path: Path, device: str) -> None:
        self._torch = import_module("torch")
        self._exported = path.suffix == ".pt2"
        try:
            self._module, self._device = self._loaded(path, device)
        except DetectorError:
            raise
        except Exception as error:
            raise _unreadable(path, "torch", error) from error
        self.declared = DeclaredInput()
        self.outputs = None

    def run(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return all outputs; those without names are called by their place, from 0."""
        with self._torch.inference_mode():
            values = self._module(self._torch.from_numpy(tensor).to(self._device))
            return {name: _array(each) for name, each in _named(values).items()}

    def description(self) -> dict[str, Any]:
        """Return version and device."""
        kind = "torch.export" if self._exported else "TorchScript"
        return {"engine": f"{kind}, torch {self._torch.__version__}", "device": str(self._device)}

    def _loaded(self, path: Path, device: str) -> tuple[Any, Any]:
        if not self._exported:
            from pytest_robustbench.detectors.devices import choose_device

            chosen = choose_device(device)
            return scripted_module(path, chosen), chosen
        module = self._torch.export.load(str(path)).module()
        tensors = [*module.parameters(), *module.buffers()]
        own = tensors[0].device if tensors else self._torch.device("cpu")
        if device not in ("auto", str(own), own.type):
            raise DetectorError(
                f"{path.name} was exported for {own}: say device: auto, or export it again"
            )
        return module, own


def scripted_module(path: Path, device: Any) -> Any:
    """Return the module in a TorchScript file, on a torch device.

    Raises
    ------
    DetectorError
        If the file cannot be read.
    """
    try:
        with warnings.catch_warnings():
            # Deprecated for exporting; files that were exported are still to be read.
            warnings.simplefilter("ignore")
            return import_module("torch").jit.load(str(path), map_location=device).eval()
    except Exception as error:
        raise _unreadable(path, "torch", error) from error


def _named(values: Any) -> dict[str, Any]:
    if isinstance(values, dict):
        return {str(name): value for name, value in values.items()}
    if hasattr(values, "_asdict"):
        return {k: v for k, v in values._asdict().items() if v is not None}
    several = list(values) if isinstance(values, (list, tuple)) else [values]
    return {str(place): value for place, value in enumerate(several)}


def _array(value: Any) -> NDArray[Any]:
    if not hasattr(value, "detach"):
        raise DetectorError(
            f"it returns a {type(value).__name__}; only tensors can be scores and maps"
        )
    tensor = value.detach().cpu()
    narrow = tensor.dtype.is_floating_point  # bfloat16 has no NumPy counterpart
    array: NDArray[Any] = (tensor.float() if narrow else tensor).numpy()
    return array


def _providers(available: Sequence[str], device: str) -> list[Any]:
    cuda, cpu = "CUDAExecutionProvider", "CPUExecutionProvider"
    kind, _, index = device.partition(":")
    if device == "cpu" or (device == "auto" and cuda not in available):
        return [cpu]
    if kind in ("auto", "cuda") and cuda in available:
        return [(cuda, {"device_id": int(index)}) if index.isdecimal() else cuda, cpu]
    raise DetectorError(
        f"device {device!r} is not available to onnxruntime, which has {', '.join(available)}; "
        "say device: auto or cpu, or for CUDA: pip install onnxruntime-gpu"
    )


def _openvino_device(core: Any, device: str) -> str:
    wanted = "CPU" if device in ("auto", "cpu") else device.upper()
    if wanted.partition(".")[0] not in {name.partition(".")[0] for name in core.available_devices}:
        raise DetectorError(
            f"device {device!r} is not available to OpenVINO, which has "
            f"{', '.join(core.available_devices)}; say device: auto or cpu"
        )
    return wanted


def _openvino_shape(port: Any) -> list[int | None]:
    return [None if axis.is_dynamic else axis.get_length() for axis in port.partial_shape]


def _openvino_name(port: Any) -> str:
    return str(port.any_name) if port.names else str(port.index)


def _openvino_told(port: Any) -> str:
    kind = port.get_element_type().get_type_name()
    return _told(_openvino_name(port), _openvino_shape(port), kind)


def _shape(axes: Sequence[object]) -> list[int | None]:
    return [axis if isinstance(axis, int) and axis > 0 else None for axis in axes]


def _told(name: str, shape: Sequence[int | None], kind: str) -> str:
    return f"{name} [{', '.join('any' if axis is None else str(axis) for axis in shape)}] {kind}"


def _known(types: dict[str, str], found: str) -> str:
    if found not in types:
        raise DetectorError(f"its input is of type {found}; known: {', '.join(types)}")
    return types[found]


def _only(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise DetectorError(
            f"it has {len(names)} inputs ({', '.join(names)}); an image is one input"
        )
    return names[0]


def _unreadable(path: Path, engine: str, error: BaseException) -> DetectorError:
    return DetectorError(f"{path} cannot be read by {engine}: {one_line(error):.300}")
