"""What a detector does wrong is named: by detector, condition and image; nothing else suffers."""

from __future__ import annotations

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import DetectorError, NotMeasurableError
from tests.evaluation.evaluation_parts import Contrast, benchmark, split

BLUR = rb.Condition("blur", 1)


class Spoilt(Contrast):
    """Goes wrong on one test picture; the picture is known by its pixels."""

    def __init__(self, spoil, parts, index=5, condition="clean"):
        super().__init__()
        self.spoil = spoil
        image = parts.test[index].image
        if condition != "clean":
            name, severity = condition
            sample = parts.test[index].id
            image = rb.corrupt(image, None, name, severity=severity, sample_id=sample).image
        self.victim = image.tobytes()

    def predict(self, images):
        prediction = super().predict(images)
        hit = [i for i, image in enumerate(images) if image.tobytes() == self.victim]
        return self.spoil(prediction, hit[0]) if hit else prediction


def spoil_score(value):
    def spoil(prediction, index):
        scores = prediction.scores.copy()
        scores[index] = value
        return rb.Prediction(scores, prediction.maps)

    return spoil


def spoil_map(value):
    def spoil(prediction, index):
        prediction.maps[index][3, 4] = value
        return prediction

    return spoil


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("spoil", "what"), [(spoil_score, "score"), (spoil_map, "anomaly map")], ids=["score", "map"]
)
def test_a_number_that_is_not_finite_is_named(spoil, what, value, batch_size):
    parts = split()
    detector = Spoilt(spoil(value), parts)
    subject = benchmark(parts, detector, evaluation={"batch_size": batch_size})

    with pytest.raises(NotMeasurableError) as raised:
        subject.evaluate(CLEAN)

    message = str(raised.value)
    assert f"detector 'contrast', clean: NaN or infinity in the {what}" in message
    assert message.endswith("test/good/001")


def test_a_score_beyond_float32_is_not_finite():
    parts = split()
    detector = Spoilt(lambda p, _: rb.Prediction([1e300], p.maps), parts)

    with pytest.raises(NotMeasurableError, match="infinity in the score of image test/good/001"):
        benchmark(parts, detector).evaluate(CLEAN)


def test_the_other_conditions_stay_intact():
    parts = split()
    subject = benchmark(
        parts,
        Spoilt(spoil_score(np.nan), parts, condition=("blur", 1)),
        corruptions=["blur"],
        severities=[1, 2],
    )

    report = subject.run()

    assert report.missing == ("blur-severity_1",)
    assert "blur-severity_1: NaN" in report.records["blur-severity_1"]["error"]
    assert not report.complete
    fine = benchmark().evaluate(rb.Condition("blur", 2))
    measured = report.records["blur-severity_2"]
    assert measured["results"]["auroc"] == fine.metrics["auroc"]
    assert measured["data_digest"] == fine.data_digest


def test_nan_while_calibrating_names_the_image():
    class Broken(Contrast):
        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores * np.nan, prediction.maps)

    with pytest.raises(NotMeasurableError, match=r"calibration: NaN .* of image train/good/0"):
        benchmark(detector=Broken()).prepare()


def raising(prediction, index):
    raise RuntimeError("no kernel image")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (raising, "raised on image test/good/001 .clean.: RuntimeError: no kernel image"),
        (lambda *_: None, "clean, image test/good/001: predict returned None"),
        (lambda p, _: rb.Prediction(p.scores[:0], p.maps), r"test/good/001: .* shape \(0,\)"),
        (lambda p, _: rb.Prediction(p.scores, p.maps * 2), "test/good/001: .* 2 of them"),
        (lambda p, _: rb.Prediction(p.scores, [p.maps[0][0]]), r"test/good/001: .* one of shape"),
        (lambda p, _: rb.Prediction(["high"], p.maps), "test/good/001: .* scores as a list"),
    ],
    ids=["raises", "none", "no score", "two maps", "a row", "text"],
)
def test_a_wrong_answer_names_detector_condition_and_image(spoil, problem):
    parts = split()

    with pytest.raises(DetectorError, match=f"detector 'contrast'.*{problem}"):
        benchmark(parts, Spoilt(spoil, parts)).evaluate(CLEAN)


def test_maps_for_some_images_only_are_refused():
    parts = split()
    detector = Spoilt(lambda p, _: rb.Prediction(p.scores), parts)

    with pytest.raises(NotMeasurableError, match="maps for 7 of 8 images: all or none"):
        benchmark(parts, detector).evaluate(CLEAN)


def test_maps_for_some_calibration_images_only_are_refused():
    class Sparse(Contrast):
        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores, None) if len(self.calls) > 3 else prediction

    with pytest.raises(NotMeasurableError, match="maps for 3 of 6 images: all or none"):
        benchmark(detector=Sparse()).prepare()


def test_a_detector_that_raises_in_fit_is_named():
    class Unlucky(Contrast):
        def fit(self, images):
            raise MemoryError(f"{len(images)} images")

    with pytest.raises(DetectorError, match="'contrast' raised in fit: MemoryError: 24 images"):
        benchmark(detector=Unlucky()).prepare()


def test_a_detector_may_write_into_what_it_is_given():
    class Vandal(Contrast):
        def fit(self, images):
            super().fit(images)
            for image in images:
                image[:] = 0

        def predict(self, images):
            prediction = super().predict(images)
            for image in images:
                image[:] = 0
            return prediction

    subject = benchmark(detector=Vandal())

    for condition in (CLEAN, BLUR, CLEAN):
        tidy = benchmark().evaluate(condition)
        result = subject.evaluate(condition)
        assert result.per_image.score.tolist() == tidy.per_image.score.tolist()
        assert result.digests == tidy.digests
        assert result.metrics["aupro"] == tidy.metrics["aupro"]


def test_a_detector_may_fill_the_same_buffer_again():
    class Reusing(Contrast):
        def __init__(self):
            super().__init__()
            self.buffer = np.empty((1, 24, 32), np.float32)

        def predict(self, images):
            prediction = super().predict(images)
            if len(images) > 1:
                return prediction
            self.buffer[0] = prediction.maps[0]
            return rb.Prediction(prediction.scores, self.buffer)

    result = benchmark(detector=Reusing()).evaluate(CLEAN)

    assert result.metrics["aupro"] == benchmark().evaluate(CLEAN).metrics["aupro"]


def test_with_given_thresholds_a_broken_test_image_fails_its_conditions_only():
    parts = split()
    point = benchmark(parts).prepare()
    detector = Spoilt(spoil_score(np.nan), parts, index=0)
    subject = benchmark(parts, detector, operating_point=point)

    with pytest.raises(NotMeasurableError, match=r"clean.*test/blot/000"):
        subject.evaluate(CLEAN)
    assert subject.evaluate(BLUR).metrics["auroc"] == 1.0
