"""One benchmark over all its conditions: means, worst values and drops."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.gates.names import DROP_PREFIXES, LEVEL_PREFIXES, METRICS, bound_of

if TYPE_CHECKING:
    from collections.abc import Mapping

CLEAN_PREFIX = "clean_"


@dataclass(frozen=True)
class Summary:
    """Every summary metric by name; ``None`` with a reason where one condition has no value.

    A mean over the conditions that happened to be measurable would speak of fewer conditions than
    were declared, so one undefined condition makes the metric undefined.
    """

    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]


def summarize(
    metrics: Mapping[str, Mapping[str, float | None]],
    undefined: Mapping[str, Mapping[str, str]],
) -> Summary:
    """Summarize every metric over the conditions.

    Parameters
    ----------
    metrics : mapping of condition id to metrics
        The clean condition and every corrupted one.
    undefined : mapping of condition id to reasons
        Why a metric of a condition is ``None``.

    Notes
    -----
    A drop is the loss against clean, positive where the corrupted value is worse: ``clean - value``
    for metrics with a floor, ``value - clean`` for those with a ceiling.
    """
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for metric in METRICS:
        clean = metrics.get(CLEAN.id, {}).get(metric)
        corrupted = {c: m.get(metric) for c, m in metrics.items() if c != CLEAN.id}
        reason = _why_undefined(metric, corrupted, undefined)
        levels = [v for v in corrupted.values() if v is not None] if not reason else []
        values |= {CLEAN_PREFIX + metric: clean} | _levels(metric, levels)
        values |= _drops(metric, clean, levels)
        clean_reason = undefined.get(CLEAN.id, {}).get(metric, "clean was not measured")
        for name in (p + metric for p in (*LEVEL_PREFIXES, *DROP_PREFIXES)):
            if values[name] is None:
                reasons[name] = reason or f"{CLEAN.id}: {clean_reason}"
    return Summary(values, reasons)


def _why_undefined(
    metric: str,
    corrupted: Mapping[str, float | None],
    undefined: Mapping[str, Mapping[str, str]],
) -> str:
    if not corrupted:
        return "no corrupted condition was measured"
    for condition, value in corrupted.items():
        if value is None:
            return f"{condition}: {undefined.get(condition, {}).get(metric, 'not measured')}"
    return ""


def _levels(metric: str, levels: list[float]) -> dict[str, float | None]:
    mean, worst = LEVEL_PREFIXES
    pick = min if bound_of(metric) == "min" else max
    return {
        mean + metric: fmean(levels) if levels else None,
        worst + metric: pick(levels) if levels else None,
    }


def _drops(metric: str, clean: float | None, levels: list[float]) -> dict[str, float | None]:
    mean, worst = DROP_PREFIXES
    if clean is None or not levels:
        return {mean + metric: None, worst + metric: None}
    sign = 1 if bound_of(metric) == "min" else -1
    drops = [sign * (clean - level) for level in levels]
    return {mean + metric: fmean(drops), worst + metric: max(drops)}
