"""What changes during a run ends no condition as measured: neither pictures nor the detector."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import DatasetError, DetectorError, NotMeasurableError
from pytest_robustbench.evaluation.measure.prediction import ImagePrediction
from pytest_robustbench.evaluation.measure.repetition import difference
from tests.evaluation.evaluation_parts import (
    Contrast,
    Scores,
    benchmark,
    defect,
    normal,
    picture,
    split,
)

BLUR = rb.Condition("blur", 2)


def steady(_):
    return 0


class Changing(Contrast):
    """Every map is moved by what `shift` says, given the number of images seen so far."""

    name = "changing"

    def __init__(self, shift):
        super().__init__()
        self.seen = 0
        self.shift = shift

    def predict(self, images):
        self.seen += len(images)
        prediction = super().predict(images)
        moved = np.float32(self.shift(self.seen))
        return rb.Prediction(prediction.scores + moved, [m + moved for m in prediction.maps])


def message_of(subject, condition):
    with pytest.raises(DetectorError) as raised:
        subject.evaluate(condition)
    message = str(raised.value)
    assert "says something else of the same image: test/blot/000, uncorrupted" in message
    assert f"to the end of {condition.id}; " in message
    assert "model.eval()" in message
    return message


def prepared(detector, **more):
    subject = benchmark(detector=detector, **more)
    subject.prepare()
    return subject


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_detector_that_changes_while_a_condition_is_measured_is_named(batch_size):
    detector = Changing(steady)
    subject = prepared(detector, evaluation={"batch_size": batch_size})
    assert subject.evaluate(BLUR).metrics["auroc"] > 0.5
    start = detector.seen
    detector.shift = lambda seen: 0.5 * (seen > start + 4)

    message = message_of(subject, CLEAN)

    assert "has changed by 0.5" in message
    # It is not the detector that was calibrated any more, whatever is asked of it.
    message_of(subject, BLUR)


def test_a_drift_too_slow_for_one_condition_is_found_once_it_has_added_up():
    detector = Changing(steady)
    subject = prepared(detector)
    start = detector.seen
    detector.shift = lambda seen: 0.0005 * (seen - start)

    subject.evaluate(CLEAN)
    with pytest.raises(DetectorError, match="says something else of the same image"):
        list(map(subject.evaluate, subject.conditions[1:]))


def test_a_map_alone_that_changes_is_found():
    class Restless(Changing):
        def predict(self, images):
            prediction = Contrast.predict(self, images)
            self.seen += 1
            for one in prediction.maps:
                one[0, 0] += self.shift(self.seen)
            return prediction

    detector = Restless(steady)
    subject = prepared(detector)
    detector.shift = lambda _: 3
    message_of(subject, CLEAN)


def test_scores_without_maps_are_compared_as_well():
    detector = Scores()
    subject = prepared(detector)
    detector.mean += 5
    message_of(subject, CLEAN)


def test_noise_below_what_batches_round_is_no_change():
    noise = np.random.default_rng(0)
    detector = Changing(lambda _: 1e-4 * noise.uniform(-1, 1))
    assert prepared(detector).evaluate(CLEAN).metrics["auroc"] == 1.0


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_detector_that_leaves_results_to_chance_is_named_before_anything_is_measured(batch_size):
    noise = np.random.default_rng(0)
    subject = benchmark(
        detector=Changing(lambda _: noise.uniform(-1, 1)), evaluation={"batch_size": batch_size}
    )
    with pytest.raises(DetectorError) as raised:
        subject.prepare()
    assert "when it was predicted again, alone as before" in str(raised.value)
    assert "no dropout" in str(raised.value)


def test_the_repetition_enters_no_result():
    detector = Contrast()
    subject = prepared(detector)
    before = len(detector.calls)
    result = subject.evaluate(CLEAN)
    assert len(detector.calls) - before == len(result.latency.calls) + 2  # the warm-up, and again
    assert result.per_image.score.size == 8


class InFours(Contrast):
    def predict(self, images):
        if len(images) != 4:
            raise ValueError("static batch of 4")
        return super().predict(images)


def test_a_detector_of_one_batch_size_is_asked_again_in_its_own():
    detector = InFours()
    point = rb.OperatingPoint.from_dict({"pixel_threshold": 30.0, "image_threshold": 30.0})
    subject = prepared(detector, evaluation={"batch_size": 4}, operating_point=point)
    subject.evaluate(CLEAN)
    detector.mean += 5
    message_of(subject, CLEAN)


def test_an_image_that_cannot_be_predicted_is_not_the_one_that_is_asked_again():
    class Choosy(Contrast):
        def predict(self, images):
            if any(np.array_equal(image, first) for image in images):
                raise ValueError("no")
            return super().predict(images)

    parts = split()
    first = parts.test[0].image
    subject = benchmark(parts, Choosy())
    with pytest.raises(DetectorError, match="ValueError: no"):
        subject.evaluate(CLEAN)
    assert subject.evaluate(BLUR).metrics["auroc"] > 0.5


def test_where_no_image_could_be_predicted_nothing_is_taken_for_steady():
    class Late(Contrast):
        broken = False

        def predict(self, images):
            if self.broken:
                raise ValueError("not yet")
            return super().predict(images)

    test = [normal("test/a", 901), *split().test]
    detector = Late()
    subject = benchmark(split(test=test), detector)
    point = subject.prepare()
    detector.broken = True
    again = benchmark(split(test=test), detector, fitted=True, operating_point=point)
    again.prepare()
    detector.broken = False
    with pytest.raises(NotMeasurableError, match="could predict none of the uncorrupted"):
        again.evaluate(CLEAN)


# ---- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [0, 1 << 30], ids=["decoded again", "kept"])
def test_an_image_that_changes_fails_every_condition_from_then_on(tmp_path, budget):
    file = tmp_path / "good.png"
    cv2.imwrite(str(file), picture(901))
    test = [*split().test, rb.Sample("test/good/x", 0, file)]
    subject = benchmark(split(test=test), evaluation={"memory_budget": budget})
    assert subject.evaluate(CLEAN).per_image.score.size == 9

    cv2.imwrite(str(file), picture(902))

    for condition in (CLEAN, BLUR):
        with pytest.raises(DatasetError, match=rf"'test/good/x': its image {file} has changed"):
            subject.evaluate(condition)


def test_an_image_of_a_recorded_set_that_changes_fails_its_condition(tmp_path):
    file = tmp_path / "good.png"
    cv2.imwrite(str(file), picture(777))
    recorded = split(test=[defect("test/blot/y", 778), rb.Sample("test/good/x", 0, file)], train=[])
    subject = benchmark(recorded={"night": recorded}, evaluation={"memory_budget": 0})
    night = next(c for c in subject.conditions if c.recorded)
    subject.evaluate(night)

    cv2.imwrite(str(file), picture(779))

    with pytest.raises(DatasetError, match=rf"'test/good/x': its image {file} has changed"):
        subject.evaluate(night)
    subject.evaluate(CLEAN)


def test_a_train_image_that_changes_between_folds_is_named(tmp_path):
    file = tmp_path / "good.png"
    cv2.imwrite(str(file), picture(1))

    class Writing(Contrast):
        def fit(self, images):
            super().fit(images)
            cv2.imwrite(str(file), picture(len(self.fits)))

    train = [*split().train, rb.Sample("train/good/x", 0, file)]
    subject = benchmark(
        split(train=train),
        Writing(),
        calibration={"method": "crossfit", "folds": 2},
        evaluation={"memory_budget": 0},
    )
    with pytest.raises(DatasetError, match=rf"'train/good/x': its image {file} has changed"):
        subject.prepare()


# ---- what rounding explains ----------------------------------------------------------------------


def said(score, *values):
    return ImagePrediction(score, np.array([values], np.float32) if values else None)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (said(-5.0), said(-5.0 * 1.0009), 0),
        (said(-5.0), said(-5.0 * 1.0011), 0.0055),
        (said(5.0, 0, 10), said(5.0, 0, 10.009), 0),  # a thousandth of the range of the map
        (said(5.0, 0, 10), said(5.0, 0.012, 10), 0.012),
        (said(5.0, 90, 100), said(5.0, 90.02, 100), 0.02),  # and not of its level
        (said(30.0, 90, 100), said(30.0, 90.02, 100), 0),
        (said(5.0, 0, 10), said(5.02, 0, 10), 0.02),
        (said(1.0, 2, 3), said(1.0), np.inf),
        (said(1.0), said(1.0, 2, 3), np.inf),
    ],
)
def test_what_differs_by_more_than_a_thousandth_is_no_rounding(one, other, expected):
    assert difference(one, other) == pytest.approx(expected, rel=1e-3)
    assert difference(other, one) == pytest.approx(expected, rel=1e-3)
