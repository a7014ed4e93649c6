"""Shares of images: parts are the unit, and few parts of the rarer kind are little evidence."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.gates.shares import effective, share_ends
from pytest_robustbench.metrics.outcomes import Ratio
from pytest_robustbench.metrics.parts import parts_of

ALPHA = 0.025


def ends(wrong, per_part):
    n = len(wrong)
    parts = parts_of(np.ones(n, np.int64), np.arange(n) // per_part)
    return share_ends(Ratio(np.asarray(wrong, np.float64), np.ones(n)), parts, ALPHA)


def test_images_that_are_parts_have_the_exact_interval():
    from scipy.stats import binomtest

    wrong = np.arange(40) < 7
    exact = binomtest(7, 40).proportion_ci(0.95, "exact")

    assert ends(wrong, 1) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("wrong", [0.0, 1.0])
def test_where_all_images_agree_their_parts_are_counted(wrong):
    assert ends(np.full(50, wrong), 5) == pytest.approx(ends(np.full(10, wrong), 1))


def test_copies_of_an_image_are_no_further_evidence():
    wrong = np.arange(12) < 4

    assert ends(np.repeat(wrong, 10), 10) == pytest.approx(ends(wrong, 1), abs=1e-9)


def test_independent_images_of_parts_are_worth_almost_as_many():
    wrong = np.random.default_rng(0).random(600) < 0.3

    assert np.ptp(ends(wrong, 3)) == pytest.approx(np.ptp(ends(wrong, 1)), rel=0.15)


def test_parts_of_unequal_size_are_worth_fewer():
    assert effective(np.array([1.0, 1.0, 1.0, 1.0])) == 4
    assert effective(np.array([9.0, 1.0, 1.0, 1.0])) == pytest.approx(144 / 84)


@pytest.mark.parametrize("alike", [0.05, 1.0, 9.0])
@pytest.mark.parametrize(("share", "per_part", "n"), [(0.02, 10, 320), (0.1, 10, 80), (0.3, 5, 80)])
def test_intervals_over_parts_hold_as_often_as_they_claim(share, per_part, n, alike):
    """From images of a part that are all but copies (0.05) to all but independent ones (9)."""
    rng = np.random.default_rng(1)
    n_parts = n // per_part

    def holds():
        rates = rng.beta(share * alike, (1 - share) * alike, n_parts)
        low, high = ends(
            rng.random((n_parts, per_part)).ravel() < np.repeat(rates, per_part), per_part
        )
        return low <= share <= high

    assert np.mean([holds() for _ in range(300)]) >= 0.93
