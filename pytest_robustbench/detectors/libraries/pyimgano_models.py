"""Models of pyimgano, by the names of its registry."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.introspection import has_method, one_line
from pytest_robustbench.detectors.libraries.pyimgano_adapter import adapted, gives_maps
from pytest_robustbench.detectors.packages import required
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from pytest_robustbench.detectors.families import Request
    from pytest_robustbench.detectors.protocol import Detector

WHERE_TAKEN = {"pretrained": False, "contamination": 0.1}
"""Handed on only to models that take them, as pyimgano's command line does; its defaults."""


def names() -> list[str]:
    """Return the names of its registry that a benchmark can use, as pyimgano lists them."""
    listed: list[str] = _package("pyimgano.services.discovery_service").list_discovery_model_names()
    return listed


def load(request: Request) -> Detector:
    """Return an unfitted model of pyimgano.

    Parameters
    ----------
    request : Request
        Behind the prefix a name of its registry, or one of its model presets (``industrial-...``).
        The preset is what its catalogue has for this model; settings override it. The device is
        handed to models that run on torch. Of the settings, ``pretrained`` (false by default:
        nothing is downloaded) and ``contamination`` reach only models that take them.

    Raises
    ------
    DetectorError
        If pyimgano, or what the model needs, is not installed; if there is no such model, preset,
        setting or device; or if it takes no images.
    """
    options = _package("pyimgano.services.model_options")
    registry = _package("pyimgano.models.registry")
    name, arguments = _arguments(options, request)
    try:
        made = registry.create_model(name, **arguments)
    except ImportError as error:
        raise DetectorError(f"cannot be made: {one_line(error)}") from error
    _require_images(request.rest, made)
    return adapted(made, request.name)


def _arguments(options: Any, request: Request) -> tuple[str, dict[str, Any]]:
    """Return the registry's name of the model and all its arguments, resolved by pyimgano."""
    settings, device, preset = request.settings, request.device, request.preset
    try:
        name, own, _ = options.resolve_requested_model(request.rest)
    except ValueError as error:
        raise DetectorError(_unknown(request.rest)) from error
    if preset is not None and not options.resolve_preset_kwargs(preset, name):
        raise DetectorError(f"pyimgano has no preset {preset!r} for this model; leave it out")
    given = {key: value for key, value in settings.items() if key not in WHERE_TAKEN}
    everywhere = {key: settings.get(key, default) for key, default in WHERE_TAKEN.items()}
    takes_device = "device" in options.get_model_signature_info(name)[0]
    if takes_device:
        everywhere["device"] = _device(device)
    elif device not in ("auto", "cpu"):
        raise DetectorError(
            f"runs on the CPU only; say device: cpu or leave it out, not {device!r}"
        )
    try:
        arguments = options.resolve_model_options(
            model_name=name,
            preset=preset,
            user_kwargs=given,
            auto_kwargs=own | everywhere,
            checkpoint_path=None,
        )
        options.enforce_checkpoint_requirement(model_name=name, model_kwargs=arguments)
    except (TypeError, ValueError) as error:
        raise DetectorError(" ".join(str(error).split())) from error
    return name, dict(arguments)


def _device(device: str) -> str:
    try:
        from pytest_robustbench.detectors.devices import choose_device
    except ModuleNotFoundError as error:
        raise DetectorError(f"it runs on torch: pip install 'pyimgano[torch]' ({error})") from error
    return str(choose_device(device))


def _require_images(model: str, made: object) -> None:
    """Refuse models of feature vectors, which pyimgano calls core models."""
    if model.startswith("core_") and not gives_maps(made):
        other = f"pyimgano:vision_{model.removeprefix('core_')}"
        raise DetectorError(f"takes feature vectors, not images; try {other}")
    if not has_method(made, "decision_function"):
        raise DetectorError(f"{type(made).__name__} has no decision_function: it scores nothing")


def _unknown(model: str) -> str:
    models = _package("pyimgano.models").list_models()
    presets = _package("pyimgano.presets.catalog").list_model_presets()
    near = get_close_matches(model, [*models, *presets], n=3, cutoff=0.4)
    nearest = f"nearest: {', '.join(near)}; " if near else ""
    return (
        f"pyimgano knows no model {model!r}; {nearest}all: pyimgano-robust-benchmark --list-models"
    )


def _package(module: str) -> Any:
    return required(module, "pyimgano")
