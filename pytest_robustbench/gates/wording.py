"""Verdicts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.display import displayed
from pytest_robustbench.gates.limits import CONFIDENCE
from pytest_robustbench.gates.showing import (
    images_needed,
    is_best,
    is_unshown,
    judged_by_value,
    only_calibration_is_short,
    planned,
    why_without_bound,
)
from pytest_robustbench.metrics.catalogue import metric_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from pytest_robustbench.gates.limits import Limit, Verdict, Waiver

FRESH = (
    "fresh test images may fail a limit that held on these (11 to 37 % of fresh sets do where the "
    "value lies near it)"
)
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
    declared = f"{bound} {limit.told} ({limit.source})"
    if verdict.value is None:
        return f"cannot be measured: {_first_line(verdict.reason)}; {declared}"
    if verdict.outcome == "error":
        return f"cannot be decided: {_first_line(verdict.reason)}; {declared}"
    value = limit.in_unit(shown(verdict.value, limit.value))
    distance = limit.in_unit(f"{abs(verdict.value - limit.value):.2g}")
    if verdict.holds:
        return f"= {value} keeps the {declared}{_showing(verdict)}"
    side = "below" if limit.bound == "min" else "above"
    return f"= {value} is {distance} {side} the {declared}"


def _showing(verdict: Verdict) -> str:
    """Return whether a limit that holds is shown, and else what would show it."""
    if verdict.at_worst is None:
        why = f": {verdict.reason}" if verdict.reason else ""
        return f" and is not shown{why}" if verdict.outcome == "not shown" else ""
    if verdict.shown:
        return f", shown: {_at_worst(verdict)}"
    return f" and is not shown: {unshown_because(verdict)}"


def unshown_because(verdict: Verdict) -> str:
    """Return the bound of a limit that holds and is not shown, and what would show it."""
    if not verdict.holds or verdict.shown or verdict.at_worst is None:
        return ""
    return f"{_at_worst(verdict)}; {what_would_show(verdict)}"


def _at_worst(verdict: Verdict) -> str:
    assert verdict.at_worst is not None, "who asks has looked"
    side = "at least" if verdict.limit.bound == "min" else "at most"
    end = verdict.limit.in_unit(shown(verdict.at_worst, verdict.limit.value))
    return f"{side} {end} at {percent(verdict.confidence)}"


def what_would_show(verdict: Verdict) -> str:
    """Return what would show a limit that holds: mostly how many images."""
    if only_calibration_is_short(verdict):
        return "other calibration images might break it: freeze the operating point"
    needed = images_needed(verdict)
    if needed is None:
        return "no number of images that one could take would: the value is all but the limit"
    if verdict.pieces is not None and needed <= verdict.pieces:
        return "so many are there: the calibration images are too few"
    in_parts = verdict.n_parts not in (None, verdict.n_images)
    there = counted(needed, metric_called(verdict.limit.metric).kind)
    there += " of as many parts" if in_parts else ""
    frozen = "" if verdict.sampled is None else " at a frozen operating point"
    if is_best(verdict):
        return f"{there} with nothing wrong would show it{frozen}"
    return f"about {there} like these would show it{frozen}"


def on_showing(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield how many of the limits that hold are shown, and what is to be known of the others."""
    confidence = next((v.confidence for v in verdicts if v.at_worst is not None), CONFIDENCE)
    n_shown = sum(verdict.shown for verdict in verdicts)
    held = [verdict for verdict in verdicts if verdict.holds and not verdict.shown]
    number = "all" if n_shown and not held else str(n_shown or "none")
    verb = "is" if n_shown < 2 and number != "all" else "are"
    yield f"{number} of them {verb} shown at {percent(confidence)}"
    by_value = dict.fromkeys(v.limit.metric for v in held if judged_by_value(v))
    unshown = [verdict for verdict in held if is_unshown(verdict)]
    if unshown:
        what = "1 holds and is" if len(unshown) == 1 else f"{len(unshown)} hold and are"
        yield f"{what} not shown: {FRESH}{_takes(unshown)}"
    if by_value:
        yield f"{', '.join(by_value)}: judged by value, no parts can show a time"


def _takes(unshown: Sequence[Verdict]) -> str:
    """Return what it takes to show limits that hold."""
    needed = {v: n for v in unshown if (n := images_needed(v)) is not None}
    never = dict.fromkeys(v.limit.metric for v in unshown if why_without_bound(v.limit.metric))
    told = f", and {', '.join(never)} can never be" if never else ""
    if not needed:
        return told
    most = max(needed, key=needed.__getitem__)
    where = f"{most.condition}: {most.limit.metric}"
    return f"; the most is needed for {where}: {what_would_show(most)}{told}"


def percent(share: float) -> str:
    """Return a share as text: ``95 %``."""
    return f"{100 * share:.6g} %"


def plans(limits: Iterable[Limit], n_images: Mapping[str, int], confidence: float) -> Iterator[str]:
    """Yield a line for every limit that a test set is too small to show, whatever is found.

    Parameters
    ----------
    limits : iterable of Limit
        What is declared; a limit of several conditions is told once.
    n_images : mapping of str to int
        How many test images there are of each kind: ``defect`` and ``normal``.
    confidence : float
        One-sided.
    """
    for limit in dict.fromkeys(limits):
        kind, needed = metric_called(limit.metric).kind, planned(limit, confidence)
        if needed is not None and needed > n_images[kind]:
            yield (
                f"{limit.metric} {limit.bound} {limit.value:g} ({limit.source}) takes "
                f"{counted(needed, kind)}, none of them wrong, to be shown at "
                f"{percent(confidence)}; the test set has {n_images[kind]}"
            )


def _first_line(reason: str) -> str:
    """Return the first of several problems: whoever tells them all tells them once."""
    first, *others = reason.splitlines() or [""]
    return f"{first} (and {len(others)} more)" if others else first


def _certainty(verdict: Verdict) -> str:
    if verdict.interval is None:
        return ""
    images = "" if verdict.n_images is None else f"{counted_images(verdict)}: "
    both = _from_to(verdict, verdict.interval)
    if verdict.sampled is None:
        return f"; {images}95 % interval {both}"
    here = _from_to(verdict, verdict.sampled)
    return f"; {images}95 % interval {here}, calibrated on other good images {both}"


def _from_to(verdict: Verdict, interval: tuple[float, float]) -> str:
    low, high = (shown(end, verdict.limit.value) for end in interval)
    return f"{low} to {high}"


def counted_images(verdict: Verdict) -> str:
    """Return what a verdict rests on: ``17 defect images``, or ``17 defect images of 6 parts``."""
    assert verdict.n_images is not None, "who asks has looked"
    kind = metric_called(verdict.limit.metric).kind
    return counted(verdict.n_images, kind, verdict.n_parts)


def counted(n: int, kind: str, n_parts: int | None = None) -> str:
    """Return a number of images of a kind, which may be empty for both: ``17 defect images``.

    Where they show another number of parts, that is told as well: ``of 6 parts``.
    """
    images = " ".join(filter(None, (str(n), kind, "image" if n == 1 else "images")))
    if n_parts in (None, n):
        return images
    return f"{images} of {n_parts} {'part' if n_parts == 1 else 'parts'}"


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
    ran_out = verdict.reason and (verdict.outcome == "fail" or verdict.at_worst is not None)
    return f"; {verdict.reason}" if ran_out else ""
