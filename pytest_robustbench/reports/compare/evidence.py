"""How sure a measured value is: what the images of a record say about its metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.gates.intervals import interval_of
from pytest_robustbench.gates.names import measured_metric
from pytest_robustbench.gates.regression.pairs import COLUMNS, Outputs
from pytest_robustbench.gates.summary_intervals import summary_interval_of
from pytest_robustbench.gates.wording import OF_DEFECT_IMAGES, OF_NORMAL_IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.file.report import Report

PIXEL_METRICS = ("pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "normal_fpr")


def outputs_of(record: Mapping[str, Any]) -> Outputs:
    """Return what the detector said under one condition, image by image.

    Parameters
    ----------
    record : mapping
        A condition that was measured, as `condition_record` writes it.
    """
    # As float64 a null becomes NaN.
    columns = {name: np.array(record["per_image"][name], np.float64) for name in COLUMNS}
    results = record["results"]
    return Outputs(
        **columns,
        image_threshold=float(results["threshold"]),
        pixel_threshold=results["pixel_metrics"]["pixel_threshold"],
    )


def with_intervals(
    verdicts: Iterable[Verdict], record: Mapping[str, Any], labels: Sequence[int]
) -> tuple[Verdict, ...]:
    """Give every verdict on a measured value its interval, where its metric has one.

    Parameters
    ----------
    verdicts : iterable of Verdict
        On one condition.
    record : mapping
        That condition, measured.
    labels : (N,) sequence of int
        1 = defect, for the images of the record in their order.
    """
    outputs, kinds = outputs_of(record), np.asarray(labels, np.int64)
    return tuple(_with_interval(verdict, outputs, kinds) for verdict in verdicts)


def with_summary_intervals(verdicts: Iterable[Verdict], report: Report) -> tuple[Verdict, ...]:
    """Give every verdict on the summary of a report its interval, where its metric has one.

    Parameters
    ----------
    verdicts : iterable of Verdict
        On the summary; none has a value where a condition is not measured.
    report : Report
        What the summary is of.
    """
    found = tuple(verdicts)
    samples = report.header.samples
    if samples is None or all(verdict.value is None for verdict in found):
        return found
    pooled = [c.id for c in report.declared if not c.recorded]
    measured = (c for c in pooled if "error" not in report.records[c])
    outputs = {c: outputs_of(report.records[c]) for c in measured}
    labels = np.asarray(samples["label"], np.int64)
    return tuple(_with_summary_interval(verdict, outputs, labels) for verdict in found)


def _with_summary_interval(
    verdict: Verdict, outputs: Mapping[str, Outputs], labels: NDArray[np.int64]
) -> Verdict:
    metric = verdict.limit.metric
    interval = None if verdict.value is None else summary_interval_of(metric, outputs, labels)
    if interval is None:
        return verdict
    n_images = min(n_images_of(measured_metric(metric), o, labels) for o in outputs.values())
    return replace(verdict, interval=interval, n_images=n_images)


def n_images_of(metric: str, outputs: Outputs, labels: NDArray[np.int64]) -> int:
    """Return how many images `metric` speaks of: the defect ones, the normal ones, or both."""
    known = np.isfinite(outputs.tp if metric in PIXEL_METRICS else outputs.score)
    if metric in OF_DEFECT_IMAGES:
        known &= labels == 1
    if metric in OF_NORMAL_IMAGES:
        known &= labels == 0
    return int(known.sum())


def _with_interval(verdict: Verdict, outputs: Outputs, labels: NDArray[np.int64]) -> Verdict:
    if verdict.value is None:
        return verdict
    metric = verdict.limit.metric
    interval = interval_of(metric, outputs, labels)
    if interval is None:
        return verdict
    return replace(verdict, interval=interval, n_images=n_images_of(metric, outputs, labels))
