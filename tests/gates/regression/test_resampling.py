"""p-values and bounds of small cases, against scipy and by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test

from pytest_robustbench.gates.regression.family import judge_family
from pytest_robustbench.gates.regression.ratios import difference_of
from pytest_robustbench.gates.regression.resampling import (
    FLOOR_SHARE,
    Resampling,
    bounds,
    draws_of,
    exchanges_of,
    p_values,
)
from pytest_robustbench.metrics.catalogue import metric_called
from tests.gates.regression_pairs import comparison, pair_of, subset


def test_what_is_not_asked_for_is_decided_at_five_percent_of_2000_draws():
    assert Resampling() == Resampling(alpha=0.05, draws=2000, exchanges=2000, seed=0)
    limit = comparison(pair_of(40, found=(0.7, 0.6)))
    assert judge_family([limit]) == judge_family([limit], Resampling())


@pytest.mark.parametrize("seed", range(4))
def test_p_is_that_of_scipy_over_all_exchanges(seed):
    defects = subset(pair_of(20, seed, found=(0.7, 0.66)), np.arange(1, 19, 2))
    difference = difference_of(metric_called("pixel_segf1_per_image"), defects)
    values = [of.numerator / of.denominator for of in (difference.baseline, difference.candidate)]
    n = len(defects.ids)
    # Exchanging turns signs, so that the mean square over all exchanges is known.
    floor = FLOOR_SHARE * np.sqrt(np.sum((values[0] - values[1]) ** 2)) / n

    def studentised(before, after, axis):
        loss = before - after
        error = np.maximum(loss.std(axis=axis, ddof=1) / np.sqrt(n), floor)
        return loss.mean(axis=axis) / error

    expected = permutation_test(
        values, studentised, permutation_type="samples", alternative="greater", vectorized=True
    )
    everything = np.array(list(product((0.0, 1.0), repeat=n)))
    exchanged, errors = difference.exchanged(everything)
    own = errors[:1]

    found = p_values(np.array([difference.loss()]), own, exchanged[1:, None], errors[1:, None])

    assert found == pytest.approx([expected.pvalue])


def test_an_exchange_that_loses_as_much_counts_whatever_its_last_digit_is():
    own, exchanged = np.array([1.0]), np.array([[0.3 - 1e-12], [-0.3], [0.3 - 1e-6]])
    assert p_values(np.array([0.3]), own, exchanged, np.ones((3, 1))) == pytest.approx([2 / 4])


def test_a_bound_is_the_rank_that_holds_95_of_100_times():
    """Of 39 draws and the sample itself, 2 in 40 lie beyond the 38th."""
    losses, own = np.array([0.5]), np.array([1.0])
    drawn = 0.5 - np.arange(1.0, 40)[::-1, None]
    upper, lower = bounds(losses, own, drawn, np.ones((39, 1)), 0.05)
    assert upper == pytest.approx([0.5 + 38])
    upper, lower = bounds(losses, own, 1 - drawn, np.ones((39, 1)), 0.05)
    assert lower == pytest.approx([0.5 - 38])


def test_bounds_hold_together_and_each_in_units_of_its_own_error():
    rng = np.random.default_rng(0)
    own, losses = np.array([1.0, 10.0]), np.array([0.0, 3.0])
    shifts = rng.normal(size=(199, 2))
    upper, lower = bounds(losses, own, losses - shifts * own, np.tile(own, (199, 1)), 0.1)
    largest = np.sort(shifts.max(axis=1))[179]
    smallest = np.sort((-shifts).max(axis=1))[179]
    np.testing.assert_allclose(upper, losses + largest * own)
    np.testing.assert_allclose(lower, losses - smallest * own)


def test_the_error_of_a_draw_is_taken_for_no_less_than_a_share_of_the_samples_own():
    drawn, errors = np.full((19, 1), -1.0), np.full((19, 1), 1e-9)
    upper, _ = bounds(np.array([0.0]), np.array([1.0]), drawn, errors, 0.05)
    assert upper == pytest.approx([1 / FLOOR_SHARE])


@pytest.mark.parametrize(("n_undefined", "bounded"), [(25, True), (26, False), (40, False)])
def test_a_metric_may_be_undefined_in_half_of_its_share_of_the_draws(n_undefined, bounded):
    """Of K = 2 metrics at 5 %, in a quarter of these: 25 of 2000."""
    drawn = np.random.default_rng(1).normal(size=(2000, 2))
    drawn[:n_undefined, 0] = np.nan
    upper, lower = bounds(np.zeros(2), np.ones(2), drawn, np.ones((2000, 2)), 0.05)
    assert np.isfinite([upper[0], lower[0]]).tolist() == [bounded, bounded]
    assert np.isfinite([upper[1], lower[1]]).all()


def test_draws_and_exchanges_have_a_stream_of_their_own_for_all_that_names_them():
    strata, few = np.zeros(30, np.int64), Resampling(draws=20, exchanges=20)
    other = Resampling(draws=20, exchanges=20, seed=1)

    def drawn(name, settings):
        return next(draws_of(name, strata, settings))[1].tobytes()

    def exchanged(name, settings):
        return next(exchanges_of(name, 30, settings))[1].tobytes()

    for of in (drawn, exchanged):
        assert of("a", few) == of("a", few)
        assert len({of("a", few), of("b", few), of("a", other)}) == 3
