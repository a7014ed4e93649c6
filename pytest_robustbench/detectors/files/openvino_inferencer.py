"""anomalib's inferencer of OpenVINO files, as a detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.introspection import import_path, unfittable
from pytest_robustbench.detectors.protocol import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Floats, Image


@dataclass(frozen=True, eq=False)
class OpenVinoInferencerAdapter:
    """An ``OpenVINOInferencer``; what it returns is used as it is.

    Parameters
    ----------
    inferencer : object
        Has ``predict(image)`` that returns ``pred_score`` and ``anomaly_map``.
    name : str
        How messages call it.
    """

    inferencer: Any
    name: str

    def fit(self, images: Sequence[Image]) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: an exported model is fitted.

        Raises
        ------
        DetectorError
            Always.
        """
        raise unfittable(self.name)

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images, one inference each."""
        # As floats: it takes a dark uint8 image (no pixel above 1) for one that is scaled already.
        outputs = [self.inferencer.predict(np.float32(image) / 255) for image in images]
        scores = np.array([np.max(output.pred_score) for output in outputs], np.float32)
        if any(output.anomaly_map is None for output in outputs):
            return Prediction(scores, None)
        return Prediction(scores, [_plane(output.anomaly_map) for output in outputs])

    def description(self) -> dict[str, Any]:
        """Return the inferencer's class and device, for the report."""
        return {
            "class": import_path(type(self.inferencer)),
            "device": str(getattr(self.inferencer, "device", "")),
            "outputs": "as exported",
        }


def _plane(values: Any) -> Floats:
    array = np.asarray(values, np.float32)
    return array.reshape(array.shape[-2:])
