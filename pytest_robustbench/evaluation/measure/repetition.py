"""One image has one result: whatever a detector has seen before, and however often it is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import DetectorError, RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample
    from pytest_robustbench.evaluation.measure.prediction import ImagePrediction, Predictor

# Kernels chosen by batch size, or by what a GPU is busy with, round differently; a dependence on
# other images moves far more.
RELATIVE_TOLERANCE = 1e-3

NOT_REPEATABLE = (
    "its result hangs on what it has seen before, or on chance, and a fixed threshold means "
    "nothing then. Switch it to evaluation (model.eval(): no dropout, no running statistics), let "
    "predict keep nothing from one call to the next, and ask for deterministic kernels"
)


def difference(one: ImagePrediction, other: ImagePrediction) -> float:
    """Return by how much two predictions of one image differ; 0 where rounding explains it."""
    found = abs(one.score - other.score)
    scale = max(abs(one.score), abs(other.score))
    if (one.map is None) != (other.map is None):
        return math.inf
    if one.map is not None and other.map is not None:
        found = max(found, float(np.abs(one.map - other.map).max()))
        scale = max(scale, float(np.ptp(one.map)), float(np.ptp(other.map)))
    return found if found > RELATIVE_TOLERANCE * scale else 0.0


@dataclass(frozen=True)
class FirstResult:
    """What the detector said of a test image before any condition was measured.

    Parameters
    ----------
    predictor : Predictor
        The detector.
    store : PictureStore
        Decodes the image.
    batch : tuple of Sample
        The image, alone wherever the detector takes that.
    prediction : ImagePrediction
        Of the first of them.
    """

    predictor: Predictor
    store: PictureStore
    batch: tuple[Sample, ...]
    prediction: ImagePrediction

    @classmethod
    def of(
        cls, predictor: Predictor, samples: Sequence[Sample], store: PictureStore
    ) -> FirstResult | None:
        """Predict the first of `samples` that can be; ``None`` if there is none."""
        size = predictor.batch_size
        for start in range(len(samples)):
            for batch in (samples[start : start + 1], samples[start : start + size]):
                try:
                    found = _prediction(predictor, store, batch, "first")
                except RobustbenchError:  # the condition that shows this image says so
                    continue
                return cls(predictor, store, tuple(batch), found)
        return None

    def require_again(self, condition: str) -> None:
        """Predict the same once more, after `condition` was measured; it is part of no result.

        Raises
        ------
        DetectorError
            If the detector says something else now.
        """
        again = _prediction(self.predictor, self.store, self.batch, f"again after {condition}")
        found = difference(self.prediction, again)
        if found:
            raise DetectorError(
                f"detector {self.predictor.name!r} says something else of the same image: "
                f"{self.batch[0].id}, uncorrupted, has changed by {found:.3g} from before the "
                f"first condition to the end of {condition}; {NOT_REPEATABLE}"
            )


def _prediction(
    predictor: Predictor, store: PictureStore, batch: Sequence[Sample], where: str
) -> ImagePrediction:
    images = [store.load(sample).image for sample in batch]
    return predictor.predict(images, [sample.id for sample in batch], where)[0]
