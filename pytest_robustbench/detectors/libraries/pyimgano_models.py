"""Models of pyimgano, by the names of its registry."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.introspection import has_method, one_line
from pytest_robustbench.detectors.libraries.pyimgano_adapter import adapted, gives_maps
from pytest_robustbench.detectors.names import PRESETS
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_robustbench.detectors.protocol import Detector

WHERE_TAKEN = {"pretrained": False, "contamination": 0.1}
"""Handed on only to models that take them, as pyimgano's command line does; its defaults."""


def load(
    model: str,
    preset: str | None,
    device: str,
    settings: Mapping[str, Any],
    folder: Path | None,  # noqa: ARG001 - every loader of a prefix is called alike
) -> Detector:
    """Return an unfitted model of pyimgano.

    Parameters
    ----------
    model : str
        A name of its registry, or one of its model presets (``industrial-...``).
    preset : str, optional
        Settings of its catalogue for this model; `settings` override them.
    device : str
        Handed to models that run on torch; ``"auto"`` is CUDA where there is one.
    settings : mapping
        Arguments of the model. ``pretrained`` (false by default: nothing is downloaded) and
        ``contamination`` reach only models that take them.
    folder : Path, optional
        Unused.

    Raises
    ------
    DetectorError
        If pyimgano, or what the model needs, is not installed; if there is no such model, preset,
        setting or device; or if it takes no images.
    """
    options = _package("pyimgano.services.model_options")
    registry = _package("pyimgano.models.registry")
    name, arguments = _arguments(options, model, preset, device, settings)
    try:
        made = registry.create_model(name, **arguments)
    except ImportError as error:
        raise DetectorError(f"cannot be made: {one_line(error)}") from error
    _require_images(model, made)
    return adapted(made, f"pyimgano:{model}")


def _arguments(
    options: Any, model: str, preset: str | None, device: str, settings: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the registry's name of the model and all its arguments, resolved by pyimgano."""
    try:
        name, own, _ = options.resolve_requested_model(model)
    except ValueError as error:
        raise DetectorError(_unknown(model)) from error
    _check_preset(options, name, preset)
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


def _check_preset(options: Any, name: str, preset: str | None) -> None:
    if preset is None:
        return
    if preset not in PRESETS:
        raise DetectorError(f"unknown preset {preset!r}; {suggestion(preset, PRESETS)}")
    if not options.resolve_preset_kwargs(preset, name):
        raise DetectorError(f"pyimgano has no preset {preset!r} for this model; leave it out")


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
    try:
        return import_module(module)
    except ImportError as error:
        raise DetectorError(
            f"pyimgano cannot be imported ({error}); install it with: pip install pyimgano"
        ) from error
