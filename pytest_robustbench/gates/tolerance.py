"""The limit on a tolerance, held against the first severity at which decisions break.

A tolerance of few parts is uncertain by a step and more, so it passes only where its lower end
does: it is shown, or it is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import SEVEREST
from pytest_robustbench.corruptions.catalogue import SEVERITY_UNIT
from pytest_robustbench.gates.judgement import judge
from pytest_robustbench.metrics.catalogue import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.gates.limits import Limit, Verdict


def judge_tolerance(
    result: ToleranceResult, limits: Iterable[Limit], confidence: float
) -> tuple[Verdict, ...]:
    """Hold limits against a tolerance, each in its own unit.

    Parameters
    ----------
    result : ToleranceResult
        What was found; what no severity breaks counts as the severest.
    limits : iterable of Limit
        Floors under it.
    confidence : float
        One-sided, of the bound.
    """
    return tuple(_judged(result, limit, confidence) for limit in limits)


def _judged(result: ToleranceResult, limit: Limit, confidence: float) -> Verdict:
    first = result.breaks.first
    value, bound = (
        told(result, severity, limit.unit)
        for severity in (first.severity, first.at_least(confidence))
    )
    (verdict,) = judge(result.condition.id, [limit], {TOLERANCE.name: value}, {})
    n_parts = sum(side.n_parts for side in result.breaks.sides.values())
    return replace(
        verdict,
        at_worst=bound,
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
