"""From outcomes to metrics by name, and for each that is not defined the reason why."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import MetricError
from pytest_robustbench.metrics.outcomes import Ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

NO_NORMAL_IMAGE = "no normal image in the test set"
NO_DEFECT_IMAGE = "no defect image in the test set"
NO_IMAGE = "no image in the test set"
NO_MAPS = "the detector gives no maps"
NO_MASK = "no defect image has a mask"
NO_BACKGROUND_PIXEL = "no background pixel is known"
NOT_RANKED = "the pixels were not ranked"
ROUNDING = 1e-9


@dataclass(frozen=True)
class Measured:
    """Metrics by name.

    Parameters
    ----------
    values : mapping of str to float or None
        Every metric; ``None`` where it is not defined.
    reasons : mapping of str to str
        Why, for exactly those metrics that are not defined.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]

    def without(self, metrics: Iterable[str], reason: str) -> Measured:
        """Return the same, but for those of some metrics that have no value for another reason."""
        names = [name for name in metrics if name in self.values]
        values = {**self.values, **dict.fromkeys(names)}
        return Measured(values, {**self.reasons, **dict.fromkeys(names, reason)})


def measure(
    outcomes: Outcomes, metrics: Iterable[Metric], given: Mapping[str, float | None]
) -> Measured:
    """Return metrics of one condition.

    Parameters
    ----------
    outcomes : Outcomes
        Of its images.
    metrics : iterable of Metric
        Which ones.
    given : mapping of str to float or None
        Those that outcomes do not tell: rankings and latencies.

    Raises
    ------
    TypeError
        If a metric has no formula and is not given: nothing measures it.
    """
    rows = tuple(metrics)
    lacking = [m.name for m in rows if m.formula is None and m.name not in given]
    if lacking:
        raise TypeError(f"metrics without a formula that nothing measures: {', '.join(lacking)}")
    values = {m.name: value_of(m, outcomes) if m.formula else given[m.name] for m in rows}
    reasons = {m.name: why_undefined(m, outcomes) for m in rows if values[m.name] is None}
    return Measured(values, reasons)


def value_of(metric: Metric, outcomes: Outcomes) -> float | None:
    """Return a metric that is a ratio of sums over images; ``None`` where it is not defined."""
    value = ratio_of(metric, outcomes).value
    return None if math.isnan(value) else value


def ratio_of(metric: Metric, outcomes: Outcomes) -> Ratio:
    """Return what every image adds to a metric.

    A metric that needs both kinds of images is not defined where one is missing: a detector that
    calls everything defective, or nothing, would reach the best value.

    Raises
    ------
    KeyError
        If the metric is no ratio of sums over images.
    """
    if metric.name in outcomes.own:
        return outcomes.own[metric.name]
    if metric.formula is None:
        raise KeyError(metric.name)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        columns = metric.formula(outcomes)
    numerator, denominator = (np.asarray(column, np.float64) for column in columns)
    there = outcomes.counted if metric.level == "pixel" else outcomes.measured
    adds = there & _adding(metric, outcomes) & np.isfinite(numerator) & (denominator > 0)
    return Ratio(np.where(adds, numerator, 0.0), np.where(adds, denominator, 0.0))


def with_own_metrics(outcomes: Outcomes, metrics: Sequence[Metric]) -> Outcomes:
    """Return outcomes that keep the columns of metrics of one's own.

    Raises
    ------
    MetricError
        If a formula raises or returns something unusable, or a value is larger than can be.
    """
    seen = outcomes.read_only()  # the columns are those of all other metrics
    own = {metric.name: ratio_of(metric, seen) for metric in metrics}
    for metric in metrics:
        value = own[metric.name].value
        if value > metric.largest * (1 + ROUNDING):
            raise MetricError(
                f"metric {metric.name!r} ({metric.source}) is {value:g}, and is said to be "
                f"{metric.largest:g} at most: give it the right largest="
            )
    return replace(outcomes, own=own)


def _adding(metric: Metric, outcomes: Outcomes) -> NDArray[np.bool_]:
    """Return which images may add to a metric."""
    everything = np.ones(len(outcomes.labels), np.bool_)
    if metric.rests_on == "both":
        return everything & (not _lacking_images(metric, outcomes))
    if metric.rests_on == "any" or metric.pools:
        return everything
    return outcomes.defective if metric.rests_on == "defect" else ~outcomes.defective


def why_undefined(metric: Metric, outcomes: Outcomes) -> str:
    """Return why a metric has no value."""
    lacking = _lacking_images(metric, outcomes)
    if lacking:
        return lacking
    if metric.level == "pixel" and metric.rests_on == "defect":
        return _lacking_pixels(metric, outcomes)
    return metric.nothing_counts


def _lacking_images(metric: Metric, outcomes: Outcomes) -> str:
    kinds = set(outcomes.labels[outcomes.measured].tolist())
    if metric.rests_on == "any":
        return ""
    if not kinds:
        return NO_IMAGE
    if metric.rests_on in ("normal", "both") and 0 not in kinds:
        return NO_NORMAL_IMAGE
    return NO_DEFECT_IMAGE if metric.rests_on in ("defect", "both") and 1 not in kinds else ""


def _lacking_pixels(metric: Metric, outcomes: Outcomes) -> str:
    if not (outcomes.defective & outcomes.counted).any():
        return NO_MASK
    if not (outcomes.tp + outcomes.fn > 0).any() or not metric.ranks:
        return metric.nothing_counts
    return NOT_RANKED if (outcomes.fp + outcomes.tn > 0).any() else NO_BACKGROUND_PIXEL
