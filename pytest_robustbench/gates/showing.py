"""Limits that are shown, and not only held: what a test set can tell of parts like its own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_robustbench.gates.limits import CONFIDENCE
from pytest_robustbench.metrics.catalogue import DROP_PREFIXES, metric_called, summarized

if TYPE_CHECKING:
    from pytest_robustbench.gates.limits import Demand, Limit, Verdict

MOST = 10**6
"""More images than anybody takes."""
BOUND_UNKNOWN = "the bound of its value is not known: too few images that it speaks of"


def held_to(verdict: Verdict, demand: Demand | None) -> Verdict:
    """Return a verdict under a demand: what passes, and is not shown, is ``not shown`` then.

    A limit on a latency is judged by value all the same: how long a call takes says nothing of
    parts, and no number of them could show it.
    """
    if demand is None or verdict.outcome != "pass" or not is_unshown(verdict):
        return verdict
    unknown = why_without_bound(verdict.limit.metric) or BOUND_UNKNOWN
    reason = unknown if verdict.at_worst is None else ""
    return replace(
        verdict,
        outcome="not shown",
        reason=reason,
        confidence=demand.confidence,
        unsure=demand.unsure,
    )


def judged_by_value(verdict: Verdict) -> bool:
    """Return whether no parts can show the limit, because it does not speak of any."""
    return metric_called(verdict.limit.metric).is_latency


def is_unshown(verdict: Verdict) -> bool:
    """Return whether a limit holds on the images that were there, and is not shown for others."""
    return verdict.holds and not verdict.shown and not judged_by_value(verdict)


def why_without_bound(metric: str) -> str:
    """Return why a metric, of a condition or of the summary, has no bound; empty where it has."""
    row = metric_called(metric)
    if row.is_latency:
        return f"{metric} is a time, and says nothing of parts"
    if row.ranks and not (row.comparable and summarized(metric) == metric):
        return f"{metric} ranks scores and is no sum over images"
    return ""


def why_never_shown(limit: Limit) -> str:
    """Return why no number of parts can show a limit; empty where some can, or none is needed."""
    row = metric_called(limit.metric)
    if row.is_latency:
        return ""
    unknown = why_without_bound(limit.metric)
    at_the_end = limit.value == (row.largest if limit.bound == "min" else 0.0)
    if at_the_end and not limit.metric.startswith(DROP_PREFIXES):
        unknown = unknown or f"{limit.metric} would have to be perfect on all parts there will be"
    return unknown


def zero_failure_plan(share: float, confidence: float = CONFIDENCE) -> int:
    """Return how many parts, none of them wrong, show that at most a share of all parts is.

    Parameters
    ----------
    share : float
        In (0, 1): the limit.
    confidence : float
        One-sided, in (0, 1).

    Notes
    -----
    The least n with ``(1 - share) ** n <= 1 - confidence``: the exact binomial bound at zero
    failures (Clopper and Pearson 1934), known as the success run.

    Examples
    --------
    >>> zero_failure_plan(0.05), zero_failure_plan(0.01)
    (59, 299)
    """
    return math.ceil(math.log(1 - confidence) / math.log1p(-share))


def planned(limit: Limit, confidence: float = CONFIDENCE) -> int | None:
    """Return how many parts a limit takes at least, before anything is measured.

    ``None`` where it is no limit on a share of parts of one kind.
    """
    share = abs(limit.value - (1.0 if limit.bound == "min" else 0.0))
    known = _is_share(limit.metric) and not limit.metric.startswith(DROP_PREFIXES)
    return zero_failure_plan(share, confidence) if known and 0 < share < 1 else None


def images_needed(verdict: Verdict) -> int | None:
    """Return about how many images, each of another part, would show a limit that holds.

    Shares of images are reckoned exactly at the rate that was found, other metrics by the width of
    their bound, which shrinks with the root of the number of parts. ``None`` where no number does,
    or none that anybody takes: the value has no bound, is the limit or all but the limit, or it is
    the calibration that leaves the doubt.
    """
    if only_calibration_is_short(verdict):
        return None
    needed = _needed(verdict)
    return math.ceil(needed) if needed <= MOST else None


def only_calibration_is_short(verdict: Verdict) -> bool:
    """Return whether the test images show a limit at these thresholds, and no others would."""
    if verdict.sampled is None or verdict.shown:
        return False
    return all(verdict.limit.holds(end) for end in verdict.sampled)


def _needed(verdict: Verdict) -> float:
    limit, value, at_worst, n = verdict.limit, verdict.value, verdict.at_worst, verdict.pieces
    if verdict.sampled is not None:  # further test images take nothing from what calibrations do
        at_worst = verdict.sampled[limit.bound == "max"]
    if not verdict.holds or value is None or at_worst is None or not n or value == limit.value:
        return math.inf
    row, room = metric_called(limit.metric), abs(value - limit.value)
    if abs(at_worst - value) > room * MOST:
        return math.inf
    is_share = _is_share(limit.metric) and summarized(limit.metric) == limit.metric
    if is_best(verdict) and is_share:
        return zero_failure_plan(room / row.largest, verdict.confidence)
    if is_best(verdict):  # what is left is the part that was not seen, one of so many
        return float(n * abs(at_worst - value) / room)
    if is_share:
        wrong = (value, limit.value) if limit.bound == "max" else (1 - value, 1 - limit.value)
        return _at_rate(*wrong, verdict.confidence)
    return float(n * ((at_worst - value) / room) ** 2)


def is_best(verdict: Verdict) -> bool:
    """Return whether no value could be better: nothing was wrong."""
    largest = metric_called(verdict.limit.metric).largest
    is_level = not verdict.limit.metric.startswith(DROP_PREFIXES)
    best = 0.0 if verdict.limit.bound == "max" else largest
    return is_level and math.isfinite(largest) and verdict.value == best


def _is_share(metric: str) -> bool:
    row = metric_called(metric)
    return bool(row.kind) and row.level == "image" and row.formula is not None and row.largest == 1


def _at_rate(rate: float, limit: float, confidence: float) -> int:
    """Return from how many images on the exact bound of a share lies below `limit`."""
    from scipy.special import betainc

    def shows(n: int) -> bool:
        return bool(betainc(rate * n + 1, n - rate * n, limit) >= confidence)

    most = 1
    while most <= MOST and not shows(most):
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if shows(middle) else (middle, most)
    return most
