"""What a detector is given, and what is done to what it returns."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.errors import ConfigError
from tests.evaluation.evaluation_parts import Contrast, benchmark, split


class Staged(Contrast):
    """Takes labels of images it was shown before, as a detector of paths takes paths."""

    def __init__(self):
        super().__init__()
        self.shelf = {}

    def stage_inputs(self, images):
        labels = [f"picture {len(self.shelf) + i}" for i in range(len(images))]
        self.shelf |= dict(zip(labels, images, strict=True))
        return labels

    def predict(self, images):
        assert all(isinstance(label, str) for label in images)
        return super().predict([self.shelf[label] for label in images])


def test_a_detector_that_stages_its_inputs_is_given_what_it_staged():
    staged = benchmark(split(), Staged(), corruptions=["blur"], severities=[1]).run()
    plain = benchmark(split(), Contrast(), corruptions=["blur"], severities=[1]).run()

    for condition in ("clean", "blur-severity_1"):
        scores = [r.records[condition]["per_image"]["score"] for r in (staged, plain)]
        assert scores[0] == scores[1]


def test_staging_is_not_timed(monkeypatch):
    clock = iter(range(10**9))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    running = []
    detector = Staged()
    stage, predict = detector.stage_inputs, detector.predict

    def slow_stage(images):
        for _ in range(100_000):
            next(clock)
        return stage(images)

    def noted(images):
        running.append(1)
        return predict(images)

    detector.stage_inputs, detector.predict = slow_stage, noted

    result = benchmark(split(), detector, corruptions=[]).evaluate(rb.Condition("clean"))

    assert running
    assert max(result.latency.calls) < 100_000


def smoothed(anomaly_map, sigma):
    return cv2.GaussianBlur(anomaly_map, (0, 0), sigma)


def test_smoothing_is_the_same_in_calibration_and_evaluation():
    """A detector that smooths its maps itself gives the very same numbers."""

    class Smooth(Contrast):
        def predict(self, images):
            found = super().predict(images)
            return rb.Prediction(found.scores, [smoothed(m, 1.5) for m in found.maps])

    ours = benchmark(split(), Contrast(), corruptions=[], evaluation={"gaussian_sigma": 1.5})
    own = benchmark(split(), Smooth(), corruptions=[])

    a, b = (subject.evaluate(rb.Condition("clean")) for subject in (ours, own))

    assert a.pixel_threshold == b.pixel_threshold
    assert a.per_image.tp.tolist() == b.per_image.tp.tolist()
    assert a.metrics["pixel_auroc"] == b.metrics["pixel_auroc"]
    unsmoothed = benchmark(split(), Contrast(), corruptions=[]).prepare()
    assert a.pixel_threshold != unsmoothed.pixel_threshold


def test_smoothing_less_than_nothing_is_refused():
    with pytest.raises(ConfigError, match="gaussian_sigma"):
        benchmark(evaluation={"gaussian_sigma": -1.0})
    with pytest.raises(ConfigError, match="at most 1000, not 1000000000"):
        benchmark(evaluation={"gaussian_sigma": 1e9})


def test_groups_of_train_images_are_not_divided():
    parts = split()
    train = tuple(
        rb.Sample(s.id, s.label, s.image, group=f"part {i // 5}") for i, s in enumerate(parts.train)
    )
    detector = Contrast()

    benchmark(rb.Split("memory", "texture", train, parts.test), detector).prepare()

    fitted = set(detector.fits[0])
    sides = [
        {sample.image.tobytes() in fitted for sample in train[i : i + 5]} for i in range(0, 30, 5)
    ]
    assert all(len(side) == 1 for side in sides)
    assert {True} in sides
    assert {False} in sides


def test_images_are_arrays_where_nothing_is_staged():
    seen = []

    class Watching(Contrast):
        def predict(self, images):
            seen.extend(type(image) for image in images)
            return super().predict(images)

    benchmark(split(), Watching(), corruptions=[]).prepare()

    assert set(seen) == {np.ndarray}
