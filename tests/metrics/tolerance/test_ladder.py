"""Scores between the rungs of a ladder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.metrics.tolerance.ladder import GRID, Ladder
from tests.metrics.tolerance.ladders import RUNGS, ladder_of

ALL = np.array([True])


def slowly(ladder, severity):
    """The score of the first image at a severity, by the definition."""
    rungs = ladder.severities
    scores = ladder.scores[:, 0, 0]
    if severity < rungs[0]:
        return ladder.clean[0] + 2.0 ** (severity - rungs[0]) * (scores[0] - ladder.clean[0])
    return float(np.interp(severity, rungs, scores))


@given(
    rungs=st.lists(st.integers(1, 500), min_size=1, max_size=8, unique=True),
    seed=st.integers(0, 1000),
)
def test_scores_lie_between_those_of_the_rungs_around(rungs, seed):
    rng = np.random.default_rng(seed)
    severities = tuple(sorted(rung / 100 for rung in rungs))
    scores = rng.normal(size=(len(severities), 1, 1))
    ladder = Ladder(severities, rng.normal(size=1), scores)
    along = ladder.along(ALL, 0)[:, 0]
    np.testing.assert_allclose(along, [slowly(ladder, s) for s in GRID], atol=1e-9)


def test_a_score_that_grows_with_the_level_is_met_below_the_first_rung():
    ladder = ladder_of([lambda severity: 3 * 2.0**severity])
    first = RUNGS[0] > GRID
    np.testing.assert_allclose(ladder.along(ALL, 0)[first, 0], 3 * 2.0 ** GRID[first])


def test_a_rung_more_stands_in_its_place():
    ladder = ladder_of([lambda severity: severity])
    more = ladder.with_rung(2.5, np.array([[7.0]]))
    assert more.severities == (1.0, 2.0, 2.5, 3.0, 4.0, 5.0)
    assert more.scores[:, 0, 0].tolist() == [1, 2, 7, 3, 4, 5]


@pytest.mark.parametrize(
    ("severity", "around"),
    [(0.3, (0.0, 1.0)), (1.0, (0.0, 1.0)), (3.4, (3.0, 4.0)), (5.0, (4.0, 5.0))],
)
def test_a_bracket_is_the_rungs_around(severity, around):
    assert ladder_of([lambda s: s]).bracket(severity) == around
