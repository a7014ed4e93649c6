"""Frozen thresholds judge; beside them stands what recalibration would have changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import CalibrationError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.reports.file.record import condition_record
from tests.evaluation.evaluation_parts import Contrast, Scores, benchmark, normal, split

FROZEN = OperatingPoint(pixel_threshold=12.5, image_threshold=20.0)
JPEG = rb.Condition("jpeg", 3)
UNSEEN = tuple(normal(f"calibration/{i:03d}", 500 + i) for i in range(25))
COMPARED = ("pixel_segf1", "bg_fpr", "normal_fpr", "miss_rate", "false_reject_rate")


class Fitted(Contrast):
    """A model file: fitting it again is a mistake."""

    def __init__(self):
        super().__init__()
        self.mean = 127.5

    def fit(self, images):
        raise AssertionError(f"fitted again, on {len(images)} images")


WAYS = {
    "holdout": ({}, Contrast),
    "images of their own": ({"parts": split(calibration=UNSEEN)}, Contrast),
    "already fitted": ({"parts": split(calibration=UNSEEN), "fitted": True}, Fitted),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request):
    options, detector = request.param
    return lambda **more: benchmark(detector=detector(), **options, **more)


def test_recalibration_tells_what_a_calibrated_run_finds(way):
    calibrated, deployed = way(), way(operating_point=FROZEN)
    point, found = calibrated.prepare(), deployed.prepare().recalibrated

    assert (found.pixel_threshold, found.image_threshold) == (
        point.pixel_threshold,
        point.image_threshold,
    )
    assert (found.method, found.n_images) == (point.method, point.n_images)
    assert found.calibrated_on == point.calibrated_on
    for condition in (CLEAN, JPEG):
        expected = calibrated.evaluate(condition).metrics
        result = deployed.evaluate(condition)
        assert result.recalibrated == {name: expected[name] for name in COMPARED}
        assert result.metrics["pixel_segf1"] != expected["pixel_segf1"]


def test_the_frozen_thresholds_judge(way):
    point = way(operating_point=FROZEN).prepare()
    result = way(operating_point=FROZEN).evaluate(CLEAN)

    assert point == FROZEN
    assert point.digest == FROZEN.digest
    assert (result.pixel_threshold, result.image_threshold) == (12.5, 20.0)


def test_frozen_thresholds_are_held_against_what_they_promised():
    detector, parts = Fitted(), split(calibration=UNSEEN)
    maps = [detector.map(sample.image) for sample in UNSEEN]
    scores = np.array([detector.score(m) for m in maps])
    pixel, image = float(np.quantile(maps, 0.9)), float(np.median(scores))

    frozen = OperatingPoint(pixel, image, pixel_normal_quantile=0.995)
    found = benchmark(parts, detector, fitted=True, operating_point=frozen).prepare().recalibrated

    assert found.calibration_normal_fpr == np.mean(np.array(maps) > np.float32(pixel))
    assert found.promised_normal_fpr == 0.005
    assert found.calibration_false_reject_rate == np.mean(scores > np.float32(image))
    assert found.promised_false_reject_rate == 0.05  # as declared: the frozen point does not say


@pytest.mark.parametrize("point", [None, FROZEN], ids=["calibrated", "frozen"])
def test_every_record_names_its_operating_point(point):
    subject = benchmark(operating_point=point)
    records = [condition_record(subject.evaluate(c)) for c in (CLEAN, JPEG)]

    digest = subject.header().operating_point.digest
    assert [record["operating_point"] for record in records] == [digest] * 2
    assert ["recalibrated" in record for record in records] == [point is not None] * 2


def test_without_frozen_thresholds_nothing_is_counted_twice():
    subject = benchmark()

    assert subject.evaluate(CLEAN).recalibrated is None
    assert subject.prepare().recalibrated is None


def reason(subject):
    """The one note that says why nothing was recalibrated; the frozen thresholds still judge."""
    result = subject.evaluate(CLEAN)
    assert result.metrics["miss_rate"] is not None
    assert result.pixel_threshold == 12.5
    assert result.recalibrated is None
    assert subject.header().operating_point.recalibrated is None
    (note,) = [n for n in subject.header().notes if n.startswith("what recalibration would")]
    return note


def test_crossfit_is_not_fitted_again():
    detector = Contrast()
    options = {"calibration": {"method": "crossfit"}, "operating_point": FROZEN}

    assert "crossfit" in reason(benchmark(detector=detector, **options))
    assert len(detector.fits) == 1


def test_a_fitted_detector_without_unseen_images_says_so():
    note = reason(benchmark(detector=Fitted(), fitted=True, operating_point=FROZEN))

    assert "calibration.images" in note


class Constant(Fitted):
    """Maps of normal images hold one value, so that no quantile means anything."""

    def predict(self, images):
        scores = np.array([image.mean() for image in images], np.float32)
        return Prediction(scores, np.full((len(images), *images[0].shape[:2]), 3, np.float32))


class Choking(Fitted):
    """Calls on the first calibration image fail."""

    def predict(self, images):
        if any(np.array_equal(image, UNSEEN[0].image) for image in images):
            raise RuntimeError("choked")
        return super().predict(images)


@pytest.mark.parametrize(
    ("detector", "calibration", "problem"),
    [
        (Constant, UNSEEN, "maps of the calibration images are constant"),
        (Choking, UNSEEN, "calibration/000.*choked"),
        (Fitted, (*UNSEEN, replace(split().train[3], id="copy")), "copy is train/good/003"),
        (Fitted, (*UNSEEN, replace(split().test[-1], id="copy")), "copy is test/good/003"),
    ],
    ids=["constant maps", "failing", "seen in training", "of the test set"],
)
def test_a_calibration_that_fails_fails_no_run(detector, calibration, problem):
    parts = split(calibration=calibration)
    subject = benchmark(parts, detector(), fitted=True, operating_point=FROZEN)

    assert re.search(problem, reason(subject), re.DOTALL)


def test_broken_calibration_images_fail_no_run(tmp_path):
    broken = replace(UNSEEN[3], image=tmp_path / "gone.png")
    parts = split(calibration=(*UNSEEN[:3], broken))

    note = reason(benchmark(parts, Fitted(), fitted=True, operating_point=FROZEN))

    assert "gone.png" in note


def test_a_detector_without_maps_has_image_metrics_only():
    result = benchmark(detector=Scores(), operating_point=FROZEN).evaluate(CLEAN)

    found = result.recalibrated
    assert found["miss_rate"] is not None
    assert [found[name] for name in COMPARED[:3]] == [None] * 3


def test_switched_off_segf1_stays_off():
    subject = benchmark(operating_point=FROZEN, evaluation={"pixel_segf1": False})

    assert subject.evaluate(CLEAN).recalibrated["pixel_segf1"] is None


def test_a_report_with_recalibration_is_an_operating_point_too(tmp_path):
    report = benchmark(operating_point=FROZEN, corruptions=[]).run()
    report.write(tmp_path / "report.json")

    read = OperatingPoint.read(tmp_path / "report.json")
    whole = OperatingPoint.from_dict(report.to_dict()["operating_point"])

    assert read == FROZEN
    assert read.recalibrated is None
    assert whole.recalibrated == benchmark(operating_point=FROZEN).prepare().recalibrated


@pytest.mark.parametrize("edited", [[], {"pixel_threshold": 3.0}, "text", {"warnings": 3}])
def test_a_damaged_recalibration_is_refused_in_words(edited):
    plain = json.loads(json.dumps(benchmark(operating_point=FROZEN).prepare().to_dict()))
    if isinstance(edited, dict) and "warnings" in edited:
        edited = plain["recalibrated"] | edited

    with pytest.raises(CalibrationError, match="what recalibration would have given"):
        OperatingPoint.from_dict({**plain, "recalibrated": edited})
