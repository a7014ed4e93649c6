"""Limits held against measured values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_robustbench.gates.limits import Limit, Outcome, Verdict
from pytest_robustbench.metrics.catalogue import DROP_PREFIXES, metric_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOT_MEASURED = "not measured"


def judge(
    condition: str,
    limits: Iterable[Limit],
    metrics: Mapping[str, float | None],
    undefined: Mapping[str, str],
    error: Mapping[str, float] | None = None,
) -> tuple[Verdict, ...]:
    """Hold every limit against the metrics of one condition, or of the summary.

    Parameters
    ----------
    condition : str
        Id of the condition, or ``"summary"``.
    limits : iterable of Limit
        What was declared.
    metrics : mapping of str to float or None
        What was measured.
    undefined : mapping of str to str
        Why a metric is ``None``.
    error : mapping of str to float, optional
        By how much a metric may be off at most; nothing by default.

    Returns
    -------
    tuple of Verdict
        One per limit. A metric that is absent, ``None`` or not finite gives ``error``, never
        ``pass``. So does one whose limit lies within its error; the value is kept then.
    """
    errors = error or {}
    return tuple(
        _judge_one(
            condition, limit, metrics.get(limit.metric), undefined, errors.get(limit.metric, 0.0)
        )
        for limit in limits
    )


def not_measurable(condition: str, limits: Iterable[Limit], reason: str) -> tuple[Verdict, ...]:
    """Return an ``error`` verdict for every limit of a condition that could not be measured."""
    return tuple(Verdict(condition, limit, None, "error", reason) for limit in limits)


def _judge_one(
    condition: str,
    limit: Limit,
    value: float | None,
    undefined: Mapping[str, str],
    error: float,
) -> Verdict:
    if value is None:
        reason = undefined.get(limit.metric, NOT_MEASURED)
        return Verdict(condition, limit, None, "error", reason)
    if not math.isfinite(value):
        return Verdict(condition, limit, None, "error", f"{limit.metric} is not finite")
    outcome = _outcome(limit, value)
    if {_outcome(limit, value - error), _outcome(limit, value + error)} != {outcome}:
        reason = (
            f"{value:.6g} is exact to {error:.2g} only (ranking: binned), and the limit lies "
            "within: raise memory_budget"
        )
        return Verdict(condition, limit, value, "error", reason)
    return Verdict(condition, limit, value, outcome)


def _outcome(limit: Limit, value: float) -> Outcome:
    return "pass" if limit.holds(value) else "fail"


def would_fail_a_silent_detector(limits: Iterable[Limit]) -> bool:
    """Return whether any limit would fail a detector that never calls anything defective.

    Ceilings on false alarms and on latency are met best by a detector that does nothing; so are
    those on drops, for it has nothing to lose. Ranking metrics (AUROC, average precision, AUPRO)
    do not see the threshold that is never crossed, and the accuracy of such a detector is the share
    of good images, which may be anything.
    """
    return any(_notices_silence(limit) for limit in limits)


def _notices_silence(limit: Limit) -> bool:
    metric = metric_called(limit.metric)
    if "silence" in metric.sees:  # not defined where nothing is called, and that never passes
        return True
    if limit.metric.startswith(DROP_PREFIXES) or "misses" not in metric.sees:
        return False
    return limit.value > 0 if limit.bound == "min" else limit.value < metric.largest
