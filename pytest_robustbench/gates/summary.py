"""One benchmark over all its conditions: means, worst values and drops."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.gates.judgement import NOT_MEASURED, judge
from pytest_robustbench.metrics.catalogue import (
    DROP_PREFIXES,
    LEVEL_PREFIXES,
    METRICS,
    metric_called,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_robustbench.gates.limits import Limit, Verdict

CLEAN_PREFIX = "clean_"


@dataclass(frozen=True)
class Summary:
    """Clean values and every summary metric by name; each ``None`` has a reason.

    A mean over the conditions that happened to be measurable would speak of fewer conditions than
    were declared, so one undefined condition makes the metric undefined.
    """

    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]
    error: Mapping[str, float] = field(default_factory=dict)


def summarize(
    metrics: Mapping[str, Mapping[str, float | None]],
    undefined: Mapping[str, Mapping[str, str]],
    error: Mapping[str, Mapping[str, float]] | None = None,
) -> Summary:
    """Summarize every metric over the conditions.

    Parameters
    ----------
    metrics : mapping of condition id to metrics
        The clean condition and every corrupted one.
    undefined : mapping of condition id to reasons
        Why a metric of a condition is ``None``.
    error : mapping of condition id to errors, optional
        By how much a metric of a condition may be off at most; nothing by default.

    Notes
    -----
    A drop is the loss against clean, positive where the corrupted value is worse: ``clean - value``
    for metrics with a floor, ``value - clean`` for those with a ceiling.
    """
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    corrupted = [condition for condition in metrics if condition != CLEAN.id]
    for metric in dict.fromkeys(
        [*METRICS, *(name for found in metrics.values() for name in found)]
    ):
        no_clean = _why_undefined(metric, [CLEAN.id], metrics, undefined)
        no_level = _why_undefined(metric, corrupted, metrics, undefined)
        clean = None if no_clean else metrics[CLEAN.id][metric]
        levels = [] if no_level else [float(metrics[c][metric] or 0) for c in corrupted]
        found = {CLEAN_PREFIX + metric: clean} | _levels(metric, levels)
        found |= _drops(metric, clean, levels)
        values |= found
        for name in (name for name, value in found.items() if value is None):
            reasons[name] = no_clean if name.startswith(CLEAN_PREFIX) else no_level or no_clean
    return Summary(values, reasons, _errors(error or {}))


def judge_summary(limits: Iterable[Limit], summary: Summary) -> tuple[Verdict, ...]:
    """Hold the limits over all conditions against their summary."""
    return judge("summary", limits, summary.metrics, summary.undefined, summary.error)


def _why_undefined(
    metric: str,
    conditions: Sequence[str],
    metrics: Mapping[str, Mapping[str, float | None]],
    undefined: Mapping[str, Mapping[str, str]],
) -> str:
    """Return why a metric has no value under one of the conditions; empty where all have one."""
    if not conditions:
        return "no corrupted condition was measured"
    for condition in conditions:
        value = metrics.get(condition, {}).get(metric)
        if value is None:
            return f"{condition}: {undefined.get(condition, {}).get(metric, NOT_MEASURED)}"
        if not math.isfinite(value):
            return f"{condition}: {metric} is not finite"
    return ""


def _errors(error: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Bound the errors of the summary: a mean or an extreme is off by no more than its worst."""
    clean = error.get(CLEAN.id, {})
    found = {CLEAN_PREFIX + metric: bound for metric, bound in clean.items()}
    for metric in {name for bounds in error.values() for name in bounds}:
        levels = [bounds.get(metric, 0.0) for c, bounds in error.items() if c != CLEAN.id]
        level = max(levels, default=0.0)
        found |= {prefix + metric: level for prefix in LEVEL_PREFIXES}
        found |= {prefix + metric: level + clean.get(metric, 0.0) for prefix in DROP_PREFIXES}
    return found


def _levels(metric: str, levels: list[float]) -> dict[str, float | None]:
    mean, worst = LEVEL_PREFIXES
    pick = min if metric_called(metric).more_is_better else max
    return {
        mean + metric: fmean(levels) if levels else None,
        worst + metric: pick(levels) if levels else None,
    }


def _drops(metric: str, clean: float | None, levels: list[float]) -> dict[str, float | None]:
    mean, worst = DROP_PREFIXES
    if clean is None or not levels:
        return {mean + metric: None, worst + metric: None}
    higher_is_better = metric_called(metric).more_is_better
    drops = [clean - level if higher_is_better else level - clean for level in levels]
    return {mean + metric: fmean(drops), worst + metric: max(drops)}
