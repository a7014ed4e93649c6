"""Whole models as files: ONNX, OpenVINO and TorchScript. They are fitted already."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.files.engines import (
    OnnxRuntimeEngine,
    OpenCvEngine,
    OpenVinoEngine,
    TorchEngine,
)
from pytest_robustbench.detectors.files.inputs import InputForm, input_form
from pytest_robustbench.detectors.files.outputs import OutputChoice, output_choice
from pytest_robustbench.detectors.introspection import one_line, unfittable
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.files.engines import Engine

SETTINGS = ("input_size", "layout", "scale", "color", "outputs")

# onnx.proto3: the location of external data is a StringStringEntryProto, that is, field 1 (0x0a)
# with the key and field 2 (0x12) with a file name, each preceded by its length.
EXTERNAL_DATA = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])", re.DOTALL)


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model file as a detector; what it returns is used as it is.

    Images go through it one by one: one inference each, for score and map.

    Parameters
    ----------
    name : str
        How messages call it.
    path : Path
        The file.
    engine : Engine
        What runs it.
    form : InputForm
        How an image becomes its input.
    choice : OutputChoice
        Which of its outputs are used.
    digests : mapping of str to str
        The sha256 of every file that it was loaded from, by name.
    """

    name: str
    path: Path
    engine: Engine
    form: InputForm
    choice: OutputChoice
    digests: Mapping[str, str]

    def fit(self, images: Sequence[Image]) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: a model file is fitted.

        Raises
        ------
        DetectorError
            Always.
        """
        raise unfittable(self.name)

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.

        Raises
        ------
        DetectorError
            If the model cannot run on an image, or its outputs are no score and map.
        """
        picked = [self._one(image) for image in images]
        scores = np.array([score for score, _ in picked], np.float32)
        maps = [each for _, each in picked if each is not None]
        return Prediction(scores, maps or None)

    def description(self) -> dict[str, Any]:
        """Return file names and digests, engine, inputs and outputs, for the report."""
        own = {"file": self.path.name, "sha256": dict(self.digests), "input": asdict(self.form)}
        used = {part: name for part, name in asdict(self.choice).items() if name is not None}
        return own | self.engine.description() | {"used_outputs": used or "by shape"}

    def _one(self, image: Image) -> tuple[float, Any]:
        tensor = self.form.tensor(image)
        try:
            return self.choice.pick(self.engine.run(tensor))
        except DetectorError as error:
            raise DetectorError(f"detector {self.name!r}: {error}") from error
        except Exception as error:  # every engine has errors of its own
            raise DetectorError(
                f"detector {self.name!r} cannot run on an input of shape {list(tensor.shape)}, "
                f"{tensor.dtype}: {one_line(error):.300}"
            ) from error


def load_onnx(
    rest: str, preset: str | None, device: str, settings: Mapping[str, Any], folder: Path | None
) -> ModelFile:
    """Return an ONNX file as a detector: in onnxruntime, or in OpenCV where that is missing.

    Parameters
    ----------
    rest : str
        Path of the file.
    preset : str, optional
        Refused.
    device : str
        ``"auto"`` (CUDA where onnxruntime has it), ``"cpu"`` or ``"cuda"``.
    settings : mapping
        ``input_size``, ``layout``, ``scale``, ``color`` and ``outputs``; see docs/detectors.md.
    folder : Path, optional
        Where a relative path starts.

    Raises
    ------
    DetectorError
        If the file cannot be read or run, or neither it nor `settings` say what must be known.
    """
    path = _checked(rest, preset, settings, folder)
    with_runtime = find_spec("onnxruntime") is not None
    engine = OnnxRuntimeEngine(path, device) if with_runtime else OpenCvEngine(path, device)
    return _model_file(f"onnx:{rest}", path, engine, settings)


def load_openvino(
    rest: str, preset: str | None, device: str, settings: Mapping[str, Any], folder: Path | None
) -> ModelFile:
    """Return a file that OpenVINO reads (.xml, with its .bin beside it) as a detector.

    Parameters and errors are those of `load_onnx`; `device` is ``"auto"`` (the CPU) or one of
    OpenVINO's.
    """
    if find_spec("openvino") is None:
        raise DetectorError("OpenVINO is not installed; install it with: pip install openvino")
    path = _checked(rest, preset, settings, folder)
    return _model_file(f"openvino:{rest}", path, OpenVinoEngine(path, device), settings)


def load_torchscript(
    rest: str, preset: str | None, device: str, settings: Mapping[str, Any], folder: Path | None
) -> ModelFile:
    """Return a TorchScript file, or a program of torch.export (.pt2), as a detector.

    Parameters and errors are those of `load_onnx`. These files tell nothing about their input:
    the layout is torch's, nchw, unless it is given, and the size must be given.
    """
    if find_spec("torch") is None:
        raise DetectorError(
            'torch is not installed; install it with: pip install "pytest-robustbench[torch]"'
        )
    path = _checked(rest, preset, settings, folder)
    given = {"layout": "nchw"} | dict(settings)
    return _model_file(f"torchscript:{rest}", path, TorchEngine(path, device), given)


def _checked(
    rest: str, preset: str | None, settings: Mapping[str, Any], folder: Path | None
) -> Path:
    """Return the file's path, when all that can be said before reading it is right."""
    if preset is not None:
        raise DetectorError(
            f"a model file has no presets, and {preset!r} was asked for; leave it out"
        )
    for key in settings:
        if key not in SETTINGS:
            raise DetectorError(f"a model file has no setting {key!r}; {suggestion(key, SETTINGS)}")
    path = Path(folder or ".") / Path(rest).expanduser()
    if not path.is_file():
        raise DetectorError(f"no such file: {path}")
    return path


def _model_file(name: str, path: Path, engine: Engine, settings: Mapping[str, Any]) -> ModelFile:
    form = input_form(engine.declared, settings)
    choice = output_choice(settings.get("outputs"), engine.outputs)
    digests = {part.name: _sha256(part) for part in _parts(path)}
    return ModelFile(name, path, engine, form, choice, digests)


def _parts(path: Path) -> list[Path]:
    """Return the file and those that hold its weights."""
    beside = [path.with_suffix(".bin")] if path.suffix == ".xml" else []
    if path.suffix == ".onnx":
        data = path.read_bytes()
        found = {data[m.end() : m.end() + m[1][0]] for m in EXTERNAL_DATA.finditer(data)}
        beside = [path.parent / name.decode(errors="replace") for name in sorted(found)]
    return [path, *(each for each in beside if each.is_file())]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
