"""One model object, judged here and by pyimgano's own evaluation, on the same real images."""

from __future__ import annotations

import numpy as np
import pytest
from integration_data import real_split

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.store import PictureStore
from pytest_robustbench.evaluation.settings import CalibrationSettings

pyimgano_evaluation = pytest.importorskip("pyimgano.evaluation")

# pyimgano's AUPRO is a trapezoid through so many points of the exact curve, evenly spaced in the
# false-positive rate. Overlap rises by at most 1 in all, so that each step's trapezoid is off by
# at most half a step times its own rise, and the area, divided by the limit, by half a step's
# share of the limit (the exact area is checked in test_integration_exactness.py).
PRO_THRESHOLDS = 2000
PRO_TOLERANCE = 1 / (2 * (PRO_THRESHOLDS - 1))


@pytest.fixture(scope="module", params=["hazelnut_toy", "grid"])
def both(request, test_data):
    """Our result, and pyimgano's of the same fitted model at the same thresholds."""
    models = pytest.importorskip("pyimgano.models")
    model = models.create_model("vision_pixel_mad_map")
    split = real_split(test_data, request.param)

    # At the median, so that both calls and misses occur: pyimgano's precision of no call is 0.
    benchmark = rb.Benchmark(
        split,
        rb.as_detector(model),
        calibration=CalibrationSettings(image_normal_quantile=0.5),
    )
    result = benchmark.evaluate(CLEAN)

    store = PictureStore(split.resize)
    pictures = [store.load(sample) for sample in split.test]
    images = [picture.image for picture in pictures]
    scores = np.asarray(model.decision_function(images), np.float32)
    theirs = pyimgano_evaluation.evaluate_detector(
        np.array([sample.label for sample in split.test]),
        scores,
        # Theirs is score >= threshold.
        threshold=float(np.nextafter(np.float32(result.image_threshold), np.float32(np.inf))),
        pixel_labels=np.stack([picture.mask for picture in pictures]),
        pixel_scores=np.stack([model.get_anomaly_map(image) for image in images]),
        pixel_threshold=result.pixel_threshold,
        pro_num_thresholds=PRO_THRESHOLDS,
    )
    return result, theirs


def test_image_metrics_agree(both):
    result, theirs = both

    for name in ("auroc", "average_precision"):
        assert result.metrics[name] == pytest.approx(theirs[name], abs=1e-9)
    for name in ("precision", "recall", "f1", "specificity", "accuracy"):
        assert result.metrics[name] == pytest.approx(theirs["metrics"][name], abs=1e-9)
    for name in ("tp", "tn", "fp", "fn"):
        assert result.image_counts[name] == theirs["metrics"][name]


def test_pixel_metrics_agree(both):
    result, theirs = both

    for name in ("pixel_auroc", "pixel_average_precision", "pixel_segf1", "bg_fpr"):
        assert result.metrics[name] == pytest.approx(theirs["pixel_metrics"][name], abs=1e-9)
    assert 0 < result.metrics["bg_fpr"] < 1
    sampled = theirs["pixel_metrics"]["aupro"]
    assert result.metrics["aupro"] == pytest.approx(sampled, abs=PRO_TOLERANCE)


def test_scores_are_those_of_the_model(both):
    result, _ = both

    assert result.per_image.known.all()
    assert np.ptp(result.per_image.score) > 0
