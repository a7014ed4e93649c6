"""The metrics a limit may name, and which direction is good."""

from __future__ import annotations

from typing import Literal

Bound = Literal["min", "max"]

MIN_METRICS = (
    "pixel_segf1",
    "pixel_segf1_per_image",
    "pixel_auroc",
    "pixel_average_precision",
    "aupro",
    "auroc",
    "average_precision",
    "f1",
    "precision",
    "recall",
    "specificity",
    "accuracy",
)
MAX_METRICS = (
    "bg_fpr",
    "normal_fpr",
    "miss_rate",
    "false_reject_rate",
    "latency_ms_per_image",
    "latency_p95_ms",
    "latency_relative",
)
METRICS = (*MIN_METRICS, *MAX_METRICS)

LEVEL_PREFIXES = ("mean_corruption_", "worst_corruption_")
DROP_PREFIXES = ("mean_drop_", "worst_drop_")
SUMMARY_METRICS = tuple(p + m for p in (*LEVEL_PREFIXES, *DROP_PREFIXES) for m in METRICS)


def bound_of(metric: str) -> Bound:
    """Return the bound `metric` takes: floors for good things, ceilings for bad ones and drops.

    Raises
    ------
    KeyError
        If no limit may name `metric`.
    """
    if metric not in METRICS and metric not in SUMMARY_METRICS:
        raise KeyError(metric)
    if metric.startswith(DROP_PREFIXES):
        return "max"
    return "min" if measured_metric(metric) in MIN_METRICS else "max"


def measured_metric(metric: str) -> str:
    """Return the metric of a condition that `metric` summarizes; itself if it is one."""
    for prefix in (*LEVEL_PREFIXES, *DROP_PREFIXES):
        if metric.startswith(prefix):
            return metric.removeprefix(prefix)
    return metric
