"""Every limit and every metric as tables that can be sorted and filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.wording import counted_images, shown, unshown_because
from pytest_robustbench.reports.pages.html.figures import Figure, figure, interval_figure, signed
from pytest_robustbench.reports.pages.html.heat_maps import limit_text
from pytest_robustbench.reports.pages.margins import worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.pages.source import Source


def limit_rows(source: Source) -> list[dict[str, Any]]:
    """Return every limit as the template shows it, the worst first."""
    return [_limit_row(verdict) for verdict in worst_first(source.verdicts)]


def _limit_row(verdict: Verdict) -> dict[str, Any]:
    limit, value = verdict.limit, verdict.value
    text = "" if value is None else shown(value, limit.value)
    room = None if value is None else value - limit.value
    if room is not None and limit.bound == "max":
        room = -room
    badge, word = _badge(verdict)
    return {
        "condition": verdict.condition,
        "metric": limit.metric,
        "limit": limit_text(verdict),
        "bound": figure(limit.value),
        "value": figure(value, limit.in_unit(text) if text else ""),
        "distance": figure(room, "" if room is None else signed(room)),
        "interval": _interval(verdict),
        "badge": badge,
        "word": word,
        "why": _why(verdict),
        "source": limit.source,
    }


def _interval(verdict: Verdict) -> Figure:
    images = "" if verdict.n_images is None else f", {counted_images(verdict)}"
    return interval_figure(verdict.interval, images)


def _badge(verdict: Verdict) -> tuple[str, str]:
    if verdict.waived:
        return "waived", "waived"
    if verdict.outcome == "not shown":
        return "fail" if verdict.violated else "open", "not shown"
    holds = ("pass", "shown" if verdict.shown else "holds")
    return {"pass": holds, "fail": ("fail", "violated")}.get(
        verdict.outcome, ("error", "not measurable")
    )


def _why(verdict: Verdict) -> str:
    if verdict.waiver is None:
        return verdict.reason or unshown_because(verdict)
    return f"until {verdict.waiver.until} by {verdict.waiver.by}: {verdict.waiver.reason}"


def metric_columns(source: Source) -> list[str]:
    """Return the metrics that are defined under some condition."""
    return [metric for metric in source.metric_names if metric in source.defined_metrics]


def metric_rows(source: Source) -> Iterator[dict[str, Any]]:
    """Yield a row per condition, in the report's order."""
    columns = metric_columns(source)
    for condition, values in source.metrics.items():
        badge = "bad" if condition in source.errors else ""
        cells = [figure(values[metric]) for metric in columns]
        yield {"condition": condition, "badge": badge, "cells": cells}
