"""One condition from pictures to counts and scores.

Chunk by chunk: read and corrupt on all processors; predict, with nothing else running, timed;
measure on all processors.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.evaluation.machine.workers import Workers
from pytest_robustbench.evaluation.measure.defects import DefectAtlas, DefectPixels
from pytest_robustbench.evaluation.measure.pixel_scores import BinnedScores, ExactScores
from pytest_robustbench.evaluation.measure.prediction import require_maps_of_all_or_none
from pytest_robustbench.evaluation.measure.tally import ImageMeasurement, Tally, measure_pixels
from pytest_robustbench.evaluation.measure.visibility import is_erased

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.evaluation.machine.latency import Stopwatch
    from pytest_robustbench.evaluation.measure.exhibits import Exhibition
    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.evaluation.measure.pixel_scores import PixelScores
    from pytest_robustbench.evaluation.measure.prediction import Predictor, RawPrediction
    from pytest_robustbench.evaluation.measure.scenes import Scene, Scenes
    from pytest_robustbench.evaluation.settings import EvaluationSettings

    Progress = Callable[[str, int, int], None]

BYTES_PER_PIXEL = 3 + 1 + 1 + 4  # image, mask, ignored, map
BYTES_PER_SCORE = 4
BYTES_PER_DEFECT_SCORE = 128  # with its region, and all that ranking works out for it


class Sweep:
    """Measures conditions over the same test images, and keeps what they have in common.

    Parameters
    ----------
    scenes : Scenes
        The test images under every condition.
    predictor : Predictor
        The detector.
    settings : EvaluationSettings
        Batch size and memory.
    """

    def __init__(self, scenes: Scenes, predictor: Predictor, settings: EvaluationSettings) -> None:
        self._scenes = scenes
        self._predictor = predictor
        self._settings = settings
        self._atlas = DefectAtlas(settings.region_bytes)
        self._buffer: Floats = np.empty(0, np.float32)

    def measure(
        self,
        condition: Condition,
        kept: Sequence[int],
        inventory: Inventory,
        threshold: float | None,
        *,
        others: tuple[float, ...],
        stopwatch: Stopwatch,
        progress: Progress,
        exhibition: Exhibition | None = None,
    ) -> Tally:
        """Return the counts and scores of the `kept` test images under `condition`.

        Parameters
        ----------
        condition : Condition
            What to measure.
        kept : sequence of int
            Which test images to measure.
        inventory : Inventory
            Every test image, kept or not.
        threshold : float or None
            The frozen pixel threshold. Ranking needs none, and nothing counted is reported then.
        others : tuple of float
            Pixel thresholds that other calibrations would have given: pixels are counted there too.
        stopwatch : Stopwatch
            Times every call of the detector.
        progress : callable
            Told ``(phase, done, total)``.
        exhibition : Exhibition, optional
            Keeps the worst images.

        Raises
        ------
        RobustbenchError
            If an image cannot be read, corrupted or predicted; the message names it.
        """
        tally = Tally(len(inventory.ids), others, self._pixel_scores(inventory))
        computing = self._predictor.worker_group.computing
        limit = math.inf if threshold is None else threshold
        measure = partial(self._measure_image, condition, (limit, *others))
        size = min(self._settings.batch_size, len(kept))
        n_timed = self._predictor.worker_group.timed_calls(len(kept), size)
        done = 0
        with Workers() as workers:
            for chunk in self._chunks(kept, inventory.shapes):
                progress(condition.id, done, len(kept))
                with computing():
                    scenes = workers.map(partial(self._scenes.under, condition), chunk)
                wanted = n_timed - stopwatch.n_calls
                raw = self._predict(scenes, chunk, condition, stopwatch, size=size, wanted=wanted)
                with computing():
                    measured = workers.map(measure, chunk, scenes, raw)
                    for index, found in zip(chunk, measured, strict=True):
                        tally.add(index, found)
                    if exhibition is not None:
                        self._exhibit(exhibition, condition, tally, (chunk, scenes, raw))
                done += len(chunk)
        progress(condition.id, done, len(kept))
        require_maps_of_all_or_none(tally.n_maps, len(kept))
        return tally

    def scores(
        self, condition: Condition, kept: Sequence[int], phase: str, progress: Progress
    ) -> Floats:
        """Return the image scores of the `kept` test images under `condition`, and nothing else.

        Parameters
        ----------
        condition : Condition
            What to measure.
        kept : sequence of int
            Which test images to measure.
        phase : str
            What progress is told of, ``(phase, done, total)``.
        progress : callable
            Told so.

        Returns
        -------
        (N,) float32
            NaN for what is not kept.

        Raises
        ------
        RobustbenchError
            If an image cannot be read, corrupted or predicted, or a score is not finite.
        """
        samples = self._scenes.samples
        found = np.full(len(samples), np.nan, np.float32)
        size = self._settings.batch_size
        with Workers() as workers:
            for start in range(0, len(kept), size):
                progress(phase, start, len(kept))
                batch = kept[start : start + size]
                ids = [samples[i].id for i in batch]
                with self._predictor.worker_group.computing():
                    scenes = workers.map(partial(self._scenes.under, condition), batch)
                    images = [scene.corrupted.image for scene in scenes]
                    found[batch] = self._predictor.scores(images, ids, condition.id)
        progress(phase, len(kept), len(kept))
        return found

    def _predict(
        self,
        scenes: Sequence[Scene],
        chunk: Sequence[int],
        condition: Condition,
        stopwatch: Stopwatch,
        *,
        size: int,
        wanted: int,
    ) -> list[RawPrediction]:
        """Predict a chunk in batches of `size`: first the `wanted` timed calls, then the rest."""
        images = [scene.corrupted.image for scene in scenes]
        ids = [self._scenes.samples[i].id for i in chunk]
        worker_group, call = self._predictor.worker_group, self._predictor.call
        # A last batch that is not full is another workload: it is not timed.
        timed = size * min(len(images) // size, wanted)
        found: list[RawPrediction] = []
        if timed:
            with worker_group.quiet():
                # Corrupting, or waiting, has driven the detector out of the processor's caches.
                call(images[:size], ids[:size], condition.id)
                found += call(images[:timed], ids[:timed], condition.id, stopwatch)
        for start in range(timed, len(images), size):
            part = slice(start, start + size)
            with worker_group.computing():
                found += call(images[part], ids[part], condition.id)
        return found

    def _exhibit(
        self,
        exhibition: Exhibition,
        condition: Condition,
        tally: Tally,
        measured: tuple[Sequence[int], Sequence[Scene], Sequence[RawPrediction]],
    ) -> None:
        """Keep the images of a measured chunk that are among the worst up to now."""
        chunk, scenes, raw = measured
        for place in exhibition.choose(tally, chunk):
            index, scene = chunk[place], scenes[place].corrupted
            height, width = scene.image.shape[:2]
            sample = self._scenes.samples[index].id
            found = self._predictor.finish(raw[place], sample, (height, width), condition.id)
            exhibition.keep(index, scene, found.map)

    def _measure_image(
        self,
        condition: Condition,
        thresholds: tuple[float, ...],
        index: int,
        scene: Scene,
        raw: RawPrediction,
    ) -> ImageMeasurement:
        image, mask, ignored = scene.corrupted
        digest = picture_digest(scene.corrupted)
        height, width = image.shape[:2]
        sample = self._scenes.samples[index].id
        prediction = self._predictor.finish(raw, sample, (height, width), condition.id)
        clean = scene.clean
        erased = condition.is_corrupted and is_erased(clean.image, clean.mask, scene.corrupted)
        if prediction.map is None or mask is None:
            has_map = prediction.map is not None
            return ImageMeasurement(prediction.score, digest, has_map, None, erased)
        if scene.unmoved:
            where = self._atlas.look_up(index, mask)
        else:
            where = DefectPixels.of(mask, ignored)
        frozen, *others = thresholds
        pixels = measure_pixels(prediction.map, mask, ignored, frozen, where, others=others)
        return ImageMeasurement(
            prediction.score, digest, has_map=True, pixels=pixels, erased=erased
        )

    def release(self) -> None:
        """Give back what the conditions have in common; the next one finds it again."""
        self._atlas = DefectAtlas(self._settings.region_bytes)
        self._buffer = np.empty(0, np.float32)

    def _pixel_scores(self, inventory: Inventory) -> PixelScores:
        """All test images decide, not those that one condition keeps: it is one mode for all."""
        n_pixels = sum(height * width for height, width in inventory.shapes)
        n_defect_pixels = int(inventory.defect_pixels.sum())
        needed = BYTES_PER_SCORE * n_pixels + BYTES_PER_DEFECT_SCORE * n_defect_pixels
        if needed > self._settings.ranking_bytes:
            return BinnedScores()
        if self._buffer.size < n_pixels:
            self._buffer = np.empty(n_pixels, np.float32)
        return ExactScores(self._buffer)

    def _chunks(
        self, kept: Sequence[int], shapes: Sequence[tuple[int, int]]
    ) -> Iterator[Sequence[int]]:
        """Cut the images into chunks of bounded bytes that hold whole batches."""
        size = self._settings.batch_size
        chunk: list[int] = []
        used = 0
        for start in range(0, len(kept), size):
            batch = kept[start : start + size]
            chunk += batch
            used += sum(shapes[i][0] * shapes[i][1] for i in batch) * BYTES_PER_PIXEL
            if used >= self._settings.chunk_bytes:
                yield chunk
                chunk, used = [], 0
        if chunk:
            yield chunk
