"""Where image decisions break, and how sure that is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t
from sklearn.isotonic import IsotonicRegression

from pytest_robustbench.errors import NotMeasurableError
from pytest_robustbench.metrics.parts import parts_of
from pytest_robustbench.metrics.tolerance.breaks import (
    BROKEN,
    NEVER,
    Break,
    breaks_of,
    expanded,
)
from pytest_robustbench.metrics.tolerance.ladder import GRID, Ladder
from pytest_robustbench.metrics.tolerance.sides import Side, width_of
from tests.metrics.tolerance.ladders import (
    RUNGS,
    THRESHOLD,
    found,
    mixed,
    rising,
    steady,
)

STEP = GRID[1] - GRID[0]
FINE = tuple(np.arange(0.25, 5.01, 0.25))
GOOD, DEFECTIVE = [steady(0.0)] * 20, [steady(20.0)] * 20


def test_parts_that_all_cross_at_one_severity_break_there():
    breaks = found(*mixed([rising(3.2)] * 20, DEFECTIVE, FINE, clean_good=-60.0))
    assert breaks.first.severity == pytest.approx(3.2, abs=1.5 * STEP)
    assert breaks.broken_by == "false_reject_rate"
    assert breaks.first.interval == pytest.approx((3.2, 3.2), abs=1.5 * STEP)


def test_a_limit_breaks_where_as_many_parts_have_crossed():
    good = [rising(at, slope=200.0) for at in np.linspace(1, 5, 101)]
    clean = np.linspace(-1000, -200, 101)  # spread, so that there is something to smooth
    breaks = found(*mixed(good, DEFECTIVE, FINE, clean_good=clean), {"false_reject_rate": 0.25})
    assert breaks.first.severity == pytest.approx(2.0, abs=0.1)


def test_misses_break_as_rejects_do():
    falling = [lambda severity: 2 * THRESHOLD - rising(2.5)(severity)] * 20
    breaks = found(*mixed(GOOD, falling, FINE, clean_defective=80.0))
    assert breaks.broken_by == "miss_rate"
    assert breaks.first.severity == pytest.approx(2.5, abs=1.5 * STEP)


def test_what_breaks_first_counts():
    falling = [lambda severity: 2 * THRESHOLD - rising(4.0)(severity)] * 20
    ladder, labels = mixed(
        [rising(2.0)] * 20, falling, FINE, clean_good=-60.0, clean_defective=80.0
    )
    breaks = found(ladder, labels)
    assert breaks.broken_by == "false_reject_rate"
    sides = {name: side.found.severity for name, side in breaks.sides.items()}
    assert sides == pytest.approx({"false_reject_rate": 2.0, "miss_rate": 4.0}, abs=1.5 * STEP)
    assert breaks.first.severity == sides["false_reject_rate"]


def test_what_nothing_breaks_is_never_broken():
    breaks = found(*mixed(GOOD, DEFECTIVE))
    assert breaks.first.severity == NEVER
    assert breaks.first.interval == (NEVER, NEVER)
    assert breaks.broken_by is None


def test_an_alarm_for_everything_is_a_break_though_nothing_is_missed():
    everything = [rising(3.0)] * 20
    breaks = found(*mixed(everything, DEFECTIVE, FINE, clean_good=-60.0))
    assert breaks.sides["miss_rate"].found.severity == NEVER
    assert breaks.first.severity == pytest.approx(3.0, abs=1.5 * STEP)


@pytest.mark.parametrize(("share", "limit"), [(0.25, 0.2), (0.6, None)])
def test_what_clean_breaks_tolerates_nothing(share, limit):
    clean = np.where(np.arange(20) < 20 * share, 15.0, 0.0)
    good = [steady(value) for value in clean]
    limits = {} if limit is None else {"false_reject_rate": limit}
    breaks = found(*mixed(good, DEFECTIVE, clean_good=clean), limits)
    assert breaks.first.severity == BROKEN
    assert breaks.sides["false_reject_rate"].clean == share
    assert breaks.broken_by == "false_reject_rate"


def test_without_a_limit_a_tenth_more_than_under_clean_breaks_but_never_beyond_half():
    clean = np.where(np.arange(20) < 9, 15.0, 0.0)
    good = [steady(value) for value in clean]
    side = found(*mixed(good, DEFECTIVE, clean_good=clean)).sides["false_reject_rate"]
    assert side.limit == 0.5
    few = found(*mixed(GOOD, DEFECTIVE)).sides["miss_rate"]
    assert (few.clean, few.limit) == (0.0, 0.1)


def test_a_limit_of_nothing_breaks_where_the_first_part_crosses():
    good = [rising(2.0, slope=500.0), *([steady(-500.0)] * 19)]
    clean = np.array([-990.0, *([-500.0] * 19)])
    breaks = found(*mixed(good, DEFECTIVE, FINE, clean_good=clean), {"false_reject_rate": 0.0})
    assert breaks.first.severity == pytest.approx(2.0, abs=0.3)


def test_a_share_that_falls_again_breaks_where_it_first_crosses():
    """Misses come back where everything alarms: what is after the break does not undo it."""

    def passing(severity):
        return 0.0 if 2 <= severity <= 3 else 20.0

    ladder, labels = mixed(GOOD, [passing] * 20, FINE)
    side = found(ladder, labels).sides["miss_rate"]
    assert not side.rises
    assert 1.75 <= side.found.severity <= 2.0


def test_a_share_that_wavers_by_chance_is_taken_to_rise():
    """One part of many that comes back is no sign that the share falls."""
    good = [rising(at) for at in np.linspace(1.5, 4.5, 39)]

    def back(severity):
        return 15.0 if 1.0 <= severity <= 1.5 else 0.0

    ladder, labels = mixed([back, *good], DEFECTIVE, FINE, clean_good=np.linspace(-30, 0, 40))
    assert found(ladder, labels).sides["false_reject_rate"].rises


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_a_rising_share_breaks_where_isotonic_regression_says(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 40))
    clean = rng.normal(6, 2, n)
    scores = clean + np.cumsum(rng.normal(0.8, 0.8, (5, 1, n)), axis=0)
    labels = np.zeros(n, np.int64)
    ladder = Ladder(
        RUNGS, np.append(clean, [20.0] * 5), np.dstack([scores, np.full((5, 1, 5), 20.0)])
    )
    labels = np.append(labels, [1] * 5)
    result = found(ladder, labels, {"false_reject_rate": 0.5}).sides["false_reject_rate"]
    parts = parts_of(labels, np.arange(len(labels)))
    side = Side.of("false_reject_rate", ladder, THRESHOLD, labels=labels, parts=parts)
    (raw,), curve = side.shares(np.ones((1, len(labels)), np.uint8))
    excess = curve[0] - (0.5 - raw)
    if result.rises:
        excess = IsotonicRegression().fit_transform(GRID, excess)
    above = np.flatnonzero(excess > 1e-12)
    expected = BROKEN if raw > 0.5 else GRID[above[0]] if len(above) else NEVER
    assert result.found.severity == pytest.approx(expected, abs=1.5 * STEP)


def test_shares_are_smoothed_over_scores():
    rng = np.random.default_rng(0)
    clean = rng.normal(8, 1, 25)
    ladder = Ladder(RUNGS, clean, clean + rng.normal(1, 0.5, (5, 2, 25)))
    labels = np.zeros(25, np.int64)
    side = Side.of(
        "false_reject_rate", ladder, THRESHOLD, labels=labels, parts=parts_of(labels, np.arange(25))
    )
    (raw,), damage = side.shares(np.ones((1, 25), np.uint8))
    assert raw == np.mean(clean > THRESHOLD)
    width = width_of(clean)
    at_three = np.flatnonzero(np.isclose(GRID, 3.0))[0]
    slowly = np.mean(
        [norm.cdf((score - THRESHOLD) / width) for draw in ladder.scores[2] for score in draw]
    ) - np.mean([norm.cdf((score - THRESHOLD) / width) for score in clean])
    assert damage[0, at_three] == pytest.approx(slowly)


def test_the_width_follows_the_spread_and_the_number_of_parts():
    scores = norm.ppf((np.arange(1000) + 0.5) / 1000)
    assert width_of(3 * scores) == pytest.approx(3 * 0.74 * 1000**-0.2, rel=0.01)
    assert width_of(np.append(scores, [1e6])) == pytest.approx(width_of(scores), rel=0.02)
    assert width_of(np.array([1.0])) == 0.0


def spread(n, seed=0):
    rng = np.random.default_rng(seed)
    clean = rng.normal(4, 2, n)
    good = [lambda s, c=value: c + 0.5 * 2.0 ** (s - 1) for value in clean]
    return good, clean


def test_images_of_one_part_are_one_piece_of_evidence():
    good, clean = spread(16)
    alone = found(*mixed(good, DEFECTIVE, FINE, clean_good=clean), n_draws=1000)
    repeated = [curve for curve in good for _ in range(5)]
    ladder, labels = mixed(repeated, DEFECTIVE, FINE, clean_good=np.repeat(clean, 5))
    groups = [*np.repeat(np.arange(16), 5), *range(100, 120)]
    grouped = found(ladder, labels, groups=groups, n_draws=1000)
    taken_for_parts = found(ladder, labels, n_draws=1000)

    def width(breaks):
        low, high = breaks.first.interval
        return high - low

    assert width(grouped) == pytest.approx(width(alone), rel=0.35)
    assert width(taken_for_parts) < 0.7 * width(grouped)
    assert grouped.sides["false_reject_rate"].n_parts == 16


def test_more_parts_make_it_surer_and_the_bound_is_the_lower_end():
    few, many = (
        found(*mixed(good, DEFECTIVE, FINE, clean_good=clean), n_draws=1000).first
        for good, clean in (spread(12), spread(300))
    )
    assert many.interval[1] - many.interval[0] < 0.5 * (few.interval[1] - few.interval[0])
    assert few.at_least(0.95) == few.interval[0]
    assert few.at_least(0.99) <= few.at_least(0.8) <= few.severity + 0.2


@pytest.mark.parametrize("n", [2, 6, 30])
def test_few_parts_expand_the_percentiles_as_student_says(n):
    quantile = t.ppf(0.05, n - 1) * math.sqrt(n / (n - 1))
    assert expanded(0.05, n) == pytest.approx(norm.cdf(quantile))
    assert expanded(0.05, n) < expanded(0.05, n + 1) < 0.05
    drawn = np.linspace(1, 4, 2001)
    found, many = Break(2.0, drawn, n), Break(2.0, drawn, 10**6)
    assert found.interval[0] < many.interval[0]
    assert found.interval[1] > many.interval[1]
    assert many.interval == pytest.approx((1.15, 3.85), abs=0.01)


def test_the_same_scores_are_always_judged_alike():
    good, clean = spread(12)
    first, second = (found(*mixed(good, DEFECTIVE, FINE, clean_good=clean)) for _ in range(2))
    assert first.first.interval == second.first.interval


@pytest.mark.parametrize(("n_good", "n_defective", "kind"), [(1, 5, "good"), (5, 0, "defective")])
def test_a_side_without_two_parts_cannot_be_seen(n_good, n_defective, kind):
    ladder, labels = mixed([steady(0.0)] * n_good, [steady(20.0)] * n_defective)
    with pytest.raises(NotMeasurableError, match=f"2 {kind} parts at least, and the test set has"):
        found(ladder, labels)


def test_one_draw_of_images_that_differ_much_is_no_average():
    """Two draws of one image are two views of one part, each with half its weight."""
    clean = np.zeros(10)
    scores = np.zeros((5, 2, 14))
    scores[:, 0, :10] = 15.0  # the first draw rejects every good part, the second none
    scores[:, :, 10:] = 20.0
    ladder = Ladder(RUNGS, np.append(clean, [20.0] * 4), scores)
    labels = np.array([0] * 10 + [1] * 4)
    breaks = breaks_of(
        ladder, THRESHOLD, {"false_reject_rate": 0.6}, labels=labels, groups=np.arange(14)
    )
    assert math.isinf(breaks.first.severity)
