"""Whole models as files: ONNX, OpenVINO and TorchScript. They are fitted already."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.adapter import Adapter
from pytest_robustbench.detectors.files.engines import onnx_engine, openvino_engine, torch_engine
from pytest_robustbench.detectors.files.inputs import InputForm, input_form
from pytest_robustbench.detectors.files.outputs import OutputChoice, output_choice
from pytest_robustbench.detectors.introspection import one_line
from pytest_robustbench.detectors.packages import sha256_of_file
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.detectors.sources import parts_of
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.lfs import POINTER, is_pointer_file
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.families import Request
    from pytest_robustbench.detectors.files.engines import Engine

SETTINGS = ("input_size", "layout", "scale", "color", "outputs")


@dataclass(frozen=True, eq=False)
class ModelFile(Adapter):
    """A model file as a detector; what it returns is used as it is.

    Images go through it one by one: one inference each, for score and map.

    Parameters
    ----------
    wrapped : Engine
        What runs the file.
    name : str
        How messages call it.
    path : Path
        The file.
    form : InputForm
        How an image becomes its input.
    choice : OutputChoice
        Which of its outputs are used.
    digests : mapping of str to str
        The sha256 of every file that it was loaded from, by name.
    """

    wrapped: Engine
    path: Path
    form: InputForm
    choice: OutputChoice
    digests: Mapping[str, str]

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
        return own | self.wrapped.description | {"used_outputs": used or "by shape"}

    def _one(self, image: Image) -> tuple[float, Any]:
        tensor = self.form.tensor(image)
        try:
            return self.choice.pick(self.wrapped.run(tensor))
        except DetectorError as error:
            raise DetectorError(f"detector {self.name!r}: {error}") from error
        except Exception as error:  # every engine has errors of its own
            raise DetectorError(
                f"detector {self.name!r} cannot run on an input of shape {list(tensor.shape)}, "
                f"{tensor.dtype}: {one_line(error):.300}"
            ) from error


def load_onnx(request: Request) -> ModelFile:
    """Return an ONNX file as a detector: in onnxruntime, or in OpenCV where that is missing.

    Parameters
    ----------
    request : Request
        Behind the prefix the file's path. The device is ``"auto"`` (CUDA where onnxruntime has it),
        ``"cpu"`` or ``"cuda"``. Settings are ``input_size``, ``layout``, ``scale``, ``color`` and
        ``outputs``; see docs/detectors.md.

    Raises
    ------
    DetectorError
        If the file cannot be read or run, or neither it nor the settings say what must be known.
    """
    return _model_file(request, onnx_engine)


def load_openvino(request: Request) -> ModelFile:
    """Return a file that OpenVINO reads (.xml, with its .bin beside it) as a detector.

    As `load_onnx`, but the device is ``"auto"`` (the CPU) or one of OpenVINO's.
    """
    return _model_file(request, openvino_engine)


def load_torchscript(request: Request) -> ModelFile:
    """Return a TorchScript file, or a program of torch.export (.pt2), as a detector.

    As `load_onnx`. These files tell nothing about their input: the layout is torch's, nchw, unless
    it is given, and the size must be given.
    """
    settings = {"layout": "nchw"} | dict(request.settings)
    return _model_file(replace(request, settings=settings), torch_engine)


def _model_file(request: Request, open_file: Callable[[Path, str], Engine]) -> ModelFile:
    settings = request.settings
    for key in settings:
        if key not in SETTINGS:
            raise DetectorError(f"a model file has no setting {key!r}; {suggestion(key, SETTINGS)}")
    path = Path(request.folder or ".") / Path(request.rest).expanduser()
    if not path.is_file():
        raise DetectorError(f"no such file: {path}")
    parts = parts_of(path)
    for part in parts:
        if is_pointer_file(part):
            raise DetectorError(f"{part} {POINTER}")
    engine = open_file(path, request.device)
    form = input_form(engine.declared, settings)
    choice = output_choice(settings.get("outputs"), engine.outputs)
    digests = {part.name: sha256_of_file(part) for part in parts}
    return ModelFile(engine, request.name, path, form, choice, digests)
