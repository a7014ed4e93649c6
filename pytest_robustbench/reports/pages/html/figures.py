"""Numbers as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.gates.wording import told_apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "pixel_segf1": "overlap of called and defect pixels, all images pooled; more is better",
        "pixel_segf1_per_image": "the same, mean over defect images; more is better",
        "pixel_auroc": "how well pixel scores rank, at any threshold; more is better",
        "pixel_average_precision": "precision over recall of pixels; more is better",
        "aupro": "overlap of defect regions at few false alarms; more is better",
        "auroc": "how well image scores rank, at any threshold; more is better",
        "average_precision": "precision over recall of images; more is better",
        "f1": "balance of precision and recall of images; more is better",
        "precision": "of the parts called defective, those that are; more is better",
        "recall": "of the defective parts, those called so; more is better",
        "specificity": "of the good parts, those called good; more is better",
        "accuracy": "parts decided rightly; more is better",
        "bg_fpr": "background pixels called anomalous, in all images; less is better",
        "normal_fpr": "pixels of good parts called anomalous; less is better",
        "miss_rate": "defective parts called good; less is better",
        "false_reject_rate": "good parts called defective; less is better",
        "latency_ms_per_image": "median of one call, ms per image; less is better",
        "latency_p95_ms": "95th percentile of one call, ms per image; less is better",
        "latency_relative": "median in units of a reference workload; less is better",
    }
)
UNITS: Mapping[str, str] = MappingProxyType(
    {
        "latency_ms_per_image": "ms per image",
        "latency_p95_ms": "ms, 95th percentile",
        "latency_relative": "times the reference workload",
    }
)


@dataclass(frozen=True)
class Figure:
    """One number in a table.

    Parameters
    ----------
    text : str
        In few digits; empty where there is none.
    exact : str
        As it stands in the JSON report: what tables sort by.
    """

    text: str
    exact: str


def figure(value: float | None, text: str = "") -> Figure:
    """Return a number in few digits, or in those of `text`."""
    if value is None:
        return Figure("\N{EN DASH}", "")
    return Figure(text or brief(value), repr(value))


def interval_figure(interval: Sequence[float] | None, remark: str = "") -> Figure:
    """Return an interval, which tables sort by its lower end."""
    if interval is None:
        return Figure("", "")
    low, high = interval
    return Figure(f"{brief(low)} to {brief(high)}{remark}", repr(low))


def exceeds(score: float, threshold: float) -> bool:
    """Return whether a score is above a threshold, as it was decided: in float32.

    A report has scores in as few decimals as tell float32 numbers apart, but thresholds in all.
    """
    return bool(np.float32(score) > np.float32(threshold))


def apart(score: float, threshold: float) -> tuple[str, str]:
    """Return two float32 numbers in few digits, but in enough to see whether they differ."""
    texts = brief(score), brief(threshold)
    if np.float32(score) == np.float32(threshold):
        return texts[0], texts[0]
    return told_apart(score, threshold) if texts[0] == texts[1] else texts


def brief(value: float) -> str:
    """Return three digits, without an exponent where that is readable."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        digits = f"{value:.3g}"
        return f"{value:.0f}" if "e" in digits else digits
    return f"{value:.2e}"


def signed(value: float) -> str:
    """Return a number that says on which side of zero it is."""
    return f"{'-' if value < 0 else '+'}{brief(abs(value))}"


def unit_of(metric: str) -> str:
    """Return what a metric is measured in."""
    return UNITS.get(metric, "share, 0 to 1")
