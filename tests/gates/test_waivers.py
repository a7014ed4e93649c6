"""A waiver lets one violated limit pass until its last day, and says so."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.gates.judgement import judge, not_measurable
from pytest_robustbench.gates.limits import Limit, Verdict, Waiver
from pytest_robustbench.gates.waivers import apply_waivers
from pytest_robustbench.gates.wording import describe

LAST = date(2026, 3, 31)
FLOOR = Limit("pixel_segf1", "min", 0.35, "r.yaml:9")
CEILING = Limit("bg_fpr", "max", 0.02, "r.yaml:7")
WAIVER = Waiver("clean", "pixel_segf1", "new lamp", "Ada", LAST, "r.yaml:20")


def judged(value, day, waivers=(WAIVER,), condition="clean"):
    verdicts = judge(condition, [FLOOR, CEILING], {"pixel_segf1": value, "bg_fpr": 0.01}, {})
    return apply_waivers(verdicts, waivers, day)


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_a_violated_limit_is_waived_up_to_the_last_day_and_not_beyond(value, day):
    verdict, other = judged(value, day)
    assert verdict.outcome == ("pass" if value >= 0.35 else "fail")
    assert verdict.violated == (value < 0.35 and day > LAST)
    assert verdict.waived == (value < 0.35 and day <= LAST)
    assert not other.violated
    assert not other.waived


def test_a_waiver_speaks_of_its_own_condition_and_metric_alone():
    assert judged(0.1, LAST, condition="blur-severity_1")[0].violated
    both = judge("clean", [FLOOR, CEILING], {"pixel_segf1": 0.1, "bg_fpr": 0.3}, {})
    assert [v.violated for v in apply_waivers(both, [WAIVER], LAST)] == [False, True]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_cannot_be_measured_is_never_waived(value):
    assert judged(value, LAST)[0].violated
    (verdict,) = apply_waivers(not_measurable("clean", [FLOOR], "no light"), [WAIVER], LAST)
    assert verdict.violated
    assert verdict.waiver is None
    assert "ran out" not in describe(judged(value, LAST + timedelta(days=1))[0])


def test_what_is_waived_names_who_why_and_until_when():
    line = describe(judged(0.3, LAST)[0])
    assert line == (
        "clean: pixel_segf1 = 0.3 is 0.05 below the floor 0.35 (r.yaml:9); waived until 2026-03-31 "
        "by Ada: new lamp (r.yaml:20)"
    )


def test_after_the_last_day_the_failure_says_that_the_waiver_ran_out():
    line = describe(judged(0.3, LAST + timedelta(days=1))[0])
    assert line.endswith("(r.yaml:9); the waiver by Ada ran out on 2026-03-31")
    assert "waived until" not in line


def test_a_waiver_beside_another_outcome_than_fail_waives_nothing():
    verdict = Verdict("clean", FLOOR, None, "error", "no mask", waiver=WAIVER)
    assert verdict.violated
    assert not verdict.waived
