"""Scores of pixels for the tests of this folder, and what they rank as by the bare definitions."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from pytest_robustbench.metrics.ranking.exact import Ranking, rank_pixels
from pytest_robustbench.metrics.regions import label_regions

LIMITS = st.sampled_from([0.05, 0.3, 1.0])
TOP = float(np.finfo(np.float32).max)
SCALES = (
    st.integers(0, 2).map(float),  # heavy ties
    st.integers(-20, 20).map(lambda i: i / 255),  # 8-bit maps, both signs
    st.integers(0, 40).map(lambda i: 1 + i * 2.0**-23),  # neighbours within one bin
    st.integers(-40, 40).map(lambda i: i * 2.0**-149),  # denormal
    st.floats(0, 1, width=32),
    st.floats(-TOP, TOP, width=32),  # huge, -0.0
)


@st.composite
def pixel_sets(draw):
    """Background scores, defect scores and region numbers on one of many scales."""
    value = draw(st.sampled_from([*SCALES, st.one_of(*SCALES)]))
    background = draw(st.lists(value, min_size=1, max_size=40))
    defect = draw(st.lists(value, min_size=1, max_size=25))
    region = st.integers(0, draw(st.integers(0, 9)))
    regions = draw(st.lists(region, min_size=len(defect), max_size=len(defect)))
    return np.array(background, np.float32), np.array(defect, np.float32), np.array(regions)


def rank(background, defect, regions, limit=0.3):
    return rank_pixels(background.copy(), defect, regions, limit)


def slow_ranking(background, defect, regions, limit):
    truth = np.repeat([0, 1], [background.size, defect.size])
    # In float32 scikit-learn's differences of huge scores would overflow.
    scores = np.concatenate([background, defect]).astype(np.float64)
    return Ranking(
        roc_auc_score(truth, scores),
        average_precision_score(truth, scores),
        slow_aupro(background, defect, regions, limit),
    )


def assert_equal_rankings(found, expected, tolerance=1e-9):
    assert found.auroc == pytest.approx(expected.auroc, abs=tolerance)
    assert found.average_precision == pytest.approx(expected.average_precision, abs=tolerance)
    assert found.aupro == pytest.approx(expected.aupro, abs=tolerance)


def slow_aupro(background, defect, regions, limit):
    """Walk every distinct score of all pixels from the top, by the definition and nothing else."""
    points = [(0.0, 0.0)]
    for threshold in sorted({*background.tolist(), *defect.tolist()}, reverse=True):
        overlaps = [np.mean(defect[regions == each] >= threshold) for each in set(regions.tolist())]
        points.append((float(np.mean(background >= threshold)), float(np.mean(overlaps))))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 > limit:
            end = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            return (area + (limit - x0) * (y0 + end) / 2) / limit
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit


def real_maps(category, size=256):
    """Smoothed distances from the median train image, and masks, of all test images."""
    train = np.stack([_gray(path, size) for path in sorted((category / "train/good").iterdir())])
    middle = np.median(train, axis=0)
    spread = np.median(np.abs(train - middle), axis=0) + 1
    maps, masks = [], []
    for path in sorted((category / "test").rglob("*.*")):
        distance = np.abs(_gray(path, size) - middle) / spread
        maps.append(cv2.GaussianBlur(distance, (0, 0), 2).astype(np.float32))
        masks.append(_mask(category, path, size))
    return maps, masks


def pixels_of(anomaly_map, mask):
    """Background scores, defect scores and their regions, from 0 on, of one image."""
    labels, _ = label_regions(mask)
    return anomaly_map[~mask], anomaly_map[mask], labels[mask] - 1


def pooled(images):
    """All pixels of several images, regions of different images told apart."""
    background, defect, regions = zip(*images, strict=True)
    counts = [each.max(initial=-1) + 1 for each in regions]
    starts = np.cumsum([0, *counts[:-1]])
    numbered = [each + start for each, start in zip(regions, starts, strict=True)]
    return np.concatenate(background), np.concatenate(defect), np.concatenate(numbered)


def _gray(path, size):
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)


def _mask(category, path, size):
    if path.parent.name == "good":
        return np.zeros((size, size), bool)
    (mask,) = (category / "ground_truth" / path.parent.name).glob(f"{path.stem}*")
    return _gray(mask, size) > 0
