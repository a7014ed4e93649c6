"""A few quantiles of scores: exact where all scores are kept, and from below in a histogram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_robustbench.metrics.ranking.histogram import ScoreHistogram
from pytest_robustbench.metrics.ranking.levels import (
    LEVELS,
    MOST,
    bins_at_levels,
    levels_of,
    levels_of_sorted,
)
from pytest_robustbench.metrics.ranking.order import ordered_bits, scores_of_bits
from tests.metrics.metrics_pixels import SCALES, TOP

SCORES = st.one_of(*(st.lists(scale, min_size=1, max_size=60) for scale in SCALES)).map(
    lambda each: np.array(each, np.float32)
)
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)


def values(*scores):
    return np.array(scores, np.float32)


def by_numpy(scores):
    """The same by an independent hand: in float64, which holds every float32."""
    quantiles = np.quantile(scores.astype(np.float64), np.array(LEVELS), method="inverted_cdf")
    return tuple(quantiles.tolist())


# ---- all scores --------------------------------------------------------------------------------


@given(SCORES)
@settings(deadline=None, max_examples=150)
def test_levels_are_quantiles_without_interpolation(scores):
    assert levels_of_sorted(np.sort(scores)) == by_numpy(scores)


@pytest.mark.parametrize("n", [1, 2, 20, 99, 100, 101, 999, 1000, 1001, 65_536])
def test_levels_are_quantiles_at_every_size(n):
    scores = np.arange(n, dtype=np.float32)

    assert levels_of_sorted(scores) == by_numpy(scores)


def test_a_false_positive_rate_of_one_in_a_thousand_lies_at_its_level():
    scores = np.arange(5000, dtype=np.float32)

    threshold = dict(zip(LEVELS, levels_of_sorted(scores), strict=True))[0.999]

    assert np.mean(scores > threshold) == 0.001


def test_the_last_level_is_the_largest_score():
    assert LEVELS[-1] == 1
    assert levels_of_sorted(values(1, 2, 7))[-1] == 7


def test_one_score_is_every_level():
    assert levels_of_sorted(values(3)) == (3,) * len(LEVELS)


def test_without_scores_there_are_no_levels():
    assert levels_of_sorted(values()) == ()


@given(SCORES)
@settings(deadline=None, max_examples=50)
def test_scores_in_any_order_have_the_levels_of_those_in_order(scores):
    assert levels_of(scores) == levels_of_sorted(np.sort(scores))


def test_of_many_scores_an_even_choice_tells_the_levels_and_the_largest_is_exact():
    scores = np.random.default_rng(0).permutation(3 * MOST).astype(np.float32)
    *lower, largest = levels_of(scores)
    assert largest == 3 * MOST - 1
    np.testing.assert_allclose(lower, np.array(LEVELS[:-1]) * 3 * MOST, rtol=0.02)


def test_no_scores_in_any_order_have_no_levels():
    assert levels_of(values()) == ()


# ---- bins --------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any))
@settings(deadline=None, max_examples=150)
def test_a_level_lies_in_the_bin_that_holds_it(counts):
    each_score_its_bin = np.repeat(np.arange(len(counts)), counts).astype(np.float32)

    found = bins_at_levels(np.array(counts, np.int64))

    assert tuple(found.tolist()) == levels_of_sorted(each_score_its_bin)


def test_bins_that_hold_nothing_are_no_level():
    assert set(bins_at_levels(np.array([0, 5, 0, 0, 5, 0]))) == {1, 4}


# ---- scores as integers, and back --------------------------------------------------------------


@given(SCORES)
@settings(deadline=None, max_examples=150)
def test_scores_come_back_from_the_integers_that_order_them(scores):
    found = scores_of_bits(ordered_bits(scores))

    assert found.dtype == np.float32
    assert np.array_equal(found, scores)
    assert not np.signbit(found[found == 0]).any()


def test_minus_zero_comes_back_as_zero():
    (found,) = scores_of_bits(ordered_bits(values(-0.0)))

    assert found == 0
    assert not np.signbit(found)


def test_no_scores_are_no_integers():
    assert scores_of_bits(ordered_bits(values())).size == 0


# ---- a histogram -------------------------------------------------------------------------------


def histogram_of(background, defect):
    histogram = ScoreHistogram()
    histogram.add_background(background)
    histogram.add_defect(defect, np.zeros(defect.size, int))
    return histogram


def assert_just_below(found, exact):
    assert len(found) == len(exact)
    for estimate, value in zip(found, exact, strict=True):
        assert np.isfinite(estimate)
        assert estimate <= value
        # Denormal scores have no mantissa to be relative to.
        assert value - estimate <= max(abs(value), SMALLEST_NORMAL) / 2048


@given(SCORES, SCORES)
@example(values(-TOP, TOP), values(-TOP))
@example(values(-1, 0, 1), values(-(2.0**-149), 2.0**-149))
@settings(deadline=None, max_examples=60)
def test_levels_of_a_histogram_lie_just_below_the_exact_ones(background, defect):
    found = histogram_of(background, defect).levels()

    assert_just_below(found[0], levels_of_sorted(np.sort(background)))
    assert_just_below(found[1], levels_of_sorted(np.sort(defect)))


def test_the_lowest_finite_score_does_not_become_infinite():
    background, _ = histogram_of(values(-TOP), values()).levels()

    assert background == (-TOP,) * len(LEVELS)


def test_maps_of_8_bits_have_exact_levels():
    scores = np.arange(256, dtype=np.float32)

    assert histogram_of(scores, values()).levels()[0] == levels_of_sorted(scores)


@pytest.mark.parametrize(
    ("background", "defect", "known"),
    [
        (values(), values(), (False, False)),
        (values(1), values(), (True, False)),
        (values(), values(1), (False, True)),
    ],
)
def test_a_histogram_has_levels_of_what_it_was_given(background, defect, known):
    assert tuple(map(bool, histogram_of(background, defect).levels())) == known


def test_merged_histograms_have_the_levels_of_all():
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=500).astype(np.float32) for _ in range(2))
    merged = histogram_of(first, first)
    merged.merge(histogram_of(second, second))

    both = np.concatenate([first, second])

    assert merged.levels() == histogram_of(both, both).levels()
