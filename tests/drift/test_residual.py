"""The test of what is left: silent by chance, and right about where."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.drift.residual import ERROR, KINDS, remainders
from pytest_robustbench.drift.traits import FIELD, GRAIN, SPECTRUM, TONE, places


def samples(seed, n=12, planes=1):
    width = max(place.stop for place in places(planes).values())
    return np.random.default_rng(seed).normal(size=(n, width))


def test_samples_of_one_population_are_seldom_told_apart():
    found = [
        any(one.unexplained for one in remainders(samples(2 * i), samples(2 * i + 1), 1, 0.5))
        for i in range(100)
    ]
    assert np.mean(found) <= 3 * ERROR


@pytest.mark.parametrize(
    ("trait", "kind", "where"),
    [
        (TONE, "tone", "mean light"),
        (SPECTRUM, "spectrum", "structures of about"),
        (GRAIN, "grain", "all planes"),
        (FIELD, "field", "row 1 of 4, column 1 of 4"),
    ],
)
def test_a_difference_is_found_where_it_is(trait, kind, where):
    after = samples(1, n=20)
    after[:, places(1)[trait].start] += 6
    left = [one for one in remainders(samples(0, n=20), after, 1, 0.5) if one.unexplained]

    assert [one.kind for one in left] == [kind]
    assert left[0].where.startswith(where)


def test_every_kind_is_told_of_and_probabilities_are_those_of_all_tests():
    found = remainders(samples(0, planes=3), samples(1, planes=3), 3, 0.5)
    assert [one.kind for one in found] == list(KINDS)
    assert all(0 < one.p <= 1 for one in found)
