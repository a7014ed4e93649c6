"""How far a metric swings when it is trained again, beside what may be lost."""

from __future__ import annotations

import statistics

import pytest

from pytest_robustbench.gates.regression.spread import Spread
from tests.gates.regression_pairs import comparison, pair_of

VALUES = (0.80, 0.82, 0.78, 0.84, 0.76)


def spread(values, allowed=0.05, *, relative=False):
    change = comparison(pair_of(4), "auroc", allowed, relative=relative).change
    return Spread("clean", change, values)


def test_mean_and_deviation_are_those_of_a_sample():
    found = spread(VALUES)
    assert found.mean == pytest.approx(0.8)
    assert found.deviation == pytest.approx(statistics.stdev(VALUES))
    assert found.allowed == 0.05
    assert spread(VALUES, 0.05, relative=True).allowed == pytest.approx(0.04)


def test_it_exceeds_where_it_is_more_than_half_of_what_is_allowed():
    deviation = statistics.stdev(VALUES)
    assert not spread(VALUES, 2 * deviation).exceeds
    assert spread(VALUES, 1.99 * deviation).exceeds


def test_one_refit_without_value_leaves_nothing_to_say():
    found = spread((0.8, None, 0.9), relative=True)
    assert (found.mean, found.deviation, found.allowed) == (None, None, None)
    assert not found.exceeds
