"""Every metric a limit may name is a number, or null with a reason a person understands."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.metrics import measured as wording
from pytest_robustbench.metrics.catalogue import BUILT_IN, METRICS, NO_DEFECT_PIXEL, metric_called
from pytest_robustbench.metrics.counts import PixelCounts
from pytest_robustbench.metrics.measured import measure
from tests.metrics.metrics_columns import counted, scored

RANKED = {"pixel_auroc": 0.9, "pixel_average_precision": 0.5, "aupro": 0.8}
UNRANKED = dict.fromkeys(RANKED)
NORMAL = PixelCounts(0, 1, 0, 99)
DEFECT = PixelCounts(5, 5, 5, 85)
IMAGES = [m for m in BUILT_IN if m.level == "image"]
PIXELS = [m for m in BUILT_IN if m.level == "pixel"]


def images_of(labels, threshold, scores=None):
    scores = np.arange(len(labels)) if scores is None else scores
    ranked = {"auroc": 0.5, "average_precision": 0.6}
    ranked = ranked if len(set(labels)) == 2 else dict.fromkeys(ranked)
    return measure(scored(scores, labels, threshold), IMAGES, ranked)


def pixels_of(counts, labels, ranked=RANKED):
    return measure(counted(counts, labels), PIXELS, ranked)


def test_together_they_measure_what_limits_may_name():
    images, pixels = images_of([0, 0, 1, 1], 1.0), pixels_of([NORMAL, DEFECT], [0, 1])

    assert {*images.values, *pixels.values} == {m for m in METRICS if "latency" not in m}
    assert {**images.reasons, **pixels.reasons} == {}
    assert all(isinstance(v, float) for v in (images.values | pixels.values).values())


def test_values_are_those_of_the_metrics():
    images = images_of([0, 0, 1, 1], 1.5, scores=[0, 3, 1, 2])
    pixels = pixels_of([NORMAL, DEFECT], [0, 1])

    for name, value in {
        "auroc": 0.5,
        "average_precision": 0.6,
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "specificity": 0.5,
        "accuracy": 0.5,
        "miss_rate": 0.5,
        "false_reject_rate": 0.5,
    }.items():
        assert images.values[name] == value, name
    for name, value in {
        "pixel_segf1": pytest.approx(10 / 21),
        "pixel_segf1_per_image": 0.5,
        "pixel_auroc": 0.9,
        "pixel_average_precision": 0.5,
        "aupro": 0.8,
        "bg_fpr": pytest.approx(6 / 190),
        "normal_fpr": 0.01,
    }.items():
        assert pixels.values[name] == value, name


def resting_on(*kinds):
    return tuple(m.name for m in IMAGES if m.rests_on in kinds)


@pytest.mark.parametrize(
    ("labels", "threshold", "undefined", "reason"),
    [
        ([0, 0], 9.0, resting_on("both", "defect"), wording.NO_DEFECT_IMAGE),
        ([1, 1], 0.0, resting_on("both", "normal"), wording.NO_NORMAL_IMAGE),
        ([0, 1], 9.0, ("precision",), "no image is called defective"),
        ([], 0.0, tuple(m.name for m in IMAGES), wording.NO_IMAGE),
    ],
)
def test_image_metrics_that_are_not_defined_say_why(labels, threshold, undefined, reason):
    measured = images_of(labels, threshold)

    assert measured.reasons == dict.fromkeys(undefined, reason)
    assert {name for name, value in measured.values.items() if value is None} == set(undefined)


DEFECT_METRICS = {m.name for m in PIXELS if m.rests_on == "defect"}


@pytest.mark.parametrize(
    ("counts", "labels", "reason"),
    [
        ([NORMAL, NORMAL], [0, 0], wording.NO_DEFECT_IMAGE),
        ([NORMAL, None], [0, 1], wording.NO_MASK),
        ([NORMAL, PixelCounts(0, 1, 0, 9)], [0, 1], NO_DEFECT_PIXEL),
    ],
)
def test_without_defect_pixels_false_positive_rates_remain(counts, labels, reason):
    measured = pixels_of(counts, labels, UNRANKED)

    assert measured.reasons == dict.fromkeys(DEFECT_METRICS, reason)
    assert measured.values["normal_fpr"] == 0.01


def test_without_normal_images_normal_fpr_is_not_defined():
    assert pixels_of([DEFECT], [1]).reasons == {"normal_fpr": wording.NO_NORMAL_IMAGE}


def test_normal_images_that_are_all_ignored():
    measured = pixels_of([PixelCounts(0, 0, 0, 0), DEFECT], [0, 1])

    assert measured.reasons == {"normal_fpr": "no pixel of a normal image counts"}


def test_without_background_pixels():
    measured = pixels_of([PixelCounts(3, 0, 1, 0)], [1], UNRANKED)

    assert measured.reasons["bg_fpr"] == "no background pixel is known"
    assert measured.reasons["aupro"] == wording.NO_BACKGROUND_PIXEL
    assert measured.values["pixel_segf1"] == pytest.approx(6 / 7)


def test_pixels_that_were_not_ranked():
    measured = pixels_of([NORMAL, DEFECT], [0, 1], UNRANKED)

    assert measured.reasons["pixel_auroc"] == wording.NOT_RANKED


def test_a_reason_of_its_own_takes_a_metric_out():
    measured = pixels_of([NORMAL, DEFECT], [0, 1]).without(["aupro", "f1"], "not wanted")

    assert measured.values["aupro"] is None
    assert measured.reasons == {"aupro": "not wanted"}
    assert "f1" not in measured.values


def test_what_a_silent_detector_would_reach():
    silent = counted([NORMAL, DEFECT], [0, 1]).none_called()

    assert measure(silent, PIXELS, RANKED).values["pixel_segf1"] == 0
    assert measure(silent, PIXELS, RANKED).values["bg_fpr"] == 0
    assert measure(silent, [metric_called("miss_rate")], {}).values == {"miss_rate": 1.0}


def test_a_metric_that_nothing_measures_is_named():
    with pytest.raises(TypeError, match="that nothing measures: aupro, auroc"):
        measure(counted([NORMAL], [0]), [metric_called(m) for m in ("aupro", "auroc")], {})
