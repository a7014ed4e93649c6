"""Shares of parts: exact where each image is a part, and by parts where several show one."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.gates.intervals import bound_on, interval_of
from pytest_robustbench.gates.shares import binomial_ends
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.metrics.outcomes import Outcomes

MISS_RATE = metric_called("miss_rate")


def misses(wrong, parts):
    """Return defect images, some of which score below the threshold."""
    n = len(wrong)
    score = np.where(np.asarray(wrong, np.bool_), 0.0, 1.0)
    nothing = np.full(n, np.nan)
    counts = dict.fromkeys(("tp", "fp", "fn", "tn"), nothing)
    return Outcomes(
        np.ones(n, np.int64), score, **counts, image_threshold=0.5, groups=np.asarray(parts)
    )


def ends(wrong, parts):
    return interval_of(MISS_RATE, misses(wrong, parts))


@pytest.mark.parametrize(("k", "n"), [(0, 20), (7, 40), (40, 40), (1, 1)])
def test_parts_of_one_image_have_the_exact_interval(k, n):
    from scipy.stats import binomtest

    exact = binomtest(k, n).proportion_ci(0.95, "exact")

    assert binomial_ends(k, n, 0.025) == pytest.approx((exact.low, exact.high))
    assert ends(np.arange(n) < k, np.arange(n)) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("k", [0, 4, 12])
def test_copies_of_an_image_are_no_further_evidence(k):
    """Parts whose images all agree are drawn from an urn, and yet as in the exact interval."""
    wrong = np.arange(12) < k

    copies = ends(np.repeat(wrong, 10), np.repeat(np.arange(12), 10))

    assert copies == pytest.approx(ends(wrong, np.arange(12)), abs=0.02)


def test_a_large_part_weighs_what_it_has():
    """Nine of twelve images are of one part: whether it is missed is one draw, not nine."""
    parts = np.r_[np.zeros(9, np.int64), 1, 2, 3]

    low, high = ends(parts == 0, parts)

    assert low < 0.3
    assert high > 0.97


@pytest.mark.parametrize("alike", [0.05, 1.0, 9.0])
@pytest.mark.parametrize(
    ("share", "sizes"),
    [
        (0.02, [10] * 32),
        (0.1, [10] * 8),
        (0.3, [5] * 16),
        (0.2, [10] * 5 + [1] * 20),
        (0.3, [20] * 2 + [1] * 40),
    ],
    ids=["320 of 32", "80 of 8", "80 of 16", "5 large parts", "2 large parts"],
)
def test_bounds_over_parts_hold_as_often_as_they_claim(share, sizes, alike):
    """From images of a part that are all but copies (0.05) to all but independent ones (9)."""
    rng = np.random.default_rng(1)
    parts = np.repeat(np.arange(len(sizes)), sizes)

    def holds():
        rates = rng.beta(share * alike, (1 - share) * alike, len(sizes))
        outcomes = misses(rng.random(len(parts)) < rates[parts], parts)
        upper, lower = (bound_on(side, MISS_RATE, outcomes) for side in ("upper", "lower"))
        return upper >= share, lower <= share

    assert np.min(np.mean([holds() for _ in range(300)], axis=0)) >= 0.925
