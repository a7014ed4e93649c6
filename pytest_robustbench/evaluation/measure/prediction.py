"""Calls of the detector: checked, finite, and named after the images they concern."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.detectors.validation import checked_prediction, require_finite
from pytest_robustbench.errors import (
    DetectorError,
    NotMeasurableError,
    RobustbenchError,
    described,
)
from pytest_robustbench.evaluation.machine.worker_group import SingleProcess, WorkerGroup
from pytest_robustbench.evaluation.measure.postprocessing import Postprocessing
from pytest_robustbench.metrics.resizing import resize_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Floats, Image
    from pytest_robustbench.detectors.protocol import Detector
    from pytest_robustbench.evaluation.machine.latency import Stopwatch


@dataclass(frozen=True)
class ImagePrediction:
    """What the detector says about one image.

    Parameters
    ----------
    score : float
        The image score.
    map : (H, W) float32 or None
        At the image's size.
    extremes : tuple of float, optional
        Smallest and largest value of the map as the detector gave it, before any resizing.
    """

    score: float
    map: Floats | None
    extremes: tuple[float, ...] | None = None


class RawPrediction(NamedTuple):
    """What the detector returned for one image, in memory of its own."""

    score: np.float32
    map: Floats | None


@dataclass(frozen=True)
class Predictor:
    """Runs one detector and vouches for what it returns.

    Parameters
    ----------
    detector : Detector
        The detector under test.
    batch_size : int
        Images per call.
    postprocess : Postprocessing
        What is done to every map once it has the size of its image.
    worker_group : WorkerGroup
        Other processes of the run on this host.
    """

    detector: Detector
    batch_size: int = 1
    postprocess: Postprocessing = field(default_factory=Postprocessing)
    worker_group: WorkerGroup = field(default_factory=SingleProcess)

    @property
    def name(self) -> str:
        """How messages call the detector."""
        return str(getattr(self.detector, "name", type(self.detector).__name__))

    def fit(self, images: Sequence[Image]) -> None:
        """Fit the detector.

        Raises
        ------
        DetectorError
            If the detector raises.
        """
        try:
            with self.worker_group.computing():
                self.detector.fit(images)
        except RobustbenchError:
            raise
        except (Exception, SystemExit) as error:
            raise DetectorError(
                f"detector {self.name!r} raised in fit: {described(error)}"
            ) from error

    def predict(
        self,
        images: Sequence[Image],
        ids: Sequence[str],
        where: str,
    ) -> list[ImagePrediction]:
        """Predict `images` in batches.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.
        ids : sequence of str
            Their sample ids, for messages.
        where : str
            Condition or calibration, for messages.

        Raises
        ------
        DetectorError
            If the detector raises, or returns the wrong number or shape of scores or maps.
        NotMeasurableError
            If a score or map is not finite.
        """
        with self.worker_group.computing():
            raw = self.call(images, ids, where)
        rows = zip(raw, ids, images, strict=True)
        return [self.finish(one, name, image.shape[:2], where) for one, name, image in rows]

    def scores(self, images: Sequence[Image], ids: Sequence[str], where: str) -> Floats:
        """Return the image scores that `predict` would: ``(N,)`` float32.

        Raises
        ------
        RobustbenchError
            As `predict`; of maps nothing is asked.
        """
        found = np.array([raw.score for raw in self.call(images, ids, where)], np.float32)
        label = f"detector {self.name!r}, {where}"
        require_finite(Prediction(found, None), ids, label)
        return found

    def call(
        self,
        images: Sequence[Image],
        ids: Sequence[str],
        where: str,
        stopwatch: Stopwatch | None = None,
    ) -> list[RawPrediction]:
        """Do the part of `predict` that must not be disturbed, each call timed if wanted."""
        predictions: list[RawPrediction] = []
        for start in range(0, len(images), self.batch_size):
            stop = start + self.batch_size
            # Copies: a detector may write into its input, and the pictures are cached.
            batch = [np.array(image) for image in images[start:stop]]
            predictions += self._call_batch(batch, ids[start:stop], where, stopwatch)
        return predictions

    def finish(
        self, raw: RawPrediction, sample: str, shape: tuple[int, int], where: str
    ) -> ImagePrediction:
        """Check one prediction's numbers, bring its map to `shape` ``(H, W)`` and post-process it.

        Raises
        ------
        NotMeasurableError
            If the score or the map is not finite.
        """
        score = float(raw.score)
        found = (score,) if raw.map is None else (score, float(raw.map.min()), float(raw.map.max()))
        if not all(math.isfinite(value) for value in found):  # NaN is its own extreme
            maps = None if raw.map is None else (raw.map,)
            prediction = Prediction(np.array([score]), maps)
            require_finite(prediction, [sample], f"detector {self.name!r}, {where}")
        if raw.map is None:
            return ImagePrediction(score, None)
        anomaly_map = self.postprocess(resize_map(raw.map, shape))
        return ImagePrediction(score, anomaly_map, found[1:])

    def _call_batch(
        self, batch: list[Image], ids: Sequence[str], where: str, stopwatch: Stopwatch | None
    ) -> list[RawPrediction]:
        raw = self._call(batch, ids, where, stopwatch)
        label = f"detector {self.name!r}, {where}, image {', '.join(ids)}"
        # At once, not when it is finished: a detector may use its output's memory again.
        prediction = checked_prediction(raw, batch, label)
        rows = zip(prediction.scores, _maps(prediction), strict=True)
        return [RawPrediction(*row) for row in rows]

    def _call(
        self, batch: list[Image], ids: Sequence[str], where: str, stopwatch: Stopwatch | None
    ) -> object:
        try:
            given = self._staged(batch)
            if stopwatch is None:
                return self.detector.predict(given)
            return stopwatch.time(lambda: self.detector.predict(given), len(batch))
        except RobustbenchError:
            raise
        except (Exception, SystemExit) as error:
            raise DetectorError(
                f"detector {self.name!r} raised on image {', '.join(ids)} ({where}): "
                f"{described(error)}"
            ) from error

    def _staged(self, batch: list[Image]) -> Any:
        """Return what the detector takes instead of images, where it says so: never timed."""
        stage = getattr(self.detector, "stage_inputs", None)
        return stage(batch) if callable(stage) else batch


def require_maps_of_all_or_none(n_maps: int, n_images: int) -> None:
    """Refuse a detector that gives maps for some images only.

    Raises
    ------
    NotMeasurableError
        If pixel metrics would speak of some images only.
    """
    if 0 < n_maps < n_images:
        raise NotMeasurableError(
            f"the detector gives maps for {n_maps} of {n_images} images: all or none"
        )


def _maps(prediction: Prediction) -> Sequence[Floats | None]:
    if prediction.maps is None:
        return [None] * len(prediction.scores)
    return list(prediction.maps)
