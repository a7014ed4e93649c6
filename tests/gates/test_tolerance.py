"""Limits on tolerances, held against the lower end of what was found."""

from __future__ import annotations

import math
from types import MappingProxyType

import numpy as np
import pytest

from pytest_robustbench.conditions import Condition
from pytest_robustbench.corruptions.scale import Scale
from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
from pytest_robustbench.gates.limits import Demand, Limit
from pytest_robustbench.gates.showing import held_to
from pytest_robustbench.gates.soundness import why_vacuous
from pytest_robustbench.gates.tolerance import judge_tolerance, parts_to_show
from pytest_robustbench.metrics.tolerance.breaks import NEVER, Break, Breaks, SideBreak
from pytest_robustbench.metrics.tolerance.ladder import Ladder


def result(severity=3.0, lowest=2.0, n_parts=40, limit=0.1):
    """A blur that breaks at a severity, and in one draw of five already at the lowest."""
    drawn = np.repeat([lowest, severity], [200, 800])
    side = SideBreak(limit, 0.0, n_parts, rises=True, found=Break(severity, drawn, n_parts))
    return ToleranceResult(
        condition=Condition("tolerance", ladder="blur"),
        ladder=Ladder((3.0,), np.zeros(4), np.zeros((1, 1, 4))),
        breaks=Breaks({"false_reject_rate": side, "miss_rate": side}),
        image_threshold=1.0,
        operating_point="0" * 32,
        scale=Scale("px", 1.0),
        level="",
        at_camera=None,
        specification=MappingProxyType({}),
        left_out=(),
        kept=(0, 1, 2, 3),
    )


def limit(value, unit="px"):
    return Limit("tolerance", "min", value, "robustness.yaml:7", unit)


def judged(found, bound, demand=None):
    (verdict,) = judge_tolerance(found, [bound], demand)
    return held_to(verdict, demand or Demand())


@pytest.mark.parametrize(
    ("value", "unit", "outcome"),
    [
        (0.5, "px", "pass"),
        (0.51, "px", "not shown"),
        (1.0, "px", "not shown"),
        (1.01, "px", "fail"),
        (2.0, "severity", "pass"),
        (2.1, "severity", "not shown"),
        (3.1, "severity", "fail"),
    ],
)
def test_the_lower_end_has_to_keep_it_in_the_unit_of_the_limit(value, unit, outcome):
    verdict = judged(result(), limit(value, unit))
    assert verdict.outcome == outcome
    assert (verdict.value, verdict.at_worst) == ((1.0, 0.5) if unit == "px" else (3.0, 2.0))
    assert verdict.violated == (outcome != "pass")


def test_what_nothing_breaks_counts_as_the_severest():
    verdict = judged(result(NEVER, NEVER), limit(4.0))
    assert (verdict.value, verdict.at_worst, verdict.outcome) == (4.0, 4.0, "pass")


def test_what_clean_breaks_fails_every_limit():
    verdict = judged(result(0.0, 0.0), limit(0.01))
    assert (verdict.value, verdict.outcome) == (0.0, "fail")


def test_too_few_parts_show_nothing_where_that_is_demanded():
    few = result(n_parts=28)
    assert judged(few, limit(0.5)).outcome == "pass"
    verdict = judged(few, limit(0.5), Demand(0.95))
    assert (verdict.outcome, verdict.at_worst) == ("not shown", None)
    assert "too few images" in verdict.reason
    assert judged(result(n_parts=29), limit(0.5), Demand(0.95)).outcome == "pass"
    assert judged(result(n_parts=29), limit(0.5), Demand(0.99)).outcome == "not shown"


def test_the_parts_it_takes_follow_the_room_that_the_limit_leaves():
    assert parts_to_show(0.1, 0.0) == 29
    assert parts_to_show(0.15, 0.05) == 29
    assert parts_to_show(0.02, 0.0) > 100
    assert parts_to_show(1.0, 0.0) == 1
    assert parts_to_show(0.0, 0.0) == parts_to_show(0.1, 0.2) == math.inf


def test_a_floor_of_nothing_can_never_be_violated():
    assert "can never be violated" in why_vacuous(limit(0.0))
    assert why_vacuous(limit(0.1)) == ""
