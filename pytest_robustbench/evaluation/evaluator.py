"""Measures conditions: prepare once, then any condition in any order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import SEVEREST, Condition
from pytest_robustbench.corruptions.digests import condition_digest
from pytest_robustbench.datasets.notes import notes_on_orientation
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.errors import NotMeasurableError
from pytest_robustbench.evaluation.machine.latency import Stopwatch, device_synchronizer
from pytest_robustbench.evaluation.machine.memory import MemoryWatch
from pytest_robustbench.evaluation.machine.reference import computing_device, reference_for
from pytest_robustbench.evaluation.machine.worker_group import SingleProcess
from pytest_robustbench.evaluation.measure.exhibits import Exhibition
from pytest_robustbench.evaluation.measure.headroom import notes_on_headroom
from pytest_robustbench.evaluation.measure.measures import Applied, Measures
from pytest_robustbench.evaluation.measure.postprocessing import Postprocessing
from pytest_robustbench.evaluation.measure.prediction import Predictor
from pytest_robustbench.evaluation.measure.repetition import FirstResult
from pytest_robustbench.evaluation.measure.sample_sets import RecordedSets, distinct_samples
from pytest_robustbench.evaluation.measure.scenes import Scenes
from pytest_robustbench.evaluation.prepare.preparation import Preparation
from pytest_robustbench.evaluation.prepare.shared_preparation import SharedPreparation
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings
from pytest_robustbench.evaluation.sweep import Sweep
from pytest_robustbench.evaluation.tolerance.measurement import ToleranceMeasurement
from pytest_robustbench.evaluation.tolerance.rungs import Rungs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
    from pytest_robustbench.datasets.split import Sample, Split
    from pytest_robustbench.detectors.protocol import Detector
    from pytest_robustbench.evaluation.machine.reference import Reference
    from pytest_robustbench.evaluation.machine.worker_group import WorkerGroup
    from pytest_robustbench.evaluation.measure.sample_sets import RecordedSet, SampleSet
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult, PeakMemory
    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.metrics.metric import Metric, SideName

    Progress = Callable[[str, int, int], None]

DRAWS = 2
"""Of every image, where a corruption draws: another draw decides many images near the threshold."""
NEVER_REPEATED = (
    "the detector could predict none of the uncorrupted test images before the first condition: "
    "whether its results change with what it has seen cannot be checked"
)


def silent(phase: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Prepared:
    """What preparing once leaves behind.

    Parameters
    ----------
    operating_point : OperatingPoint
        The frozen thresholds.
    notes : tuple of str
        Observations for the record.
    memory : PeakMemory
        While fitting and calibrating.
    fitted_here : bool
        Whether this process fitted and calibrated; else another one on this host did.
    first_result : FirstResult, optional
        What the detector says of a test image; ``None`` where it can say nothing of any.
    model : str, optional
        `fingerprint` of the fitted detector.
    """

    operating_point: OperatingPoint
    notes: tuple[str, ...]
    memory: PeakMemory
    fitted_here: bool = True
    first_result: FirstResult | None = None
    model: str | None = None


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
        Thresholds already in production, which judge; calibrating only tells what it would have
        changed, where there are images for it.
    recorded : mapping of str to Split or callable, optional
        Sets recorded under drift, of which the test part is measured; a function is called when its
        condition is.
    metrics : tuple of Metric
        Metrics of one's own, measured beside the built-in ones.
    worker_group : WorkerGroup, optional
        Other processes of the run on this host; by default there are none.
    progress : callable
        Told ``(phase, done, total)``.
    exhibits : bool
        Whether results keep small pictures of their worst images.
    tolerances : mapping of str to limits, optional
        Corruptions along whose severities a tolerance may be looked for, each with the shares of
        parts above which decisions are broken there; see `breaks_of`.
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
        recorded: Mapping[str, RecordedSet] | None = None,
        metrics: tuple[Metric, ...] = (),
        worker_group: WorkerGroup | None = None,
        progress: Progress = silent,
        exhibits: bool = False,
        tolerances: Mapping[str, Mapping[SideName, float]] | None = None,
    ) -> None:
        self.split = split
        self.calibration = calibration or CalibrationSettings()
        self.settings = settings or EvaluationSettings()
        self.metrics = metrics
        self.fitted = fitted
        self.progress = progress
        self.exhibits = exhibits
        postprocess = Postprocessing(self.settings.gaussian_sigma)
        self.worker_group = worker_group or SingleProcess()
        self.predictor = Predictor(
            detector, self.settings.batch_size, postprocess, self.worker_group
        )
        self._given = None if operating_point is None else operating_point.as_given()
        self._store = PictureStore(
            split.resize, self.settings.picture_bytes, self.settings.image_budget
        )
        self._recorded = RecordedSets(recorded or {}, split, self._store)
        self._corruptions = corruptions
        self._tolerances = tolerances or {}
        self._scores: dict[Condition, Floats] = {}
        self._prepared: Prepared | None = None

    @cached_property
    def tested(self) -> SampleSet:
        """The test samples, each picture once; looked at when first asked for.

        Raises
        ------
        DatasetError
            If they cannot be read, or contradict each other.
        """
        with self.worker_group.computing():
            return distinct_samples(self.split.test, self._store)

    @cached_property
    def _scenes(self) -> Scenes:
        return self._drawn(0)

    def _drawn(self, draw: int) -> Scenes:
        """Return the test images with other draws than those of the conditions, but for the 0th."""
        seed = self.settings.seed + draw
        return Scenes(self.tested.samples, self._store, self._corruptions, seed)

    @cached_property
    def _sweep(self) -> Sweep:
        return self._sweep_over(self._scenes)

    def prepare(self) -> Prepared:
        """Fit and calibrate; the second call returns what the first one found.

        Raises
        ------
        RobustbenchError
            If the data cannot be read, the detector fails, or no operating point can be derived.
        """
        if self._prepared is None:
            self._prepared = self._prepare()
        return self._prepared

    def evaluate(self, condition: Condition) -> ConditionResult:
        """Measure one condition at the frozen operating point.

        Raises
        ------
        RobustbenchError
            If the condition cannot be measured; the message names the image where there is one.
        """
        prepared = self.prepare()
        measured = self._sample_set(condition)
        inventory = measured.inventory
        scenes, sweep = self._measuring(condition)
        kept = scenes.kept(condition)
        if not kept:
            raise NotMeasurableError(f"{condition.id} leaves out every test image")
        stopwatch = self._stopwatch()
        memory = MemoryWatch()
        point = prepared.operating_point
        exhibition = Exhibition(inventory.labels, point) if self.exhibits else None
        tally = sweep.measure(
            condition,
            kept,
            inventory,
            point.pixel_threshold,
            others=point.other_pixel_thresholds,
            stopwatch=stopwatch,
            progress=self.progress,
            exhibition=exhibition,
        )
        scenes.require_changed(condition)
        if prepared.first_result is None:
            raise NotMeasurableError(NEVER_REPEATED)
        prepared.first_result.require_again(condition.id)
        specification = scenes.specification(condition)
        digest = condition_digest(
            specification,
            condition.severity,
            [inventory.ids[i] for i in kept],
            [tally.digests[i] for i in kept],
        )
        applied = Applied(specification, scenes.level(condition), digest)
        measures = Measures(tally, inventory, point, self.settings, self.metrics)
        latency = stopwatch.latency(min(self.settings.batch_size, len(kept)))
        with self.worker_group.computing():
            result = measures.result(condition, latency, applied, memory.peak())
        if not condition.recorded:
            self._scores[condition] = tally.score
        shown = exhibition.exhibits if exhibition else ()
        return replace(result, notes=measured.notes, exhibits=shown)

    def tolerance(self, condition: Condition) -> ToleranceResult:
        """Find where image decisions break along the severities of a corruption.

        Raises
        ------
        RobustbenchError
            If a severity cannot be measured, or there are too few parts to see both sides.
        """
        prepared = self.prepare()
        scenes = (self._scenes, *(self._drawn(draw) for draw in range(1, DRAWS)))
        found = ToleranceMeasurement(
            condition,
            self._corruptions[condition.ladder],
            Rungs(condition, scenes, self._sweep_over, self._scores, self.progress),
            self._tolerances.get(condition.ladder, {}),
            prepared.operating_point,
            self.tested.inventory,
            self.specification(condition),
        ).result()
        if prepared.first_result is None:
            raise NotMeasurableError(NEVER_REPEATED)
        prepared.first_result.require_again(condition.id)
        return found

    def _sweep_over(self, scenes: Scenes) -> Sweep:
        return Sweep(scenes, self.predictor, self.settings)

    def _stopwatch(self) -> Stopwatch:
        waiting = device_synchronizer(self.predictor.detector, self._device)
        return Stopwatch(waiting, self._reference, self._device)

    @cached_property
    def _device(self) -> str:
        """Where the fitted detector computes."""
        return computing_device(self.predictor.detector)

    @cached_property
    def _reference(self) -> Reference:
        return reference_for(self._device)

    def specification(self, condition: Condition) -> Mapping[str, Any]:
        """Return what decides the pixels of a condition beside its sources; empty for clean."""
        if condition.ladder:
            along = self._scenes.specification(Condition(condition.ladder, SEVEREST))
            limits = dict(self._tolerances.get(condition.ladder, {}))
            return {"name": condition.corruption, "ladder": along, "limits": limits}
        return self._scenes.specification(condition)

    def release(self) -> None:
        """Give back decoded images and other memory; what is needed again is read again."""
        self._store.clear()
        self._sweep.release()

    def picture(self, condition: Condition, index: int) -> tuple[Corrupted, Floats | None]:
        """Return one picture of a condition and its anomaly map at mask resolution."""
        self.prepare()
        scenes, _ = self._measuring(condition)
        corrupted = scenes.under(condition, index).corrupted
        sample = scenes.samples[index]
        (prediction,) = self.predictor.predict([corrupted.image], [sample.id], condition.id)
        return corrupted, prediction.map

    def samples(self, condition: Condition) -> Sequence[Sample]:
        """Return the samples that the columns of a condition's result speak of, in their order."""
        return self._sample_set(condition).samples

    def _sample_set(self, condition: Condition) -> SampleSet:
        if condition.recorded:
            return self._recorded.read(condition.recorded, self.tested.inventory)
        return replace(self.tested, notes=())  # told once, in the header

    def _measuring(self, condition: Condition) -> tuple[Scenes, Sweep]:
        """Return what measures a condition: that of the test part is kept, as it serves many."""
        if not condition.recorded:
            return self._scenes, self._sweep
        # What sweeps over the test part have in common gives its memory to this one.
        self._sweep.release()
        scenes = Scenes(self.samples(condition), self._store, {}, self.settings.seed)
        return scenes, Sweep(scenes, self.predictor, self.settings)

    def _prepare(self) -> Prepared:
        memory = MemoryWatch()
        preparation = Preparation(
            split=replace(self.split, test=self.tested.samples),
            store=self._store,
            predictor=self.predictor,
            settings=self.calibration,
            fitted=self.fitted,
            given=self._given,
            progress=self.progress,
        )
        shared = SharedPreparation(self.worker_group, preparation)
        found = shared.run()
        turned = notes_on_orientation(self.split)
        traits, response = self.tested.inventory.traits, self.split.response
        clipped = notes_on_headroom(traits, response, (c.key for c in self._corruptions.values()))
        notes = (*found.notes, *self.tested.notes, *turned, *self._lost_defects(), *clipped)
        return Prepared(
            found.operating_point,
            notes,
            memory.peak(),
            shared.fitted_here,
            FirstResult.of(self.predictor, self.tested.samples, self._store),
            found.model,
        )

    def _lost_defects(self) -> Iterator[str]:
        """Say where nobody can tell whether a defect stays in the frame."""
        unknown, moving = len(self.tested.inventory.unknown_masks), self._scenes.moving()
        if unknown and moving:
            yield (
                f"{unknown} defect image(s) without a mask may have lost their defect to "
                f"{', '.join(moving)}"
            )
