"""The limit on a tolerance, held against the first severity at which decisions break.

A tolerance of few parts is uncertain by a step and more, so it passes only where its lower end
does: it is shown, or it is none.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import SEVEREST
from pytest_robustbench.corruptions.catalogue import SEVERITY_UNIT
from pytest_robustbench.gates.judgement import judge
from pytest_robustbench.gates.limits import CONFIDENCE
from pytest_robustbench.gates.showing import zero_failure_plan
from pytest_robustbench.metrics.catalogue import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.gates.limits import Demand, Limit, Verdict


def parts_to_show(limit: float, clean: float, confidence: float = CONFIDENCE) -> float:
    """Return how many parts of a kind show that no more than a share of all breaks.

    Draws of fewer parts may lack those that break first: their interval is then too narrow.

    Parameters
    ----------
    limit, clean : float
        The share that is allowed, and that under clean.
    confidence : float
        One-sided.
    """
    room = limit - clean
    if room <= 0:  # no number of parts shows that none is otherwise
        return math.inf
    return zero_failure_plan(room, confidence) if room < 1 else 1


def judge_tolerance(
    result: ToleranceResult, limits: Iterable[Limit], demand: Demand | None
) -> tuple[Verdict, ...]:
    """Hold limits against a tolerance, each in its own unit.

    Parameters
    ----------
    result : ToleranceResult
        What was found; what no severity breaks counts as the severest.
    limits : iterable of Limit
        Floors under it.
    demand : Demand, optional
        That they are shown: then the bound of too few parts counts for nothing.
    """
    return tuple(_judged(result, limit, demand) for limit in limits)


def _judged(result: ToleranceResult, limit: Limit, demand: Demand | None) -> Verdict:
    first, confidence = result.breaks.first, demand.confidence if demand else CONFIDENCE
    value = told(result, first.severity, limit.unit)
    bound = told(result, first.at_least(confidence), limit.unit)
    (verdict,) = judge(result.condition.id, [limit], {TOLERANCE.name: value}, {})
    sides = result.breaks.sides.values()
    n_parts = sum(side.n_parts for side in sides)
    few = any(s.n_parts < parts_to_show(s.limit, s.clean, confidence) for s in sides)
    return replace(
        verdict,
        at_worst=None if few and demand else bound,
        confidence=confidence,
        n_images=len(result.kept),
        n_parts=n_parts,
    )


def told(result: ToleranceResult, severity: float, unit: str) -> float:
    """Return a severity in the unit of a limit; at most the severest, which was measured."""
    most = min(severity, float(SEVEREST))
    if unit == SEVERITY_UNIT or result.scale is None:
        return most
    return result.scale.level(most)
