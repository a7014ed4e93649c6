"""Counts add up, metrics follow from per-image columns alone, and unknown pixels never count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from pytest_robustbench.metrics.counts import PixelCounts
from tests.metrics.metrics_columns import count_pixels, counted, value

SEEDS = st.integers(0, 2**32 - 1)


def images(seed, count=6):
    """Maps, masks, ignored pixels and labels of random images; the even ones are normal."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    maps = generator.integers(0, 5, (count, 8, 9)).astype(np.float32)
    masks = (generator.random((count, 8, 9)) < 0.2) & (labels == 1)[:, None, None]
    return maps, masks, generator.random((count, 8, 9)) < 0.1, labels


def columns(maps, masks, labels, threshold, unknown=()):
    rows = [count_pixels(a, b, threshold) for a, b in zip(maps, masks, strict=True)]
    return counted([None if i in unknown else row for i, row in enumerate(rows)], labels)


@given(SEEDS, st.sampled_from([-1.0, 0.0, 2.0, 2.5, 9.0]))
@settings(deadline=None, max_examples=40)
def test_count_identities(seed, threshold):
    (anomaly_map, *_), (_, mask, *_), (ignored, *_), _ = images(seed)

    found = count_pixels(anomaly_map, mask, threshold, ignored)

    kept = ~ignored
    assert found.tp + found.fn == np.count_nonzero(mask & kept)
    assert found.fp + found.tn == np.count_nonzero(~mask & kept)
    assert found.tp + found.fp == np.count_nonzero((anomaly_map > threshold) & kept)
    assert found.tp == np.count_nonzero((anomaly_map > threshold) & mask & kept)


def test_a_score_equal_to_the_threshold_is_not_anomalous():
    anomaly_map, mask = np.array([[1, 2, 3]], np.float32), np.array([[0, 1, 1]], bool)

    assert count_pixels(anomaly_map, mask, 2.0) == PixelCounts(tp=1, fp=0, fn=1, tn=1)


def test_threshold_is_compared_in_float32():
    # float32(0.1) is above the float64 0.1, and must still count as equal to it.
    anomaly_map = np.full((2, 2), 0.1, np.float32)

    assert count_pixels(anomaly_map, np.zeros((2, 2), bool), 0.1).fp == 0


def test_ignored_pixels_count_nowhere():
    anomaly_map, mask = np.array([[9, 9, 0, 0]], np.float32), np.array([[1, 0, 1, 0]], bool)

    assert count_pixels(anomaly_map, mask, 1.0, ~np.zeros_like(mask)) == PixelCounts(0, 0, 0, 0)
    assert count_pixels(anomaly_map, mask, 1.0, mask) == PixelCounts(tp=0, fp=1, fn=0, tn=1)


@given(SEEDS, st.sampled_from([-1.0, 1.0, 2.0, 9.0]))
@settings(deadline=None, max_examples=40)
def test_pooled_metrics_are_those_of_all_pixels_together(seed, threshold):
    maps, masks, _, labels = images(seed)

    found = columns(maps, masks, labels, threshold)

    called = maps > threshold
    assert value("pixel_segf1", found) == pytest.approx(f1_score(masks.ravel(), called.ravel()))
    everything = np.ones(masks.size, int)
    assert value("pixel_segf1", found.all_called()) == pytest.approx(
        f1_score(masks.ravel(), everything)
    )
    assert value("bg_fpr", found) == pytest.approx(called[~masks].mean())
    assert value("normal_fpr", found) == pytest.approx(called[labels == 0].mean())
    each = [f1_score(masks[i].ravel(), called[i].ravel()) for i in np.flatnonzero(labels)]
    assert value("pixel_segf1_per_image", found) == pytest.approx(np.mean(each))
    each = [f1_score(masks[i].ravel(), everything[:72]) for i in np.flatnonzero(labels)]
    assert value("pixel_segf1_per_image", found.all_called()) == pytest.approx(np.mean(each))


@given(SEEDS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_image_order_does_not_matter(seed, random):
    maps, masks, _, labels = images(seed)
    found = columns(maps, masks, labels, 2.0, unknown={3})
    order = list(range(len(maps)))
    random.shuffle(order)

    shuffled = found.of(np.array(order))

    for name in ("pixel_segf1", "bg_fpr", "normal_fpr"):
        assert value(name, shuffled) == value(name, found)
    expected = pytest.approx(value("pixel_segf1_per_image", found))
    assert value("pixel_segf1_per_image", shuffled) == expected


def test_an_image_without_mask_counts_nowhere():
    maps, masks, _, labels = images(5)

    with_unknown = columns(maps, masks, labels, 2.0, unknown={1, 5})
    without = columns(maps[[0, 2, 3, 4]], masks[[0, 2, 3, 4]], labels[[0, 2, 3, 4]], 2.0)

    assert with_unknown.counted.tolist() == [True, False, True, True, True, False]
    for metric in ("pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "normal_fpr"):
        assert value(metric, with_unknown) == value(metric, without)
    trivial = [value("pixel_segf1", each.all_called()) for each in (with_unknown, without)]
    assert trivial[0] == trivial[1]


def test_a_defect_image_with_nothing_left_to_find_is_left_out_of_the_mean():
    found = counted([PixelCounts(2, 1, 1, 6), PixelCounts(0, 3, 0, 7)], [1, 1])

    assert value("pixel_segf1_per_image", found) == pytest.approx(4 / 6)
    assert value("pixel_segf1", found) == pytest.approx(4 / 9)  # its false positives still count


def test_without_any_mask_only_false_positive_rates_remain():
    found = counted([PixelCounts(0, 1, 0, 99), None], [0, 1])

    assert value("pixel_segf1", found) is None
    assert value("pixel_segf1_per_image", found) is None
    assert value("pixel_segf1", found.all_called()) is None
    assert value("pixel_segf1_per_image", found.all_called()) is None
    assert value("bg_fpr", found) == value("normal_fpr", found) == 0.01


def test_halos_raise_bg_fpr_but_not_normal_fpr():
    found = counted([PixelCounts(0, 0, 0, 100), PixelCounts(10, 6, 0, 94)], [0, 1])

    assert value("bg_fpr", found) == 0.03
    assert value("normal_fpr", found) == 0


def test_no_normal_image_leaves_normal_fpr_undefined():
    found = counted([PixelCounts(1, 1, 1, 1)], [1])

    assert value("normal_fpr", found) is None
    assert value("bg_fpr", found) == 0.5


def test_no_image_leaves_everything_undefined():
    found = counted([], [])

    assert value("bg_fpr", found) is value("pixel_segf1", found) is None


def test_a_detector_that_never_fires_has_segf1_zero_not_null():
    assert value("pixel_segf1", counted([PixelCounts(0, 0, 5, 0)], [1])) == 0
    assert value("pixel_segf1", counted([PixelCounts(0, 5, 0, 0)], [1])) is None
    assert value("bg_fpr", counted([PixelCounts(0, 0, 5, 0)], [1])) is None


def test_sums_do_not_overflow():
    large = PixelCounts(2**31, 2**31, 2**31, 2**31)

    assert value("pixel_segf1", counted([large] * 3, [1] * 3)) == 0.5
    assert value("bg_fpr", counted([large] * 3, [1] * 3)) == 0.5
