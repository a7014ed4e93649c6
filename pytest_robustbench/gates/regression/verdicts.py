"""The verdict on one metric under one condition, candidate against baseline, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_robustbench.gates.wording import shown, told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.gates.regression.changes import AllowedChange

Outcome = Literal["pass", "regressed", "inconclusive", "vacuous", "error"]
WORST_FIRST: tuple[Outcome, ...] = ("error", "regressed", "inconclusive", "pass", "vacuous")


def worst_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what several verdicts come to; nothing, and what can fail nothing, is an error."""
    found = set(outcomes) - {"vacuous"}
    return min(found or {"error"}, key=WORST_FIRST.index)


@dataclass(frozen=True)
class RegressionVerdict:
    """One allowed change, judged.

    Parameters
    ----------
    benchmark, condition : str
        Where it was measured; the condition of a latency is ``"run"``: it is judged once.
    change : AllowedChange
        What was declared.
    outcome : {"pass", "regressed", "inconclusive", "vacuous", "error"}
        ``error`` means not comparable, and fails like ``regressed``; ``vacuous`` that the
        baseline has no more to lose than is allowed, so that nothing could fail, or that nothing
        is allowed, so that nothing could be shown.
    baseline, candidate : float or None
        The metric of both on the images they share.
    loss : float or None
        By how much the candidate is worse; negative where it is better.
    allowed : float or None
        The largest acceptable loss, in units of the metric.
    interval : (float, float) or None
        Simultaneous interval of the loss over the whole family.
    p : float or None
        Of the paired swap test, adjusted for the whole family.
    improved : bool
        Whether the candidate is better by more than the margin, and surely so.
    identical : bool
        Whether both gave the same output for every image.
    images_needed, parts_needed : int or None
        Roughly how many images, and parts, would decide; ``None`` where it is decided, or unknown.
    images_kind : str
        Of which images: ``defect``, ``normal``, ``test`` for both kinds in the present proportion.
    reason : str
        Why it is inconclusive, vacuous or an error, or more on a regression; else empty.
    """

    benchmark: str
    condition: str
    change: AllowedChange
    outcome: Outcome
    baseline: float | None = None
    candidate: float | None = None
    loss: float | None = None
    allowed: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    improved: bool = False
    identical: bool = False
    images_needed: int | None = None
    parts_needed: int | None = None
    images_kind: str = ""
    reason: str = ""


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
        reason = f": {verdict.reason}" if verdict.reason else ""
        return f"{_worse(verdict)}{certainty}{reason}; {allowed}"
    if verdict.outcome == "vacuous":
        return f"counts for nothing: {verdict.reason} ({verdict.change.source})"
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
    parts = verdict.parts_needed
    of_parts = "" if parts in (None, verdict.images_needed) else f" of {parts} parts"
    return f"; about {verdict.images_needed} {verdict.images_kind} images{of_parts} would decide"


def _worse(verdict: RegressionVerdict) -> str:
    assert verdict.loss is not None, "a regression has a loss"
    return f"{shown(verdict.loss, verdict.allowed or 0.0)} worse than the baseline"


def _allowed(verdict: RegressionVerdict) -> str:
    change = verdict.change
    text = f"{change.bound} {change.value:g}"
    if change.relative and verdict.allowed is not None:
        return f"{text} of the baseline, which is {verdict.allowed:.3g}"
    return text
