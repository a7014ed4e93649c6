"""Verdicts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_robustbench.gates.limits import Verdict

FEW_DIGITS = 3
ALL_DIGITS = 17


def shown(value: float, limit: float, digits: int = FEW_DIGITS) -> str:
    """Return `value` in few digits, but in enough to tell it from `limit`."""
    for precision in range(digits, ALL_DIGITS):
        text = f"{value:.{precision}g}"
        if float(text) != limit or value == limit:
            return text
    return repr(value)


def describe(verdict: Verdict, *, with_condition: bool = True) -> str:
    """Return one line: condition, metric, value, limit, distance, and where it was declared."""
    limit = verdict.limit
    bound = "floor" if limit.bound == "min" else "ceiling"
    declared = f"{bound} {limit.value:g} ({limit.source})"
    what = f"{verdict.condition}: {limit.metric}" if with_condition else limit.metric
    if verdict.value is None:
        return f"{what} cannot be measured: {verdict.reason}; {declared}"
    if verdict.outcome == "error":
        return f"{what} cannot be decided: {verdict.reason}; {declared}"
    if verdict.outcome == "pass":
        return f"{what} = {shown(verdict.value, limit.value)} keeps the {declared}"
    side = "below" if limit.bound == "min" else "above"
    value, distance = shown(verdict.value, limit.value), abs(verdict.value - limit.value)
    return f"{what} = {value} is {distance:.2g} {side} the {declared}"
