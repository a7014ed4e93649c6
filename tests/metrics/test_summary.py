"""Every metric a limit may name is a number, or null with a reason a person understands."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.gates.names import METRICS
from pytest_robustbench.metrics import summary
from pytest_robustbench.metrics.counts import PixelCounts
from pytest_robustbench.metrics.ranking.exact import Ranking
from pytest_robustbench.metrics.summary import measure_images, measure_pixels
from tests.metrics.metrics_columns import count_columns

RANKED = Ranking(0.9, 0.5, 0.8)
NORMAL = PixelCounts(0, 1, 0, 99)
DEFECT = PixelCounts(5, 5, 5, 85)


def scores(count):
    return np.arange(count, dtype=np.float32)


def test_together_they_measure_what_limits_may_name():
    images = measure_images(scores(4), [0, 0, 1, 1], 1.0)
    pixels = measure_pixels(count_columns([NORMAL, DEFECT], [0, 1]), RANKED)

    assert {*images.values, *pixels.values} == {m for m in METRICS if "latency" not in m}
    assert {**images.reasons, **pixels.reasons} == {}
    assert all(isinstance(v, float) for v in (images.values | pixels.values).values())


def test_values_are_those_of_the_metrics():
    images = measure_images(np.array([0, 3, 1, 2], np.float32), [0, 0, 1, 1], 1.5)
    pixels = measure_pixels(count_columns([NORMAL, DEFECT], [0, 1]), RANKED)

    assert images.values == {
        "auroc": 0.5,
        "average_precision": pytest.approx((1 / 2 + 2 / 3) / 2),
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "specificity": 0.5,
        "accuracy": 0.5,
        "miss_rate": 0.5,
        "false_reject_rate": 0.5,
    }
    assert pixels.values == {
        "pixel_segf1": pytest.approx(10 / 21),
        "pixel_segf1_per_image": 0.5,
        "pixel_auroc": 0.9,
        "pixel_average_precision": 0.5,
        "aupro": 0.8,
        "bg_fpr": pytest.approx(6 / 190),
        "normal_fpr": 0.01,
    }


@pytest.mark.parametrize(
    ("labels", "threshold", "reasons"),
    [
        (
            [0, 0],
            9.0,
            {
                "auroc": summary.NO_DEFECT_IMAGE,
                "average_precision": summary.NO_DEFECT_IMAGE,
                "precision": summary.NO_DEFECT_IMAGE,
                "recall": summary.NO_DEFECT_IMAGE,
                "f1": summary.NO_DEFECT_IMAGE,
                "accuracy": summary.NO_DEFECT_IMAGE,
                "miss_rate": summary.NO_DEFECT_IMAGE,
            },
        ),
        (
            [1, 1],
            0.0,
            {
                "auroc": summary.NO_NORMAL_IMAGE,
                "average_precision": summary.NO_NORMAL_IMAGE,
                "precision": summary.NO_NORMAL_IMAGE,
                "f1": summary.NO_NORMAL_IMAGE,
                "accuracy": summary.NO_NORMAL_IMAGE,
                "specificity": summary.NO_NORMAL_IMAGE,
                "false_reject_rate": summary.NO_NORMAL_IMAGE,
            },
        ),
        ([0, 1], 9.0, {"precision": summary.NOTHING_CALLED}),
    ],
)
def test_image_metrics_that_are_not_defined_say_why(labels, threshold, reasons):
    measured = measure_images(scores(len(labels)), labels, threshold)

    assert measured.reasons == reasons
    assert {name for name, value in measured.values.items() if value is None} == set(reasons)


def test_no_image_leaves_no_image_metric():
    measured = measure_images(scores(0), [], 0.0)

    assert set(measured.values.values()) == {None}
    assert set(measured.reasons.values()) == {summary.NO_IMAGE}
    assert measured.reasons.keys() == measured.values.keys()


def test_a_detector_without_maps_has_no_pixel_metric():
    measured = measure_pixels(None)

    assert set(measured.reasons.values()) == {summary.NO_MAPS}
    assert (
        measured.values.keys()
        == measured.reasons.keys()
        == measure_pixels(count_columns([NORMAL, DEFECT], [0, 1])).values.keys()
    )


DEFECT_METRICS = {
    "pixel_segf1",
    "pixel_segf1_per_image",
    "pixel_auroc",
    "pixel_average_precision",
    "aupro",
}


@pytest.mark.parametrize(
    ("counts", "labels", "reason"),
    [
        ([NORMAL, NORMAL], [0, 0], summary.NO_DEFECT_IMAGE),
        ([NORMAL, None], [0, 1], summary.NO_MASK),
        ([NORMAL, PixelCounts(0, 1, 0, 9)], [0, 1], summary.NO_DEFECT_PIXEL),
    ],
)
def test_without_defect_pixels_false_positive_rates_remain(counts, labels, reason):
    measured = measure_pixels(count_columns(counts, labels))

    assert measured.reasons == dict.fromkeys(DEFECT_METRICS, reason)
    assert measured.values["normal_fpr"] == 0.01


def test_without_normal_images_normal_fpr_is_not_defined():
    measured = measure_pixels(count_columns([DEFECT], [1]), RANKED)

    assert measured.reasons == {"normal_fpr": summary.NO_NORMAL_IMAGE}


def test_normal_images_that_are_all_ignored():
    measured = measure_pixels(count_columns([PixelCounts(0, 0, 0, 0), DEFECT], [0, 1]), RANKED)

    assert measured.reasons == {"normal_fpr": summary.NO_NORMAL_PIXEL}


def test_without_background_pixels():
    measured = measure_pixels(count_columns([PixelCounts(3, 0, 1, 0)], [1]))

    assert measured.reasons["bg_fpr"] == summary.NO_BACKGROUND_PIXEL
    assert measured.reasons["aupro"] == summary.NO_BACKGROUND_PIXEL
    assert measured.values["pixel_segf1"] == pytest.approx(6 / 7)


def test_pixels_that_were_not_ranked():
    measured = measure_pixels(count_columns([NORMAL, DEFECT], [0, 1]))

    assert measured.reasons["pixel_auroc"] == summary.NOT_RANKED
