"""Regression verdicts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.gates.wording import shown, told_apart

if TYPE_CHECKING:
    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict


def describe_regression(verdict: RegressionVerdict) -> str:
    """Return one line: condition, metric, both values, the loss, what is allowed, and why."""
    what = f"{verdict.condition}: {verdict.change.metric}"
    if verdict.outcome == "error":
        return f"{what} cannot be compared: {verdict.reason} ({verdict.change.source})"
    return f"{what} {_values(verdict)}; {_judgement(verdict)}"


def _values(verdict: RegressionVerdict) -> str:
    baseline, candidate = verdict.baseline, verdict.candidate
    if baseline is None or candidate is None:
        return "has no value"
    if verdict.identical or baseline == candidate:
        return f"stays at {baseline:.3g}"
    verb = "falls" if candidate < baseline else "rises"
    before, after = told_apart(baseline, candidate)
    return f"{verb} from {before} to {after}"


def _judgement(verdict: RegressionVerdict) -> str:
    allowed = f"allowed is {_allowed(verdict)} ({verdict.change.source})"
    if verdict.outcome == "regressed":
        certainty = "" if verdict.p is None else f", p = {verdict.p:.2g}"
        return f"{_worse(verdict)}{certainty}; {allowed}"
    if verdict.outcome == "inconclusive":
        return f"not decided: {verdict.reason}{_needed(verdict)}; {allowed}"
    if verdict.identical:
        return "the same outputs for every image"
    if verdict.improved:
        return f"better by more than the margin; {allowed}"
    bound = "" if verdict.interval is None else f"at most {max(verdict.interval[1], 0):.3g} worse; "
    return f"{bound}{allowed}"


def _needed(verdict: RegressionVerdict) -> str:
    if verdict.images_needed is None:
        return ""
    return f"; about {verdict.images_needed} {verdict.images_kind} images would decide"


def _worse(verdict: RegressionVerdict) -> str:
    assert verdict.loss is not None, "a regression has a loss"
    return f"{shown(verdict.loss, verdict.allowed or 0.0)} worse than the baseline"


def _allowed(verdict: RegressionVerdict) -> str:
    change = verdict.change
    text = f"{change.bound} {change.value:g}"
    if change.relative and verdict.allowed is not None:
        return f"{text} of the baseline, which is {verdict.allowed:.3g}"
    return text
