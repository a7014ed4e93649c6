"""Verdicts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.display import displayed
from pytest_robustbench.metrics.catalogue import metric_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from pytest_robustbench.gates.limits import Verdict, Waiver

FEW_DIGITS = 3
ALL_DIGITS = 17


def shown(value: float, limit: float, digits: int = FEW_DIGITS) -> str:
    """Return `value` in few digits, but in enough to tell it from `limit`."""
    for precision in range(digits, ALL_DIGITS):
        text = f"{value:.{precision}g}"
        if float(text) != limit or value == limit:
            return text
    return repr(value)


def told_apart(first: float, second: float, digits: int = FEW_DIGITS) -> tuple[str, str]:
    """Return two numbers in few digits, but in enough to see that they differ."""
    for precision in range(digits, ALL_DIGITS):
        texts = f"{first:.{precision}g}", f"{second:.{precision}g}"
        if texts[0] != texts[1] or first == second:
            return texts
    return repr(first), repr(second)


def describe(verdict: Verdict, *, with_condition: bool = True) -> str:
    """Return one line: condition, metric, value, limit, distance, and where it was declared.

    How sure the value is, and who waived the limit or did until lately, stand behind.
    """
    what = f"{verdict.condition}: " if with_condition else ""
    told = f"{_judged(verdict)}{_certainty(verdict)}{_waiver(verdict)}"
    return displayed(f"{what}{verdict.limit.metric} {told}")


def _judged(verdict: Verdict) -> str:
    limit = verdict.limit
    bound = "floor" if limit.bound == "min" else "ceiling"
    declared = f"{bound} {limit.value:g} ({limit.source})"
    if verdict.value is None:
        return f"cannot be measured: {_first_line(verdict.reason)}; {declared}"
    if verdict.outcome == "error":
        return f"cannot be decided: {_first_line(verdict.reason)}; {declared}"
    value, distance = shown(verdict.value, limit.value), abs(verdict.value - limit.value)
    if verdict.outcome == "pass":
        return f"= {value} keeps the {declared}"
    side = "below" if limit.bound == "min" else "above"
    return f"= {value} is {distance:.2g} {side} the {declared}"


def _first_line(reason: str) -> str:
    """Return the first of several problems: whoever tells them all tells them once."""
    first, *others = reason.splitlines() or [""]
    return f"{first} (and {len(others)} more)" if others else first


def _certainty(verdict: Verdict) -> str:
    if verdict.interval is None:
        return ""
    low, high = (shown(end, verdict.limit.value) for end in verdict.interval)
    images = "" if verdict.n_images is None else f"{counted_images(verdict)}: "
    return f"; {images}95 % interval {low} to {high}"


def counted_images(verdict: Verdict) -> str:
    """Return how many images a verdict rests on, and of which kind: ``17 defect images``."""
    kind = metric_called(verdict.limit.metric).kind
    images = "image" if verdict.n_images == 1 else "images"
    return " ".join(filter(None, (str(verdict.n_images), kind, images)))


def notes_on_waivers(
    waivers: Iterable[Waiver], verdicts: Iterable[Verdict], day: date
) -> Iterator[str]:
    """Yield a line for every waiver that is no use on `day`: not needed any more, or run out."""
    held = {(v.condition, v.limit.metric) for v in verdicts if v.outcome == "pass"}
    for waiver in waivers:
        whose = f"{waiver.condition}: the waiver of {waiver.metric} by {waiver.by}"
        if (waiver.condition, waiver.metric) in held:
            yield f"{whose} can be removed, the limit holds again ({waiver.source})"
        elif day > waiver.until:
            yield f"{whose} ran out on {waiver.until} ({waiver.source})"


def _waiver(verdict: Verdict) -> str:
    waiver = verdict.waiver
    if waiver is not None:
        return f"; waived until {waiver.until} by {waiver.by}: {waiver.reason} ({waiver.source})"
    return f"; {verdict.reason}" if verdict.outcome == "fail" and verdict.reason else ""
