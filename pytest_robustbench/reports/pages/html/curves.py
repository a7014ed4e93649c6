"""Curves of a metric against severity, a panel per corruption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.intervals import interval_of
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.file.record import outcomes_of
from pytest_robustbench.reports.pages.html.charts.canvas import with_room
from pytest_robustbench.reports.pages.html.charts.curves import CLEAN, Point, curve
from pytest_robustbench.reports.pages.html.figures import brief

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from pytest_robustbench.reports.pages.source import Source

RESAMPLES = 500  # of intervals that no verdict has: to be looked at, not judged by
ROOM = 0.06  # of the span, above and below the curves


def curves(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the curves of each metric that a page shows; none without corruptions."""
    graded = [c.corruption for c in source.conditions.values() if c.severity is not None]
    if not graded:
        return
    clean = next((c for c in source.records if source.conditions[c].is_clean), None)
    for metric in source.shown_metrics:
        start = [] if clean is None else [_point(source, clean, metric, CLEAN)]
        lines = {name: [*start, *_points(source, name, metric)] for name in dict.fromkeys(graded)}
        span = _span([point for points in lines.values() for point in points])
        panels = [
            {"corruption": name, "svg": _drawn(source, metric, name, points, span)}
            for name, points in lines.items()
        ]
        yield {"metric": metric, "unit": metric_called(metric).unit, "panels": panels}


def _drawn(
    source: Source, metric: str, corruption: str, points: Sequence[Point], span: tuple[float, float]
) -> Markup:
    told = ", ".join(_told(point) for point in points)
    description = f"{metric} under {corruption}, by severity: {told}"
    return curve(f"{source.title}-{metric}-{corruption}", description, points, span)


def _told(point: Point) -> str:
    name = "clean" if point.severity == CLEAN else f"severity {point.severity:g}"
    value = "not defined" if point.value is None else brief(point.value)
    limit = "" if point.limit is None else f" (limit {point.limit:g})"
    status = " waived" if point.waived else " violated" if point.violated else ""
    return f"{name} {value}{limit}{status}"


def _points(source: Source, corruption: str, metric: str) -> Iterator[Point]:
    for name, condition in source.conditions.items():
        if condition.corruption == corruption and condition.severity is not None:
            yield _point(source, name, metric, condition.severity)


def _point(source: Source, condition: str, metric: str, severity: float) -> Point:
    value, verdict = source.metrics[condition][metric], source.judged.get((condition, metric))
    if verdict is None:
        return Point(severity, value, _interval(source, condition, metric))
    limit, interval = verdict.limit.value, verdict.sampled or verdict.interval
    return Point(severity, value, interval, limit, verdict.violated, verdict.waived)


def _interval(source: Source, condition: str, metric: str) -> tuple[float, float] | None:
    """Return the interval of a metric without a limit; verdicts have theirs in the report."""
    if source.metrics[condition][metric] is None:
        return None
    outcomes = outcomes_of(source.records[condition], source.samples(condition)).as_calibrated()
    return interval_of(metric_called(metric), outcomes, resamples=RESAMPLES)


def _span(points: Sequence[Point]) -> tuple[float, float]:
    ends = [end for p in points for end in (p.value, p.limit, *(p.interval or ()))]
    return with_room([end for end in ends if end is not None] or [0.0, 1.0], ROOM)
