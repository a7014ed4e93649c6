"""Models of pyimgano's convention."""

from __future__ import annotations

from dataclasses import dataclass
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
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.protocol import Detector

MAP_METHODS = ("predict_anomaly_map", "get_anomaly_map")
READS_FILES_ONLY = "ImagePreprocessor"


def gives_maps(model: object) -> bool:
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
        if not gives_maps(self.wrapped) and batch and isinstance(batch[0], np.ndarray):
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
        if gives_maps(self.wrapped):
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
