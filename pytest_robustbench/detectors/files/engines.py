"""What runs model files: onnxruntime, OpenCV, OpenVINO and torch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.files.inputs import DeclaredInput
from pytest_robustbench.detectors.introspection import one_line
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
}
OPENVINO_TYPES = {"f32": "float32", "f16": "float16", "f64": "float64", "u8": "uint8"}


@dataclass(frozen=True, eq=False)
class Engine:
    """A loaded model file.

    Parameters
    ----------
    run : callable
        A batch -> its outputs by name; done when it returns.
    declared : DeclaredInput
        What the file says about its input.
    outputs : tuple of str or None
        Names of its outputs; ``None`` where the file does not tell before it runs.
    description : dict
        Package, version, device, inputs and outputs, for the report.
    """

    run: Callable[[NDArray[Any]], dict[str, NDArray[Any]]]
    declared: DeclaredInput
    outputs: tuple[str, ...] | None
    description: dict[str, Any]


def onnx_engine(
    path: Path,
    device: str,
    threads: int | None = None,
    wanted: Callable[[Sequence[str]], Sequence[str]] = tuple,
) -> Engine:
    """Return what runs an ONNX file: onnxruntime, or OpenCV where that is missing.

    OpenCV does not tell the shape of the input.

    Parameters
    ----------
    path : Path
        The file.
    device : str
        ``"auto"`` (CUDA where onnxruntime has it), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    threads : int, optional
        How many onnxruntime uses, by default as many as it chooses. These wait passively: actively
        they would take the time of whatever runs next.
    wanted : callable
        Names of all outputs -> those that are needed; what only others need is not computed.

    Raises
    ------
    DetectorError
        If the file cannot be read, or the device cannot be used.
    """
    if find_spec("onnxruntime") is None:
        return _opencv_engine(path, device, wanted)
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
    providers = _providers(runtime.get_available_providers(), device)
    try:
        session = runtime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # it has a dozen classes of its own
        raise _unreadable(path, "onnxruntime", error) from error
    argument = _only(session.get_inputs(), lambda each: each.name)
    names = tuple(wanted([output.name for output in session.get_outputs()]))

    def run(tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        values = session.run(names, {argument.name: tensor})
        return {n: np.asarray(v) for n, v in zip(names, values, strict=True)}

    declared = DeclaredInput(_shape(argument.shape), _known(ONNX_TYPES, argument.type))
    description = {
        "engine": f"onnxruntime {runtime.__version__}",
        "device": session.get_providers()[0],
        "inputs": [_told(i.name, _shape(i.shape), i.type) for i in session.get_inputs()],
        "outputs": [_told(o.name, _shape(o.shape), o.type) for o in session.get_outputs()],
    }
    return Engine(run, declared, names, description)


def _opencv_engine(
    path: Path, device: str, wanted: Callable[[Sequence[str]], Sequence[str]]
) -> Engine:
    if device not in ("auto", "cpu"):
        raise DetectorError(
            f"onnxruntime is not installed and OpenCV runs on the CPU, not on {device!r}: "
            "pip install onnxruntime-gpu"
        )
    cv2 = opencv.load()
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise _unreadable(path, "OpenCV (onnxruntime is not installed)", error) from error
    names = tuple(str(name) for name in net.getUnconnectedOutLayersNames())
    chosen = tuple(wanted(names))

    def run(tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        net.setInput(tensor)
        values = dict(zip(names, net.forward(names), strict=True))  # OpenCV 5: all or none
        return {name: np.array(values[name]) for name in chosen}

    description = {"engine": f"OpenCV {cv2.__version__}", "device": "cpu", "outputs": list(names)}
    return Engine(run, DeclaredInput(), chosen, description)


def openvino_engine(path: Path, device: str) -> Engine:
    """Return what runs a file that OpenVINO reads.

    Raises
    ------
    DetectorError
        If the file cannot be read, or the device cannot be used.
    """
    package = import_module("openvino")
    core = package.Core()
    try:
        model = core.read_model(str(path))
        # Else some processors compute in bfloat16, and a score depends on where it is computed.
        accurate = {"EXECUTION_MODE_HINT": "ACCURACY"}
        compiled = core.compile_model(model, _openvino_device(core, device), accurate)
    except DetectorError:
        raise
    except Exception as error:
        raise _unreadable(path, "OpenVINO", error) from error
    argument = _only(compiled.inputs, _openvino_name)
    kind = _known(OPENVINO_TYPES, argument.get_element_type().get_type_name())
    names = tuple(_openvino_name(each) for each in compiled.outputs)

    def run(tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        values = compiled({0: tensor})
        return {n: np.array(values[i]) for i, n in enumerate(names)}

    description = {
        "engine": f"openvino {package.__version__}",
        "device": ", ".join(compiled.get_property("EXECUTION_DEVICES")),
        "inputs": [_openvino_told(each) for each in compiled.inputs],
        "outputs": [_openvino_told(each) for each in compiled.outputs],
    }
    return Engine(run, DeclaredInput(_openvino_shape(argument), kind), names, description)


def torch_engine(path: Path, device: str) -> Engine:
    """Return what runs a TorchScript file (``torch.jit``) or an exported program (``.pt2``).

    Neither tells the shape of its input. Outputs without names are called by their place, from 0.

    Raises
    ------
    DetectorError
        If the file cannot be read, or the device cannot be used.
    """
    torch = import_module("torch")
    exported = path.suffix == ".pt2"
    module, own = _exported(path, device) if exported else _scripted(path, device)

    def run(tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        with torch.inference_mode():
            values = module(torch.from_numpy(tensor).to(own))
            return {name: _array(each) for name, each in _named(values).items()}

    kind = "torch.export" if exported else "TorchScript"
    description = {"engine": f"{kind}, torch {torch.__version__}", "device": str(own)}
    return Engine(run, DeclaredInput(), None, description)


def _scripted(path: Path, device: str) -> tuple[Any, Any]:
    from pytest_robustbench.detectors.devices import choose_device

    chosen = choose_device(device)
    return scripted_module(path, chosen), chosen


def _exported(path: Path, device: str) -> tuple[Any, Any]:
    torch = import_module("torch")
    try:
        module = torch.export.load(str(path)).module()
    except Exception as error:
        raise _unreadable(path, "torch", error) from error
    tensors = [*module.parameters(), *module.buffers()]
    own = tensors[0].device if tensors else torch.device("cpu")
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


def _only(inputs: Sequence[Any], name: Callable[[Any], str]) -> Any:
    if len(inputs) != 1:
        names = ", ".join(name(each) for each in inputs)
        raise DetectorError(f"it has {len(inputs)} inputs ({names}); an image is one input")
    return inputs[0]


def _unreadable(path: Path, engine: str, error: BaseException) -> DetectorError:
    return DetectorError(f"{path} cannot be read by {engine}: {one_line(error):.300}")
