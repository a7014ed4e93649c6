"""Models of pyimgano, judged here and by pyimgano's own code, on the same real images."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.evaluation.settings import CalibrationSettings
from pytest_robustbench.gates.limits import Limit
from tests.integration.integration_data import real_split

pyimgano_evaluation = pytest.importorskip("pyimgano.evaluation")
pyimgano_robustness = pytest.importorskip("pyimgano.robustness.benchmark")

# None of them needs torchvision; the maps of all have the size of the image, so that neither side
# resizes them.
MODELS = {
    "vision_pixel_mad_map": {},
    "vision_pixel_gaussian_map": {"color": "rgb"},
    "vision_pixel_mean_absdiff_map": {},
    "vision_phase_correlation_map": {"resize_hw": [128, 128]},
    "vision_template_ncc_map": {"resize_hw": [128, 128]},
    "vision_logsad": {},
}
CASES = [("hazelnut_toy", model) for model in MODELS] + [("grid", "vision_pixel_mad_map")]
CORRUPTIONS = ("lighting", "blur")
SEVERITY = 3

# pyimgano's AUPRO is a trapezoid through so many points of the exact curve, evenly spaced in the
# false-positive rate. Overlap rises by at most 1 in all, so that each step's trapezoid is off by
# at most half a step times its own rise, and the area, divided by the limit, by half a step's
# share of the limit (the exact area is checked in test_integration_exactness.py).
PRO_THRESHOLDS = 2000
PRO_TOLERANCE = 1 / (2 * (PRO_THRESHOLDS - 1))


def loaded(model):
    return load_detector(f"pyimgano:{model}", kwargs=MODELS[model])


def pictures(split, samples):
    store = PictureStore(split.resize)
    return [store.load(sample) for sample in samples]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def both(request, test_data):
    """Our result, and pyimgano's of the same fitted model at the same thresholds."""
    category, name = request.param
    split = real_split(test_data, category)
    detector = loaded(name)

    # At the median, so that both calls and misses occur: pyimgano's precision of no call is 0.
    benchmark = rb.Benchmark(
        split,
        detector,
        calibration=CalibrationSettings(image_normal_quantile=0.5),
    )
    result = benchmark.evaluate(CLEAN)

    test = pictures(split, split.test)
    images = [picture.image for picture in test]
    theirs = pyimgano_evaluation.evaluate_detector(
        np.array([sample.label for sample in split.test]),
        np.asarray(detector.wrapped.decision_function(images), np.float32),
        # For images, theirs is score >= threshold; for pixels, score > threshold like ours.
        threshold=float(np.nextafter(np.float32(result.image_threshold), np.float32(np.inf))),
        pixel_labels=np.stack([picture.mask for picture in test]),
        pixel_scores=np.stack([detector.wrapped.get_anomaly_map(image) for image in images]),
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

    assert result.per_image.counted.all()
    assert np.ptp(result.per_image.score) > 0


class OurCorruption:
    """One of our corruptions as pyimgano calls it: image after image, in the order of the set."""

    def __init__(self, name, samples):
        self.name = name
        self._ids = cycle([sample.id for sample in samples])

    def __call__(self, image, mask, *, severity, rng):  # noqa: ARG002 - theirs, unused
        known, sample = mask.astype(bool), next(self._ids)
        picture = rb.corrupt(image, known, self.name, severity=severity, sample_id=sample)
        return picture.image, picture.mask


@pytest.mark.parametrize("name", MODELS)
def test_their_benchmark_on_our_corruptions_measures_the_same(name, test_data):
    split = real_split(test_data, "hazelnut_toy")
    test = pictures(split, split.test)
    theirs = pyimgano_robustness.run_robustness_benchmark(
        loaded(name).wrapped,
        train_images=[picture.image for picture in pictures(split, split.train)],
        test_images=[picture.image for picture in test],
        test_labels=np.array([sample.label for sample in split.test]),
        test_masks=np.stack([picture.mask for picture in test]).astype(np.uint8),
        corruptions=[OurCorruption(corruption, split.test) for corruption in CORRUPTIONS],
        severities=[SEVERITY],
    )

    at_model = [{corruption: {}, "at": "model"} for corruption in CORRUPTIONS]
    benchmark = rb.Benchmark(split, loaded(name), corruptions=at_model, severities=[SEVERITY])
    for condition in benchmark.conditions:
        result, pixels = benchmark.evaluate(condition), pixel_metrics(theirs, condition)
        assert result.pixel_threshold == pytest.approx(pixels["pixel_threshold"], rel=1e-6)
        for metric in ("pixel_segf1", "bg_fpr"):
            assert result.metrics[metric] == pytest.approx(pixels[metric], abs=1e-9), condition


def pixel_metrics(report, condition):
    measured = report["clean"]
    if condition != CLEAN:
        measured = report["corruptions"][condition.corruption][f"severity_{condition.severity}"]
    return measured["results"]["pixel_metrics"]


@pytest.fixture(scope="module")
def without_maps(test_data):
    """A model of files that gives scores alone, with a limit on pixels and one on images."""
    limits = (
        Limit("pixel_segf1", "min", 0.1, "robustness.yaml:7"),
        Limit("auroc", "min", 0.5, "robustness.yaml:8"),
    )
    return rb.Benchmark(
        real_split(test_data, "hazelnut_toy"),
        load_detector("pyimgano:vision_knn"),
        corruptions=["lighting"],
        severities=[5],
        gate=Gate({"clean": limits}, one_sided={"clean": "misses"}),
    )


def test_a_model_of_files_sees_the_corrupted_images(without_maps):
    clean = without_maps.evaluate(CLEAN)
    dark = without_maps.evaluate(rb.Condition("lighting", 5))

    assert clean.metrics["auroc"] > 0.9
    assert (clean.per_image.score != dark.per_image.score).all()
    assert clean.latency.median > 0


def test_without_maps_pixel_metrics_are_null_and_a_limit_on_them_is_an_error(without_maps):
    report = without_maps.run()

    pixel, image = (v for v in report.verdicts if v.condition == "clean")
    assert (pixel.outcome, pixel.value) == ("error", None)
    assert pixel.reason == "the detector gives no maps"
    assert image.outcome == "pass"
    measured = report.to_dict()["robustness"]["clean"]["results"]
    assert measured["auroc"] is not None
    assert all(value is None for value in measured["pixel_metrics"].values())
