"""On real images every pixel metric equals a slow implementation of its definition."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.evaluation.settings import CalibrationSettings
from tests.integration.integration_data import real_split

# All severities of one image move it by the same draws; 5 leaves the widest ignored border.
JITTER = rb.Condition("geo_jitter", 5)
LIMIT = 0.3

# Low enough for this simple detector to find some pixels of the defects of both categories.
CALIBRATION = CalibrationSettings(pixel_normal_quantile=0.95)


@dataclass(frozen=True)
class Pixels:
    """The pixels of one image that count."""

    label: int
    score: np.ndarray
    truth: np.ndarray
    region: np.ndarray


@dataclass(frozen=True)
class Measured:
    result: rb.ConditionResult
    images: list[Pixels]
    n_ignored: int
    image_scores: list[float]
    labels: list[int]

    def pooled(self, name):
        return np.concatenate([getattr(image, name) for image in self.images])


@pytest.fixture(scope="module", params=["hazelnut_toy", "grid"])
def subject(request, test_data):
    """A detector whose maps have another size than the masks."""
    split = real_split(test_data, request.param)
    prepared = rb.Benchmark(split, load_detector("pixel_gaussian"), calibration=CALIBRATION)
    prepared.prepare()
    return prepared


@pytest.fixture(scope="module", params=[CLEAN, JITTER], ids=lambda condition: condition.id)
def measured(request, subject):
    condition = request.param
    result = subject.evaluate(condition)
    images, scores, labels, n_ignored = [], [], [], 0
    store = PictureStore(subject.split.resize)
    for sample in subject.split.test:
        if sample.id in result.left_out:
            continue
        picture, seen = store.load_both(sample)
        image, mask, counted = picture.image, picture.mask, np.ones(picture.mask.shape, bool)
        if condition == JITTER:
            moved = rb.corrupt(
                seen.resized(None).image,
                seen.mask,
                "geo_jitter",
                severity=5,
                sample_id=sample.id,
            )
            image = resize_image(moved.image, store.resize)
            mask, ignored = (resize_mask(part, store.resize) for part in moved[1:])
            counted = ~ignored | mask
        prediction = subject.evaluator.predictor.detector.predict([image])
        resized = cv2.resize(prediction.maps[0], mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        # Numbered over all images: 0 is background, and no two images share a region.
        numbers, _ = ndimage.label(mask, structure=np.ones((3, 3)))
        numbers[mask] += max((int(i.region.max()) for i in images), default=0)
        images.append(Pixels(sample.label, resized[counted], mask[counted], numbers[counted]))
        scores.append(float(prediction.scores[0]))
        labels.append(sample.label)
        n_ignored += np.count_nonzero(~counted)
    return Measured(result, images, n_ignored, scores, labels)


def counts(images, threshold):
    called = np.concatenate([image.score for image in images]) > threshold
    truth = np.concatenate([image.truth for image in images])
    pairs = ((called & truth), (called & ~truth), (~called & truth), (~called & ~truth))
    return [int(np.count_nonzero(pair)) for pair in pairs]


def test_thresholded_metrics_equal_the_definitions(measured):
    result = measured.result
    tp, fp, fn, tn = counts(measured.images, result.pixel_threshold)
    normals = [image for image in measured.images if image.label == 0]
    _, fp_normal, _, tn_normal = counts(normals, result.pixel_threshold)

    assert 0 < tp < tp + fn
    assert 0 < fp < tn
    assert result.metrics["pixel_segf1"] == 2 * tp / (2 * tp + fp + fn)
    assert result.metrics["bg_fpr"] == fp / (fp + tn)
    assert result.metrics["normal_fpr"] == fp_normal / (fp_normal + tn_normal)


def test_per_image_counts_equal_the_definitions(measured):
    columns = measured.result.per_image
    rows = np.stack([columns.tp, columns.fp, columns.fn, columns.tn], axis=1)[columns.measured]

    assert columns.score[columns.measured].tolist() == measured.image_scores
    threshold = measured.result.pixel_threshold
    assert rows.tolist() == [counts([image], threshold) for image in measured.images]


def test_only_a_geometric_corruption_ignores_pixels(measured):
    n_pixels = len(measured.images) * 256 * 256

    assert len(measured.pooled("score")) == n_pixels - measured.n_ignored
    assert (measured.n_ignored > 0) == (measured.result.condition == JITTER)


def test_ranking_metrics_are_those_of_scikit_learn(measured):
    metrics = measured.result.metrics
    truth, score = measured.pooled("truth"), measured.pooled("score")

    for name, labels, scores in [
        ("pixel_{}", truth, score),
        ("{}", measured.labels, measured.image_scores),
    ]:
        auroc, precision = roc_auc_score(labels, scores), average_precision_score(labels, scores)
        assert metrics[name.format("auroc")] == pytest.approx(auroc, abs=1e-9)
        assert metrics[name.format("average_precision")] == pytest.approx(precision, abs=1e-9)


def test_aupro_is_the_exact_area(measured):
    expected = exact_aupro(*(measured.pooled(name) for name in ("score", "truth", "region")))

    assert 0 < expected < 1
    assert measured.result.metrics["aupro"] == pytest.approx(expected, abs=1e-9)


def exact_aupro(score, truth, region):
    """The area over every threshold there is, by scikit-learn's ROC curve.

    The mean overlap of regions is a recall in which a pixel weighs one over its region's area.
    """
    weight = np.where(truth, 1 / np.bincount(region)[region], 1.0)
    rate, overlap, _ = roc_curve(truth, score, sample_weight=weight, drop_intermediate=False)
    at_limit = np.interp(LIMIT, rate, overlap)
    inside = rate < LIMIT
    x, y = np.append(rate[inside], LIMIT), np.append(overlap[inside], at_limit)
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) / LIMIT)
