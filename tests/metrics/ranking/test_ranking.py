"""AUROC and AP are scikit-learn's, AUPRO is the exact area: also under ties and odd regions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.metrics.ranking.exact import UNDEFINED, rank_pixels, rank_scores
from tests.metrics.metrics_pixels import (
    LIMITS,
    assert_equal_rankings,
    pixel_sets,
    rank,
    slow_ranking,
)


@given(pixel_sets(), LIMITS)
@settings(deadline=None, max_examples=150)
def test_agrees_with_the_definitions(pixels, limit):
    assert_equal_rankings(rank(*pixels, limit), slow_ranking(*pixels, limit))


def test_agrees_on_many_pixels_with_heavy_ties():
    generator = np.random.default_rng(1)
    background = np.round(generator.normal(0, 1, 200_000), 1).astype(np.float32)
    defect = np.round(generator.normal(1, 1, 3_000), 1).astype(np.float32)
    pixels = background, defect, generator.integers(0, 40, defect.size)

    assert_equal_rankings(rank(*pixels), slow_ranking(*pixels, 0.3))


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_all_tied_is_chance(limit):
    ranking = rank(np.ones(12, np.float32), np.ones(4, np.float32), np.arange(4), limit)

    assert ranking.auroc == 0.5
    assert ranking.average_precision == 0.25
    assert ranking.aupro == pytest.approx(limit / 2)  # the diagonal up to the limit


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_perfect_and_inverted(limit):
    low, high, regions = np.zeros(50, np.float32), np.ones(50, np.float32), np.arange(50) // 20

    perfect, inverted = rank(low, high, regions, limit), rank(high, low, regions, limit)

    assert perfect.auroc == perfect.average_precision == 1
    assert perfect.aupro == pytest.approx(1)
    assert inverted.auroc == inverted.aupro == 0


def test_a_small_region_counts_as_much_as_a_large_one():
    background = np.arange(10, dtype=np.float32)
    defect = np.array([99] * 90 + [-1], np.float32)

    ranking = rank(background, defect, np.repeat([1, 2], [90, 1]))

    assert ranking.aupro == pytest.approx(0.5)
    assert ranking.auroc == pytest.approx(90 / 91)


def test_the_limit_lies_between_two_thresholds():
    # One background pixel in four; overlap 0 -> 1 along the diagonal from FPR 0 to 0.25.
    background, defect = np.array([2, 1, 0, 0], np.float32), np.array([2, 2], np.float32)

    assert rank(background, defect, np.zeros(2, int), 0.1).aupro == pytest.approx(
        0.4 * 0.1 / 2 / 0.1
    )
    assert rank(background, defect, np.zeros(2, int), 0.3).aupro == pytest.approx(0.175 / 0.3)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (0, 0)])
def test_one_class_alone_is_not_defined(sizes):
    background, defect = (np.ones(size, np.float32) for size in sizes)

    assert rank_pixels(background, defect, np.zeros(defect.size, int)) == UNDEFINED
    assert rank_scores(background, defect) == UNDEFINED
    assert UNDEFINED.auroc is UNDEFINED.average_precision is UNDEFINED.aupro is None


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.01, float("nan")])
def test_limit_outside_is_an_error(limit):
    with pytest.raises(ValueError, match="AUPRO limit"):
        rank(np.ones(2, np.float32), np.ones(2, np.float32), np.zeros(2, int), limit)


def test_regions_must_fit_the_defect_pixels():
    with pytest.raises(ValueError, match="3 region numbers, but 2 defect pixels"):
        rank(np.ones(2, np.float32), np.ones(2, np.float32), np.zeros(3, int))


@given(pixel_sets(), LIMITS)
@settings(deadline=None, max_examples=60)
def test_only_the_order_of_scores_matters(pixels, limit):
    background, defect, regions = pixels
    values = np.unique(np.concatenate([background, defect]))
    curved = np.cumsum(1 + np.arange(values.size) % 7).astype(np.float32) - 50

    transformed = (curved[np.searchsorted(values, each)] for each in (background, defect))

    assert rank(*transformed, regions, limit) == rank(*pixels, limit)


@given(pixel_sets(), LIMITS, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_order_and_numbering_do_not_matter(pixels, limit, seed):
    background, defect, regions = pixels
    generator = np.random.default_rng(seed)
    order = generator.permutation(defect.size)
    numbers = generator.permutation(100)  # other numbers for the same regions, with gaps

    shuffled = rank(
        generator.permutation(background), defect[order], numbers[regions][order], limit
    )

    expected = rank(*pixels, limit)
    assert shuffled.auroc == expected.auroc
    assert shuffled.average_precision == expected.average_precision
    assert shuffled.aupro == pytest.approx(expected.aupro, abs=1e-12)


def test_a_region_is_as_large_as_its_pixels_that_count():
    # Of region 1 the second pixel is ignored and hence not given; region 2 has none left at all.
    background, defect = np.zeros(3, np.float32), np.array([5, -1], np.float32)

    assert rank(background, defect, np.array([1, 3])).aupro == pytest.approx(0.5)
    assert rank(background, defect[:1], np.array([1])).aupro == pytest.approx(1)


def test_defect_scores_are_left_as_they_were():
    defect = np.array([3, 1, 2], np.float32)

    rank_pixels(np.array([2, 0], np.float32), defect, np.array([0, 1, 1]))

    assert defect.tolist() == [3, 1, 2]


@pytest.mark.parametrize("n_regions", [1, 3, 6, 7, 49])
@pytest.mark.parametrize("limit", [0.05, 0.1, 0.3, 1.0])
def test_no_rounding_lifts_a_perfect_detector_above_one(n_regions, limit):
    regions = np.repeat(np.arange(n_regions), 96)
    background = np.linspace(0, 1, 4001, dtype=np.float32)
    defect = np.linspace(2, 3, regions.size, dtype=np.float32)

    perfect = rank(background, defect, regions, limit)

    assert 1 - 1e-12 < perfect.aupro <= 1
    assert perfect.auroc == 1
    assert 1 - 1e-12 < perfect.average_precision <= 1
