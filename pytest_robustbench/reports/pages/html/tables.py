"""Every limit and every metric as tables that can be sorted and filtered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.gates.wording import shown
from pytest_robustbench.metrics.catalogue import METRICS
from pytest_robustbench.reports.pages.html.figures import Figure, figure, interval_figure, signed
from pytest_robustbench.reports.pages.html.heat_maps import limit_text
from pytest_robustbench.reports.pages.margins import worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.pages.source import Source


@dataclass(frozen=True)
class LimitRow:
    """One limit.

    Parameters
    ----------
    condition, metric, limit : str
        What was declared.
    bound : Figure
        The limit as a number.
    value, distance : Figure
        What was measured, and how far it is on the good side (negative: violated).
    interval : Figure
        95 % interval of the value, and on how many images it rests; sorted by its lower end.
    badge, word : str
        The verdict: a class of the style, and a word.
    why : str
        Why it could not be measured, or who waived it.
    source : str
        ``file:line`` of the declaration.
    """

    condition: str
    metric: str
    limit: str
    bound: Figure
    value: Figure
    distance: Figure
    interval: Figure
    badge: str
    word: str
    why: str
    source: str


@dataclass(frozen=True)
class MetricRow:
    """One condition, with every metric."""

    condition: str
    badge: str
    cells: tuple[Figure, ...]


def limit_rows(source: Source) -> list[LimitRow]:
    """Return every limit, the worst first."""
    return [_limit_row(verdict) for verdict in worst_first(source.verdicts)]


def _limit_row(verdict: Verdict) -> LimitRow:
    limit, value = verdict.limit, verdict.value
    text = "" if value is None else shown(value, limit.value)
    distance = None if value is None else value - limit.value
    if distance is not None and limit.bound == "max":
        distance = -distance
    return LimitRow(
        verdict.condition,
        limit.metric,
        limit_text(verdict),
        figure(limit.value),
        figure(value, text),
        figure(distance, "" if distance is None else signed(distance)),
        _interval(verdict),
        *_badge(verdict),
        _why(verdict),
        limit.source,
    )


def _interval(verdict: Verdict) -> Figure:
    images = "" if verdict.n_images is None else f", {verdict.n_images} images"
    return interval_figure(verdict.interval, images)


def _badge(verdict: Verdict) -> tuple[str, str]:
    if verdict.waived:
        return "waived", "waived"
    return {"pass": ("pass", "pass"), "fail": ("fail", "violated")}.get(
        verdict.outcome, ("error", "not measurable")
    )


def _why(verdict: Verdict) -> str:
    if verdict.waiver is None:
        return verdict.reason
    return f"until {verdict.waiver.until} by {verdict.waiver.by}: {verdict.waiver.reason}"


def metric_columns(source: Source) -> list[str]:
    """Return the metrics that are defined under some condition."""
    return [metric for metric in METRICS if metric in source.defined_metrics]


def metric_rows(source: Source) -> Iterator[MetricRow]:
    """Yield a row per condition, in the report's order."""
    columns = metric_columns(source)
    for condition, values in source.metrics.items():
        badge = "bad" if condition in source.errors else ""
        yield MetricRow(condition, badge, tuple(figure(values[metric]) for metric in columns))
