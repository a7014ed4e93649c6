"""Fit and calibrate, once: from a split and a detector to an operating point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from pytest_robustbench.datasets.notes import counted, notes_on_depth
from pytest_robustbench.datasets.pictures.duplicates import near_copies, shared_pictures
from pytest_robustbench.errors import CalibrationError, DatasetError, RobustbenchError
from pytest_robustbench.evaluation.measure.inventory import require_readable, take_inventory
from pytest_robustbench.evaluation.prepare.batch_check import check_batch_independence
from pytest_robustbench.evaluation.prepare.calibration import (
    CalibrationScores,
    RecalibrationScores,
)
from pytest_robustbench.evaluation.prepare.division import folds, held_out
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample, Split
    from pytest_robustbench.evaluation.measure.prediction import Predictor
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint, Recalibration
    from pytest_robustbench.evaluation.settings import CalibrationSettings

BATCH_CHECK_CANDIDATES = 8

UNSEEN_IMAGES_NEEDED = (
    "the detector is already fitted, so its own train images would give a threshold far too low "
    "(false positives 9 to 16 times the promised rate): declare calibration.images, a folder of "
    "normal images it has never seen, or an operating_point"
)
NOT_RECALIBRATED = "what recalibration would have changed is not known: {reason}"
WOULD_REFIT = "calibration.method crossfit would fit the detector once more for every fold"
NO_UNSEEN_IMAGES = (
    "the detector is already fitted, and there are no normal images that it has never seen "
    "(calibration.images)"
)


class Parts(NamedTuple):
    """What a detector is fitted on, what it is calibrated on, and the name of that method."""

    fit: Sequence[Sample]
    calibration: Sequence[Sample]
    method: str


@dataclass(frozen=True)
class Preparation:
    """Everything that fitting and calibrating one benchmark needs.

    Parameters
    ----------
    split : Split
        Train, calibration and test samples.
    store : PictureStore
        Decodes them.
    predictor : Predictor
        The detector.
    settings : CalibrationSettings
        How to calibrate.
    fitted : bool
        The detector has already seen its train images: it is not fitted here.
    given : OperatingPoint, optional
        Thresholds already in production. Calibrating only tells then what it would have changed,
        and where it cannot be done, a note says why.
    progress : callable
        Told ``(phase, done, total)``.
    """

    split: Split
    store: PictureStore
    predictor: Predictor
    settings: CalibrationSettings
    fitted: bool
    given: OperatingPoint | None
    progress: Callable[[str, int, int], None]
    notes: list[str] = field(default_factory=list)

    def run(self) -> OperatingPoint:
        """Fit unless fitted, check the detector, and return the operating point.

        Raises
        ------
        CalibrationError
            If there are no images to calibrate on that the detector has not seen.
        DatasetError
            If train or calibration images cannot be used: all of them in one message.
        DetectorError
            If the detector fails, or depends on its batch.
        """
        try:
            return self._run()
        except DatasetError:
            # Only now: in the good case nothing is decoded twice.
            require_readable([*self._train, *self.split.calibration], self.store)
            raise

    def _run(self) -> OperatingPoint:
        self._refuse_seen_test_images()
        if self.given is not None:
            return self._run_frozen(self.given)
        _, calibration, method = self._parts
        self._refuse_seen_calibration()
        scores = CalibrationScores(take_inventory(calibration, self.store), self.settings)
        if method == "crossfit":
            self._predict_out_of_fold(scores)
        self._fit(self._parts.fit)
        if method != "crossfit":
            self._predict(dict(enumerate(calibration)), scores)
        self._look_closer(calibration)
        return scores.operating_point(method)

    def _run_frozen(self, frozen: OperatingPoint) -> OperatingPoint:
        fit, calibration, _ = self._parts
        self._fit(fit)
        found: Recalibration | None = None
        try:
            found = self._recalibrated(frozen)
        except RobustbenchError as error:  # the frozen thresholds judge without it
            self.notes.append(NOT_RECALIBRATED.format(reason=error))
            calibration = ()
        self._look_closer(calibration)
        return replace(frozen, recalibrated=found)

    def _recalibrated(self, frozen: OperatingPoint) -> Recalibration:
        _, calibration, method = self._parts
        if method == "crossfit":
            raise CalibrationError(WOULD_REFIT)
        if not calibration:
            raise CalibrationError(NO_UNSEEN_IMAGES)
        self._refuse_seen_calibration()
        scores = RecalibrationScores(take_inventory(calibration, self.store), self.settings, frozen)
        self._predict(dict(enumerate(calibration)), scores)
        return scores.recalibration(method)

    def _look_closer(self, calibration: Sequence[Sample]) -> None:
        # Images it was fitted on are no test of it: a nearest neighbour's distances vanish there.
        self._check_batches(() if self._parts.method == "crossfit" else calibration)
        with self.predictor.worker_group.computing():
            self.notes.extend(self._seen_images(calibration))
            self.notes.extend(self._depths(calibration))

    @cached_property
    def _parts(self) -> Parts:
        train, own = self.split.train, self.split.calibration
        if self.fitted:
            if not own and self.given is None:
                raise CalibrationError(UNSEEN_IMAGES_NEEDED)
            return Parts((), own, "images")
        if own:
            return Parts(train, own, "images")
        if self.settings.method == "crossfit":
            return Parts(train, train, "crossfit")
        out = set(held_out([s.group for s in train], self.settings).tolist())
        fit = [s for i, s in enumerate(train) if i not in out]
        return Parts(fit, [s for i, s in enumerate(train) if i in out], "holdout")

    @cached_property
    def _train(self) -> Sequence[Sample]:
        """The train images; where nothing is fitted, those that can be read, and a note."""
        if not self.fitted:
            return self.split.train
        problems = {sample: self._problem(sample) for sample in self.split.train}
        unread = [problem for problem in problems.values() if problem]
        self.notes.extend(counted("train images that are not compared with the others", unread))
        return [sample for sample, problem in problems.items() if not problem]

    def _problem(self, sample: Sample) -> str:
        try:
            self.store.image_digest(sample)
        except DatasetError as error:
            return str(error)
        return ""

    def _fit(self, samples: Sequence[Sample]) -> None:
        if self.fitted:
            return
        self.progress("fit", 0, len(samples))
        with self.predictor.worker_group.computing():
            self.store.fill(samples)
        self.predictor.fit(TrainImages(samples, self.store))
        self.progress("fit", len(samples), len(samples))

    def _predict_out_of_fold(self, scores: CalibrationScores) -> None:
        for fold in self._folds():
            inside = dict(fold)
            self._fit([s for i, s in enumerate(self.split.train) if i not in inside])
            self._predict(inside, scores)

    def _predict(self, samples: Mapping[int, Sample], scores: CalibrationScores) -> None:
        for done, (index, sample) in enumerate(samples.items()):
            self.progress("calibrate", done, len(samples))
            image = self.store.load(sample).image
            (prediction,) = self.predictor.predict([image], [sample.id], "calibration")
            scores.add(index, prediction)
        self.progress("calibrate", len(samples), len(samples))

    def _check_batches(self, calibration: Sequence[Sample]) -> None:
        candidates = max(BATCH_CHECK_CANDIDATES, self.predictor.batch_size)
        samples = (calibration or self.split.test)[:candidates]
        images = [self.store.load(sample).image for sample in samples]
        note = check_batch_independence(self.predictor, images, [s.id for s in samples])
        if note:
            self.notes.append(note)

    def _seen_images(self, calibration: Sequence[Sample]) -> Iterator[str]:
        """Look last: by now every picture was decoded, and the store knows its digest."""
        seen = [*dict.fromkeys([*self._train, *calibration])]
        near = near_copies(self.split.test, seen, self.store)
        if near:
            twins = listed([f"{sample.id} and {other.id}" for sample, other in near])
            yield (
                f"{len(near)} test image(s) are near copies of train or calibration images, the "
                f"same photograph stored again ({twins}): results on them say little"
            )
        pairs = shared_pictures(calibration, self._parts.fit, self.store)
        if self._parts.method == "crossfit":
            fold = {sample: n for n, part in enumerate(self._folds()) for _, sample in part}
            pairs = [(a, b) for a, b in pairs if fold[a] != fold[b]]
        if pairs:
            what = _twins("calibration", "fit", pairs)
            which = "thresholds" if self.given is None else "recalibrated thresholds"
            yield f"{what}: the detector has seen them, and the {which} are too low"

    def _depths(self, calibration: Sequence[Sample]) -> tuple[str, ...]:
        own = self.split.calibration if calibration else ()
        parts = {"train": self._train, "calibration": own, "test": self.split.test}
        return notes_on_depth(
            {part: [self.store.traits(each) for each in samples] for part, samples in parts.items()}
        )

    def _folds(self) -> list[list[tuple[int, Sample]]]:
        """Return the train images of each fold, with their positions."""
        train = self.split.train
        parts = folds([s.group for s in train], self.settings)
        return [[(i, train[i]) for i in part.tolist()] for part in parts]

    def _refuse_seen_test_images(self) -> None:
        with self.predictor.worker_group.computing():
            pairs = shared_pictures(self.split.test, self._train, self.store)
        if pairs:
            twins = [f"{sample.id} is {other.id}" for sample, other in pairs]
            raise DatasetError(
                f"{len({sample for sample, _ in pairs})} test image(s) are also train images "
                f"({listed(twins)}): results on them say nothing, and a defect image among the "
                "normal ones contradicts itself. Take them out of one of the two parts"
            )

    def _refuse_seen_calibration(self) -> None:
        own = self.split.calibration
        if not own:
            return
        seen = shared_pictures(self._train, own, self.store)
        if seen:
            raise CalibrationError(_seen("train", "the detector has seen it", seen))
        leaked = shared_pictures(self.split.test, own, self.store)
        if leaked:
            raise CalibrationError(_seen("test", "the test set must stay unseen", leaked))


class TrainImages(Sequence["Image"]):
    """A sequence of (H, W, 3) uint8 RGB images, decoded when indexed.

    Every access returns a fresh writable array: a detector may do with it what it likes.

    Parameters
    ----------
    samples : sequence of Sample
        The samples, in order.
    store : PictureStore
        Decodes and caches within its memory budget.
    """

    def __init__(self, samples: Sequence[Sample], store: PictureStore) -> None:
        self._samples = samples
        self._store = store

    def __len__(self) -> int:
        return len(self._samples)

    @overload
    def __getitem__(self, index: int) -> Image: ...

    @overload
    def __getitem__(self, index: slice) -> list[Image]: ...

    def __getitem__(self, index: int | slice) -> Image | list[Image]:
        if isinstance(index, slice):
            return [self._load(sample) for sample in self._samples[index]]
        return self._load(self._samples[index])

    def _load(self, sample: Sample) -> Image:
        return np.array(self._store.load(sample).image)


def _twins(part: str, other: str, pairs: Sequence[tuple[Sample, Sample]]) -> str:
    ids = dict.fromkeys(sample.id for sample, _ in pairs)
    return f"{len(ids)} {part} image(s) are also {other} images ({listed(ids)})"


def _seen(part: str, why: str, pairs: Sequence[tuple[Sample, Sample]]) -> str:
    first, second = pairs[0]
    return (
        f"{len(pairs)} calibration image(s) are also {part} images ({second.id} is {first.id}): "
        f"{why}. Calibrate on normal images that are in no other part"
    )
