"""Sets whose images were really taken under drift: same threshold, own samples."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.datasets.split import Sample
from pytest_robustbench.errors import DatasetError, NotMeasurableError
from pytest_robustbench.reports.file.schema import report_schema
from tests.evaluation.evaluation_parts import (
    Contrast,
    benchmark,
    blot,
    defect,
    normal,
    picture,
    split,
)

LED = rb.Condition("recorded", recorded="led")


def darker(name, seed, label):
    image, mask = blot(picture(seed), np.s_[8:14, 10:20])
    shown = image if label else picture(seed)
    return Sample(name, label, (shown * 0.8).astype(np.uint8), mask if label else None)


def drifted(n=3, **more):
    samples = [darker(f"led/{i}", 50_000 + i, i % 2) for i in range(2 * n)]
    return split(test=samples, train=(), **more)


def test_a_recorded_set_is_measured_at_the_threshold_of_the_clean_one():
    measured = benchmark(split(), Contrast(), recorded={"led": drifted()}, corruptions=[])

    report = measured.run()

    content = report.to_dict()
    jsonschema.validate(content, report_schema())
    clean, led = content["robustness"]["clean"], content["robustness"]["recorded"]["led"]
    assert led["results"]["threshold"] == clean["results"]["threshold"]
    assert (
        led["results"]["pixel_metrics"]["pixel_threshold"]
        == clean["results"]["pixel_metrics"]["pixel_threshold"]
    )
    assert led["samples"]["id"] == [f"led/{i}" for i in range(6)]
    assert len(led["per_image"]["score"]) == 6
    assert led["samples"]["label"] == [0, 1, 0, 1, 0, 1]
    assert "samples" not in clean
    assert content["complete"] is True


def test_its_numbers_are_those_of_the_same_images_as_a_test_part():
    """Measured as the test part of another split, at the same threshold, they are equal."""
    recorded = drifted()
    first = benchmark(split(), Contrast(), recorded={"led": recorded}, corruptions=[])
    led = first.evaluate(LED)
    other = benchmark(
        replace(split(), test=recorded.test),
        Contrast(),
        corruptions=[],
        operating_point=first.prepare(),
    )

    alone = other.evaluate(rb.Condition("clean"))

    def untimed(metrics):
        return {k: v for k, v in metrics.items() if "latency" not in k}

    assert untimed(led.metrics) == untimed(alone.metrics)
    assert led.per_image.score.tolist() == alone.per_image.score.tolist()


def test_a_summary_over_the_corruptions_leaves_recorded_sets_out():
    without = benchmark(split(), Contrast(), corruptions=["blur"], severities=[2]).run()
    with_led = benchmark(
        split(), Contrast(), corruptions=["blur"], severities=[2], recorded={"led": drifted()}
    ).run()

    names = ("mean_corruption_bg_fpr", "worst_drop_pixel_auroc", "worst_corruption_auroc")
    a, b = (r.to_dict()["robustness_summary"] for r in (without, with_led))
    assert [a[n] for n in names] == [b[n] for n in names]
    assert None not in [a[n] for n in names]


def test_a_set_that_is_missing_fails_its_own_condition_only():
    def absent():
        raise DatasetError("/drift/led does not exist")

    report = benchmark(split(), Contrast(), recorded={"led": absent}, corruptions=[]).run()

    assert report.missing == ("recorded-led",)
    assert not report.complete
    assert "led" in report.records["recorded-led"]["error"]
    assert "/drift/led does not exist" in report.records["recorded-led"]["error"]
    assert "results" in report.records["clean"]


@pytest.mark.parametrize("part", ["train", "calibration"])
def test_images_the_detector_has_seen_are_refused(part):
    seen = normal("led/0", 0)  # the pixels of the first train image
    own = (
        split()
        if part == "train"
        else split(
            train=[normal(f"t/{i}", 900 + i) for i in range(30)],
            calibration=[normal(f"c/{i}", i) for i in range(30)],
        )
    )
    recorded = split(test=[seen, defect("led/1", 70_000)], train=())

    measured = benchmark(own, Contrast(), recorded={"led": recorded}, corruptions=[])

    with pytest.raises(NotMeasurableError, match=f"1 image.* also {part} images .*led/0"):
        measured.evaluate(LED)


def test_another_size_than_the_calibrated_one_is_refused():
    recorded = drifted(resize=(12, 16))
    measured = benchmark(split(), Contrast(), recorded={"led": recorded}, corruptions=[])

    with pytest.raises(NotMeasurableError, match="same size"):
        measured.evaluate(LED)


def test_its_pictures_are_its_own():
    measured = benchmark(split(), Contrast(), recorded={"led": drifted()}, corruptions=[])
    measured.prepare()

    corrupted, anomaly_map = measured.evaluator.picture(LED, 3)

    assert np.array_equal(corrupted.image, drifted().test[3].image)
    assert anomaly_map.shape == corrupted.image.shape[:2]
    assert measured.evaluator.samples(LED)[3].id == "led/3"


def test_a_digest_names_the_set_and_its_pixels():
    one = benchmark(split(), Contrast(), recorded={"led": drifted()}, corruptions=[])
    two = benchmark(split(), Contrast(), recorded={"old": drifted()}, corruptions=[])

    assert one.evaluate(LED).specification == {"name": "recorded", "recorded": "led"}
    assert (
        one.evaluate(LED).data_digest
        != two.evaluate(rb.Condition("recorded", recorded="old")).data_digest
    )


@pytest.mark.parametrize("twin", ["the test part", "another set"])
def test_a_set_that_is_another_one_shows_no_drift(twin):
    own, led = split(), drifted()
    same = own if twin == "the test part" else led
    sets = {"led": led, "twin": same}
    measured = benchmark(own, Contrast(), recorded=sets, corruptions=[])
    measured.evaluate(LED)

    with pytest.raises(NotMeasurableError, match=r"also (test|recorded 'led') images"):
        measured.evaluate(rb.Condition("recorded", recorded="twin"))


def test_images_all_of_another_size_are_refused():
    larger = split(size=(48, 64), train=())
    samples = [replace(s, id=f"led/{s.id}") for s in larger.test]
    measured = benchmark(
        split(), Contrast(), recorded={"led": replace(larger, test=tuple(samples))}, corruptions=[]
    )

    with pytest.raises(NotMeasurableError, match=r"\(48, 64\) pixels, the test part of \(24, 32\)"):
        measured.evaluate(LED)


def test_what_its_loader_said_stands_in_its_record():
    recorded = replace(drifted(), train=(normal("t/0", 999),), notes=("2 masks are missing",))
    report = benchmark(split(), Contrast(), recorded={"led": recorded}, corruptions=[]).run()

    content = report.to_dict()

    jsonschema.validate(content, report_schema())
    assert content["robustness"]["recorded"]["led"]["notes"] == [
        "2 masks are missing",
        "1 train and calibration images of this set are not measured",
    ]
    assert "notes" not in content["robustness"]["clean"]
