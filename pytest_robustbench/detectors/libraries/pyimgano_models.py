"""Models of pyimgano's convention, and those of pyimgano itself by the names of its registry."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.adapter import Adapter
from pytest_robustbench.detectors.introspection import (
    has_method,
    import_path,
    one_line,
    plain_attributes,
)
from pytest_robustbench.detectors.libraries.path_input import PathInput
from pytest_robustbench.detectors.packages import required
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.families import Request
    from pytest_robustbench.detectors.protocol import Detector

MAP_METHODS = ("predict_anomaly_map", "get_anomaly_map")
READS_FILES_ONLY = "ImagePreprocessor"

WHERE_TAKEN = {"pretrained": False, "contamination": 0.1}
"""Handed on only to models that take them, as pyimgano's command line does; its defaults."""


def _gives_maps(model: object) -> bool:
    """Return whether the model has one of the convention's two methods for anomaly maps."""
    return any(has_method(model, method) for method in MAP_METHODS)


def adapted(model: object, name: str) -> Detector:
    """Return a detector of a model of pyimgano's convention.

    A model on pyimgano's default feature extractor gets files: given arrays, that extractor
    (0.9.1) fails to open them and answers zeros for every image without a word.
    """
    adapter = PyimganoAdapter(model, name)
    return PathInput(adapter) if adapter.reads_files_only else adapter


@dataclass(frozen=True, eq=False)
class PyimganoAdapter(Adapter):
    """An object of pyimgano's convention; higher is more anomalous.

    It has ``decision_function`` and, where it gives maps, ``predict_anomaly_map`` or
    ``get_anomaly_map``.
    """

    @property
    def reads_files_only(self) -> bool:
        """Whether the model's features are made of files, whatever it is given."""
        extractor = getattr(self.wrapped, "feature_extractor", None)
        return type(extractor).__name__ == READS_FILES_ONLY

    def fit(self, images: Sequence[Image] | Sequence[str]) -> None:
        """Fit the model.

        Raises
        ------
        DetectorError
            If it has no ``fit``, needs what is not installed, or cannot tell images apart
            afterwards.
        """
        batch: list[Any] = list(images)
        try:
            super().fit(batch)
        except ImportError as error:  # its remedy stands on several lines
            raise DetectorError(
                f"detector {self.name!r} cannot be fitted: {one_line(error)}"
            ) from error
        if not _gives_maps(self.wrapped) and batch and isinstance(batch[0], np.ndarray):
            self._require_sight(np.asarray(batch[0], np.uint8))

    def predict(self, images: Sequence[Image] | Sequence[str]) -> Prediction:
        """Score images and then, where the model gives maps, map them: two inferences."""
        batch = list(images)
        scores = self.wrapped.decision_function(batch)
        # Checked by whoever asks for it: here that would count as the model's own time.
        return Prediction(scores, self._maps(batch))

    def description(self) -> dict[str, Any]:
        """Return the model's class and plain parameters, for the report."""
        plain = {
            "class": import_path(type(self.wrapped)),
            "parameters": plain_attributes(self.wrapped),
        }
        if _gives_maps(self.wrapped):
            plain["inference"] = "score and map are two inferences per image"
        return plain

    def _maps(self, batch: list[Any]) -> Any:
        if has_method(self.wrapped, "predict_anomaly_map"):
            return self.wrapped.predict_anomaly_map(batch)
        if has_method(self.wrapped, "get_anomaly_map"):
            return [self.wrapped.get_anomaly_map(image) for image in batch]
        return None

    def _require_sight(self, image: Image) -> None:
        """Refuse a model that cannot read arrays and scores what it did not see."""
        blind = [image, 255 - image, np.zeros_like(image)]
        scores = np.asarray(self.wrapped.decision_function(blind), np.float64)
        if np.ptp(scores) == 0:
            raise DetectorError(
                f"detector {self.name!r} gives a train image, its negative and a black image the "
                f"same score ({scores.flat[0]:.6g}): it cannot read images from memory; say "
                "input_mode: paths, or give it a feature extractor that can"
            )


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
    if model.startswith("core_") and not _gives_maps(made):
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
