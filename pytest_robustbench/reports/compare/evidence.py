"""How sure a measured value is: what the images of a record say about its metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.intervals import bound_on, interval_of
from pytest_robustbench.gates.limits import CONFIDENCE
from pytest_robustbench.gates.summary_intervals import summary_interval_of
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.file.record import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.gates.intervals import Side
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.reports.file.report import Report


def with_intervals(
    verdicts: Iterable[Verdict],
    record: Mapping[str, Any],
    samples: Mapping[str, Any],
    confidence: float = CONFIDENCE,
) -> tuple[Verdict, ...]:
    """Give every verdict on a measured value its interval and bound, where its metric has one.

    Parameters
    ----------
    verdicts : iterable of Verdict
        On one condition.
    record : mapping
        That condition, measured.
    samples : mapping
        Columns over the images of the record, in their order.
    confidence : float
        Of the one-sided bound, in (0.5, 1).
    """
    outcomes = outcomes_of(record, samples)
    return tuple(_with_interval(verdict, outcomes, confidence) for verdict in verdicts)


def with_summary_intervals(
    verdicts: Iterable[Verdict], report: Report, confidence: float = CONFIDENCE
) -> tuple[Verdict, ...]:
    """Give every verdict on the summary of a report its interval and bound, where it has one.

    Parameters
    ----------
    verdicts : iterable of Verdict
        On the summary; none has a value where a condition is not measured.
    report : Report
        What the summary is of.
    confidence : float
        Of the one-sided bound, in (0.5, 1).
    """
    found = tuple(verdicts)
    samples = report.header.samples
    if samples is None or all(verdict.value is None for verdict in found):
        return found
    pooled = [c.id for c in report.declared if c.is_pooled]
    measured = (c for c in pooled if "error" not in report.records[c])
    columns = samples.to_dict()
    outcomes = {c: outcomes_of(report.records[c], columns) for c in measured}
    return tuple(_with_summary_interval(verdict, outcomes, confidence) for verdict in found)


def _with_summary_interval(
    verdict: Verdict, outcomes: Mapping[str, Outcomes], confidence: float
) -> Verdict:
    metric = verdict.limit.metric
    interval = None if verdict.value is None else summary_interval_of(metric, outcomes)
    if interval is None:
        return verdict
    # Either end of an interval fails alone in half of the cases in which one does.
    ends = summary_interval_of(metric, outcomes, level=2 * confidence - 1)
    at_worst = None if ends is None else ends[verdict.limit.bound == "max"]
    sampled = summary_interval_of(metric, {c: o.as_calibrated() for c, o in outcomes.items()})
    n_images, n_parts = min(numbers_of(metric_called(metric), o) for o in outcomes.values())
    return replace(
        verdict,
        interval=interval,
        sampled=_unless(interval, sampled),
        n_images=n_images,
        n_parts=n_parts,
        at_worst=at_worst,
        confidence=confidence,
    )


def numbers_of(metric: Metric, outcomes: Outcomes) -> tuple[int, int]:
    """Return how many images `metric` speaks of, and how many parts they show.

    These are the defect images, the normal ones, or both.
    """
    known = outcomes.counted if metric.counts_pixels else outcomes.measured
    kinds = {"defect": outcomes.defective, "normal": ~outcomes.defective}
    chosen = known & kinds.get(metric.kind, known)
    return int(chosen.sum()), len(set(outcomes.groups[chosen].tolist()))


def _with_interval(verdict: Verdict, outcomes: Outcomes, confidence: float) -> Verdict:
    metric = metric_called(verdict.limit.metric)
    if verdict.value is None:
        return verdict
    interval = interval_of(metric, outcomes)
    side: Side = "upper" if verdict.limit.bound == "max" else "lower"
    at_worst = bound_on(side, metric, outcomes, confidence)
    if interval is None and at_worst is None:
        return verdict
    sampled = interval_of(metric, outcomes.as_calibrated())
    n_images, n_parts = numbers_of(metric, outcomes)
    return replace(
        verdict,
        interval=interval,
        sampled=_unless(interval, sampled),
        n_images=n_images,
        n_parts=n_parts,
        at_worst=at_worst,
        confidence=confidence,
    )


def _unless(
    interval: tuple[float, float] | None, sampled: tuple[float, float] | None
) -> tuple[float, float] | None:
    return None if sampled == interval else sampled
