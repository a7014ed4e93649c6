"""anomalib's inferencer of OpenVINO files, as a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.adapter import Adapter
from pytest_robustbench.detectors.introspection import import_path
from pytest_robustbench.detectors.protocol import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Floats, Image


class OpenVinoInferencerAdapter(Adapter):
    """An ``OpenVINOInferencer``; what it returns is used as it is.

    It has ``predict(image)`` that returns ``pred_score`` and ``anomaly_map``.
    """

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images, one inference each."""
        # As floats: it takes a dark uint8 image (no pixel above 1) for one that is scaled already.
        outputs = [self.wrapped.predict(np.float32(image) / 255) for image in images]
        scores = np.array([np.max(output.pred_score) for output in outputs], np.float32)
        if any(output.anomaly_map is None for output in outputs):
            return Prediction(scores, None)
        return Prediction(scores, [_plane(output.anomaly_map) for output in outputs])

    def description(self) -> dict[str, Any]:
        """Return the inferencer's class and device, for the report."""
        return {
            "class": import_path(type(self.wrapped)),
            "device": str(getattr(self.wrapped, "device", "")),
            "outputs": "as exported",
        }


def _plane(values: Any) -> Floats:
    array = np.asarray(values, np.float32)
    return array.reshape(array.shape[-2:])
