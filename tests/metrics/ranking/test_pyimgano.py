"""Agreement with pyimgano's `evaluate_detector` on every metric the two define alike.

Alike are image AUROC and AP, pixel AUROC and AP, pixel SegF1 and background FPR (both call a pixel
defect when ``score > threshold``). At image level pyimgano calls an image defective from
``score >= threshold`` on, so its threshold is one float32 above ours. Its AUPRO samples thresholds,
so it only comes near.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.ranking.exact import rank_pixels
from pytest_robustbench.metrics.thresholds.quantile import normal_quantile
from tests.metrics.metrics_columns import count_pixels, counted, scored, value

pyimgano_evaluation = pytest.importorskip("pyimgano.evaluation")


@pytest.fixture(scope="module")
def arrays():
    """Sixteen images with blobs of defects, coarse scores, and thresholds that scores tie with."""
    generator = np.random.default_rng(11)
    labels = np.arange(16) % 2
    masks = np.zeros((16, 32, 40), bool)
    for index in np.flatnonzero(labels):
        for _ in range(3):
            y, x = generator.integers(0, 26), generator.integers(0, 33)
            masks[index, y : y + 5, x : x + 6] = True
    noise = generator.normal(0, 1, masks.shape)
    maps = np.round(noise + 1.2 * masks, 2).astype(np.float32)
    return labels, maps.mean(axis=(1, 2)).round(2), maps, masks


@pytest.fixture(scope="module")
def peer(arrays):
    labels, scores, maps, masks = arrays
    return pyimgano_evaluation.evaluate_detector(
        labels,
        scores,
        threshold=float(np.nextafter(np.median(scores), np.float32(np.inf))),
        pixel_labels=masks,
        pixel_scores=maps,
        pixel_threshold=2.0,
        pro_num_thresholds=5000,
    )


def test_image_metrics_agree(arrays, peer):
    labels, scores, _, _ = arrays

    ranking = rank_images(scores, labels)
    outcomes = scored(scores, labels, float(np.median(scores)))

    assert ranking.auroc == pytest.approx(peer["auroc"], abs=1e-9)
    assert ranking.average_precision == pytest.approx(peer["average_precision"], abs=1e-9)
    for name in ("precision", "recall", "f1", "specificity", "accuracy"):
        assert value(name, outcomes) == pytest.approx(peer["metrics"][name], abs=1e-9)
    for name in ("tp", "tn", "fp", "fn"):
        assert getattr(outcomes, f"image_{name}").sum() == peer["metrics"][name]


def test_pixel_metrics_agree(arrays, peer):
    labels, _, maps, masks = arrays
    images = list(zip(maps, masks, strict=True))
    regions, _ = ndimage.label(
        masks, structure=[np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))]
    )
    ranking = rank_pixels(maps[~masks], maps[masks], regions[masks])
    outcomes = counted([count_pixels(*image, 2.0) for image in images], labels)

    assert np.any(maps == 2.0)  # > and >= would differ here
    found = {
        "pixel_auroc": ranking.auroc,
        "pixel_average_precision": ranking.average_precision,
        "pixel_segf1": value("pixel_segf1", outcomes),
        "bg_fpr": value("bg_fpr", outcomes),
    }
    for name, number in found.items():
        assert number == pytest.approx(peer["pixel_metrics"][name], abs=1e-9)
    assert ranking.aupro == pytest.approx(peer["pixel_metrics"]["aupro"], abs=2e-3)


def test_best_f1_agrees(arrays):
    labels, scores, _, _ = arrays

    best = best_f1(scores, labels)

    threshold, f1 = pyimgano_evaluation.find_optimal_threshold(labels, scores, metric="f1")
    assert best.f1 == pytest.approx(f1, abs=1e-9)
    assert np.nextafter(np.float32(best.threshold), np.float32(np.inf)) == np.float32(threshold)


def test_pixel_threshold_agrees(arrays):
    calibration = pytest.importorskip("pyimgano.calibration")
    _, _, maps, _ = arrays

    threshold = normal_quantile(list(maps), 0.999)

    expected = calibration.calibrate_normal_pixel_quantile_threshold(pixel_scores=maps, q=0.999)
    assert threshold == pytest.approx(expected, rel=1e-6)
