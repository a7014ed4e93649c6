"""Every metric, once: its name, its direction, its formula, and all that is known about it.

Limits, intervals, regression, evidence, notes, reports, tables and pages ask the row. Nothing is
computed here and numpy is not imported: collection reads this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.metrics.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.metrics.metric import Bound
    from pytest_robustbench.metrics.outcomes import Column, Outcomes


def _f1_of_pixels(o: Outcomes) -> tuple[Column, Column]:
    # Without a defect pixel there is nothing to find: then it is not defined, and not 0.
    something_to_find = (o.tp + o.fn > 0).any()
    return 2 * o.tp, (2 * o.tp + o.fp + o.fn) * something_to_find


def _f1_of_each_image(o: Outcomes) -> tuple[Column, Column]:
    # An image whose defect pixels are all ignored has nothing to find and is left out.
    return 2 * o.tp / (2 * o.tp + o.fp + o.fn), (o.tp + o.fn > 0).astype("float64")


def _called_background(o: Outcomes) -> tuple[Column, Column]:
    return o.fp, o.fp + o.tn


MORE_IS_BETTER, LESS_IS_BETTER = True, False
NO_DEFECT_PIXEL = "no defect pixel is left in the masks"

BUILT_IN = (
    Metric(
        "pixel_segf1",
        "pixel",
        MORE_IS_BETTER,
        "overlap of called and defect pixels, all images pooled",
        _f1_of_pixels,
        rests_on="defect",
        sees=("misses",),
        pools=True,
        proposed=True,
        nothing_counts=NO_DEFECT_PIXEL,
    ),
    Metric(
        "pixel_segf1_per_image",
        "pixel",
        MORE_IS_BETTER,
        "the same, mean over defect images",
        _f1_of_each_image,
        rests_on="defect",
        sees=("misses",),
        nothing_counts=NO_DEFECT_PIXEL,
    ),
    Metric(
        "pixel_auroc",
        "pixel",
        MORE_IS_BETTER,
        "how well pixel scores rank, at any threshold",
        rests_on="defect",
        comparable=False,
        nothing_counts=NO_DEFECT_PIXEL,
    ),
    Metric(
        "pixel_average_precision",
        "pixel",
        MORE_IS_BETTER,
        "precision over recall of pixels",
        rests_on="defect",
        comparable=False,
        nothing_counts=NO_DEFECT_PIXEL,
    ),
    Metric(
        "aupro",
        "pixel",
        MORE_IS_BETTER,
        "overlap of defect regions at few false alarms",
        rests_on="defect",
        comparable=False,
        nothing_counts=NO_DEFECT_PIXEL,
    ),
    Metric(
        "auroc",
        "image",
        MORE_IS_BETTER,
        "how well image scores rank, at any threshold",
        rests_on="both",
    ),
    Metric(
        "average_precision",
        "image",
        MORE_IS_BETTER,
        "precision over recall of images",
        rests_on="both",
        comparable=False,
    ),
    Metric(
        "f1",
        "image",
        MORE_IS_BETTER,
        "balance of precision and recall of images",
        lambda o: (2 * o.image_tp, 2 * o.image_tp + o.image_fp + o.image_fn),
        rests_on="both",
        sees=("misses",),
    ),
    Metric(
        "precision",
        "image",
        MORE_IS_BETTER,
        "of the parts called defective, those that are",
        lambda o: (o.image_tp, o.image_tp + o.image_fp),
        rests_on="both",
        # Not defined where nothing is called; where everything is, the share of defects: any value.
        sees=("silence",),
        nothing_counts="no image is called defective",
    ),
    Metric(
        "recall",
        "image",
        MORE_IS_BETTER,
        "of the defective parts, those called so",
        lambda o: (o.image_tp, o.image_tp + o.image_fn),
        rests_on="defect",
        sees=("misses",),
    ),
    Metric(
        "specificity",
        "image",
        MORE_IS_BETTER,
        "of the good parts, those called good",
        lambda o: (o.image_tn, o.image_fp + o.image_tn),
        rests_on="normal",
        sees=("false alarms",),
    ),
    Metric(
        "accuracy",
        "image",
        MORE_IS_BETTER,
        "parts decided rightly",
        lambda o: (o.image_tp + o.image_tn, o.image_tp + o.image_fp + o.image_fn + o.image_tn),
        rests_on="both",  # and sees neither for sure: it is the share of the kind that is decided
    ),
    Metric(
        "bg_fpr",
        "pixel",
        LESS_IS_BETTER,
        "background pixels called anomalous, in all images",
        _called_background,
        sees=("false alarms",),
        proposed=True,
        nothing_counts="no background pixel is known",
    ),
    Metric(
        "normal_fpr",
        "pixel",
        LESS_IS_BETTER,
        "pixels of good parts called anomalous",
        _called_background,
        rests_on="normal",
        sees=("false alarms",),
        proposed=True,
        nothing_counts="no pixel of a normal image counts",
    ),
    Metric(
        "miss_rate",
        "image",
        LESS_IS_BETTER,
        "defective parts called good",
        lambda o: (o.image_fn, o.image_tp + o.image_fn),
        rests_on="defect",
        sees=("misses",),
        proposed=True,
    ),
    Metric(
        "false_reject_rate",
        "image",
        LESS_IS_BETTER,
        "good parts called defective",
        lambda o: (o.image_fp, o.image_fp + o.image_tn),
        rests_on="normal",
        sees=("false alarms",),
        proposed=True,
    ),
    Metric(
        "latency_ms_per_image",
        "latency",
        LESS_IS_BETTER,
        "median of one call, ms per image",
        largest=float("inf"),
        unit="ms per image",
    ),
    Metric(
        "latency_p95_ms",
        "latency",
        LESS_IS_BETTER,
        "95th percentile of one call, ms per image",
        largest=float("inf"),
        unit="ms, 95th percentile",
    ),
    Metric(
        "latency_relative",
        "latency",
        LESS_IS_BETTER,
        "median in units of a reference workload",
        largest=float("inf"),
        unit="times the reference workload",
        nothing_counts="the reference workload ran on another device than the detector",
    ),
)

METRICS = tuple(metric.name for metric in BUILT_IN)

TOLERANCE = Metric(
    "tolerance",
    "image",
    MORE_IS_BETTER,
    "the first level of a drift at which image decisions break, on either side",
    rests_on="both",
    sees=("misses", "false alarms"),
    largest=float("inf"),
    unit="as the limit: of the corruption's quantity, or severities",
)
"""What limits along the severities of a corruption are on; no condition has it."""

LEVEL_PREFIXES = ("mean_corruption_", "worst_corruption_")
DROP_PREFIXES = ("mean_drop_", "worst_drop_")
SUMMARY_PREFIXES = (*LEVEL_PREFIXES, *DROP_PREFIXES)

REGISTERED: dict[str, Metric] = {}
"""Metrics of one's own that this process knows: the only state of this room."""


