"""Measures conditions: prepare once, then any condition in any order."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.digests import condition_digest, picture_digest
from pytest_robustbench.datasets.store import PictureStore
from pytest_robustbench.errors import ConfigError, NotMeasurableError
from pytest_robustbench.evaluation.inventory import Inventory, take_inventory
from pytest_robustbench.evaluation.latency import (
    ReferenceWorkload,
    Stopwatch,
    device_synchronizer,
)
from pytest_robustbench.evaluation.measures import Measures
from pytest_robustbench.evaluation.prediction import (
    ImagePrediction,
    Predictor,
    require_maps_of_all_or_none,
)
from pytest_robustbench.evaluation.preparation import Preparation
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings
from pytest_robustbench.evaluation.tally import (
    DefectPixels,
    ImageMeasurement,
    Tally,
    measure_pixels,
)
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_robustbench.arrays import Floats, Mask
    from pytest_robustbench.corruptions.corruption import JSON, Corruption
    from pytest_robustbench.datasets.split import Sample, Split
    from pytest_robustbench.detectors.protocol import Detector
    from pytest_robustbench.evaluation.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult

    Progress = Callable[[str, int, int], None]

CHUNK_BYTES = 64 << 20
BYTES_PER_PIXEL = 3 + 1 + 1 + 4  # image, mask, ignored, map


def silent(phase: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Prepared:
    """What preparing once leaves behind.

    Parameters
    ----------
    operating_point : OperatingPoint
        The frozen thresholds.
    inventory : Inventory
        The test samples.
    notes : tuple of str
        Observations for the record.
    """

    operating_point: OperatingPoint
    inventory: Inventory
    notes: tuple[str, ...]


class Evaluator:
    """One split and one detector, fitted and calibrated once, measured under any condition.

    Parameters
    ----------
    split : Split
        Train, calibration and test samples.
    detector : Detector
        The detector under test.
    corruptions : mapping of str to Corruption
        By the name conditions use.
    calibration : CalibrationSettings
        How the operating point is found.
    settings : EvaluationSettings
        How conditions are measured.
    fitted : bool
        The detector is already fitted and is never fitted here.
    operating_point : OperatingPoint, optional
        Thresholds already in production; nothing is calibrated then.
    progress : callable
        Told ``(phase, done, total)``.
    """

    def __init__(
        self,
        split: Split,
        detector: Detector,
        corruptions: Mapping[str, Corruption],
        *,
        calibration: CalibrationSettings | None = None,
        settings: EvaluationSettings | None = None,
        fitted: bool = False,
        operating_point: OperatingPoint | None = None,
        progress: Progress = silent,
    ) -> None:
        self.split = split
        self.corruptions = dict(corruptions)
        self.calibration = calibration or CalibrationSettings()
        self.settings = settings or EvaluationSettings()
        self.fitted = fitted
        self.progress = progress
        self.predictor = Predictor(detector, self.settings.batch_size)
        self._given = operating_point
        self._store = PictureStore(split.resize, self.settings.memory_budget)
        self._prepared: Prepared | None = None
        self._reference = ReferenceWorkload()
        self._defect_pixels: dict[int, DefectPixels] = {}
        self._kept_by: dict[str, list[int]] = {}

    def prepare(self) -> Prepared:
        """Fit and calibrate; the second call returns what the first one found.

        Raises
        ------
        RobustbenchError
            If the data cannot be read, the detector fails, or no operating point can be derived.
        """
        if self._prepared is None:
            inventory = take_inventory(self.split.test, self._store)
            preparation = Preparation(
                split=self.split,
                store=self._store,
                predictor=self.predictor,
                settings=self.calibration,
                fitted=self.fitted,
                given=self._given,
                progress=self.progress,
            )
            operating_point = preparation.run()
            notes = (*preparation.notes, *self._lost_defects(inventory))
            self._prepared = Prepared(operating_point, inventory, notes)
        return self._prepared

    def evaluate(self, condition: Condition) -> ConditionResult:
        """Measure one condition at the frozen operating point.

        Raises
        ------
        RobustbenchError
            If the condition cannot be measured; the message names the image where there is one.
        """
        prepared = self.prepare()
        kept = self._kept(condition)
        if not kept:
            message = f"{condition.id} leaves out every test image"
            raise NotMeasurableError(message)
        stopwatch = Stopwatch(device_synchronizer(self.predictor.detector), self._reference)
        tally = self._measure(condition, kept, prepared, stopwatch)
        specification = self._specification(condition)
        digest = condition_digest(
            specification,
            condition.severity,
            [prepared.inventory.ids[i] for i in kept],
            [tally.digests[i] for i in kept],
        )
        measures = Measures(tally, prepared.inventory, prepared.operating_point, self.settings)
        latency = stopwatch.latency(self.settings.batch_size)
        return measures.result(condition, latency, specification, digest)

    def picture(self, condition: Condition, index: int) -> tuple[Corrupted, Floats | None]:
        """Return one corrupted test picture and its anomaly map at mask resolution."""
        self.prepare()
        corrupted = self._corrupted(index, condition)
        sample = self.split.test[index]
        (prediction,) = self.predictor.predict([corrupted.image], [sample.id], condition.id)
        return corrupted, prediction.map

    def _measure(
        self, condition: Condition, kept: Sequence[int], prepared: Prepared, stopwatch: Stopwatch
    ) -> Tally:
        shapes = prepared.inventory.shapes
        tally = Tally(len(shapes), sum(shapes[i][0] * shapes[i][1] for i in kept))
        done = 0
        with ThreadPoolExecutor() as pool:
            for chunk in self._chunks(kept, shapes):
                self.progress(condition.id, done, len(kept))
                pictures = list(pool.map(lambda i: self._corrupted(i, condition), chunk))
                predictions = self._predict(pictures, chunk, condition, stopwatch, warm=done > 0)
                measured = pool.map(self._measure_image, chunk, pictures, predictions)
                for index, measurement in zip(chunk, measured, strict=True):
                    tally.add(index, measurement)
                done += len(chunk)
        self.progress(condition.id, done, len(kept))
        require_maps_of_all_or_none(tally.n_maps, len(kept))
        return tally

    def _predict(
        self,
        pictures: Sequence[Corrupted],
        chunk: Sequence[int],
        condition: Condition,
        stopwatch: Stopwatch,
        *,
        warm: bool,
    ) -> list[ImagePrediction]:
        images = [p.image for p in pictures]
        ids = [self.split.test[i].id for i in chunk]
        if not warm:
            size = self.settings.batch_size
            self.predictor.predict(images[:size], ids[:size], condition.id)
        return self.predictor.predict(images, ids, condition.id, stopwatch)

    def _measure_image(
        self, index: int, picture: Corrupted, prediction: ImagePrediction
    ) -> ImageMeasurement:
        digest = picture_digest(picture)
        threshold = self.prepare().operating_point.pixel_threshold
        if threshold is None:  # ranking needs none, and what is counted is not reported then
            threshold = math.inf
        has_map = prediction.map is not None
        if prediction.map is None or picture.mask is None:
            return ImageMeasurement(prediction.score, digest, has_map, None)
        where = self._defect_pixels_of(index, picture.mask, picture.ignored)
        pixels = measure_pixels(prediction.map, picture.mask, picture.ignored, threshold, where)
        return ImageMeasurement(prediction.score, digest, has_map, pixels)

    def _defect_pixels_of(self, index: int, mask: Mask, ignored: Mask | None) -> DefectPixels:
        """Label regions once for all conditions that leave the mask alone."""
        source = self._store.load(self.split.test[index]).mask
        if ignored is not None or source is None or not np.array_equal(mask, source):
            return DefectPixels.of(mask, ignored)
        if index not in self._defect_pixels:
            self._defect_pixels[index] = DefectPixels.of(mask, None)
        return self._defect_pixels[index]

    def _corrupted(self, index: int, condition: Condition) -> Corrupted:
        sample = self.split.test[index]
        picture = self._store.load(sample)
        if condition.is_clean:
            return Corrupted(picture.image, picture.mask, None)
        return self._corruption(condition).apply(
            picture.image,
            picture.mask,
            condition.severity or 0,
            seed=self.settings.seed,
            sample_id=sample.id,
        )

    def _kept(self, condition: Condition) -> list[int]:
        """Return the test samples that the corruption keeps in the frame at every severity."""
        if condition.is_clean or not self._corruption(condition).moves_pixels:
            return list(range(len(self.split.test)))
        name = condition.corruption
        if name not in self._kept_by:
            self._kept_by[name] = self._kept_in_frame(self._corruption(condition))
        return self._kept_by[name]

    def _kept_in_frame(self, corruption: Corruption) -> list[int]:
        def leaves_out(sample: Sample) -> bool:
            mask = self._store.load(sample).mask
            return corruption.leaves_out(mask, seed=self.settings.seed, sample_id=sample.id)

        with ThreadPoolExecutor() as pool:
            gone = list(pool.map(leaves_out, self.split.test))
        return [i for i, out in enumerate(gone) if not out]

    def _lost_defects(self, inventory: Inventory) -> Iterator[str]:
        """Say where nobody can tell whether a defect stays in the frame."""
        unknown = len(inventory.unknown_masks)
        moving = [name for name, c in self.corruptions.items() if c.moves_pixels]
        if unknown and moving:
            yield (
                f"{unknown} defect image(s) without a mask may have lost their defect to "
                f"{', '.join(moving)}"
            )

    def _corruption(self, condition: Condition) -> Corruption:
        try:
            return self.corruptions[condition.corruption]
        except KeyError:
            hint = suggestion(condition.corruption, [*self.corruptions, CLEAN.corruption])
            message = f"the benchmark has no corruption {condition.corruption!r}; {hint}"
            raise ConfigError(message) from None

    def _specification(self, condition: Condition) -> Mapping[str, JSON]:
        if condition.is_clean:
            return {}
        return self._corruption(condition).specification(self.settings.seed)

    def _chunks(
        self, kept: Sequence[int], shapes: Sequence[tuple[int, int]]
    ) -> Iterator[Sequence[int]]:
        """Cut the images into chunks of bounded bytes that hold whole batches."""
        size = self.settings.batch_size
        chunk: list[int] = []
        used = 0
        for start in range(0, len(kept), size):
            batch = kept[start : start + size]
            chunk += batch
            used += sum(shapes[i][0] * shapes[i][1] for i in batch) * BYTES_PER_PIXEL
            if used >= CHUNK_BYTES:
                yield chunk
                chunk, used = [], 0
        if chunk:
            yield chunk