def known_metrics() -> dict[str, Metric]:
    """Return every metric by name: the built-in ones, then those of one's own."""
    return {metric.name: metric for metric in BUILT_IN} | REGISTERED


def metric_called(name: str) -> Metric:
    """Return the row of a metric, of the one that a metric of the summary summarizes, or tolerance.

    Raises
    ------
    KeyError
        If nothing is called so.
    """
    metric = TOLERANCE if name == TOLERANCE.name else known_metrics().get(summarized(name))
    if metric is None:
        raise KeyError(name)
    return metric


def summarized(name: str) -> str:
    """Return the metric of a condition that `name` summarizes; itself if it is one."""
    for prefix in SUMMARY_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def summaries_of(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the names under which metrics are summarized over all corruptions."""
    names = tuple(metrics)
    return tuple(prefix + name for prefix in SUMMARY_PREFIXES for name in names)


SUMMARY_METRICS = summaries_of(METRICS)


def limit_names() -> tuple[str, ...]:
    """Return every name that a limit may bear: metrics, then their summaries."""
    return (*known_metrics(), *summaries_of(known_metrics()))


def bound_of(name: str) -> Bound:
    """Return the bound that limits on `name` are: drops have ceilings, whatever drops.

    Raises
    ------
    KeyError
        If no limit may name it.
    """
    metric = metric_called(name)
    return "max" if name.startswith(DROP_PREFIXES) else metric.bound
