"""How sure one model's metric is, with images as the unit: pixels of one image are no evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pytest_robustbench.gates.recalibrated import extremes
from pytest_robustbench.gates.regression.rankings import AurocDifference
from pytest_robustbench.gates.regression.ratios import RatioDifference
from pytest_robustbench.gates.regression.resampling import Resampling, bounds, draws_of
from pytest_robustbench.gates.shares import effective, share_ends
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.outcomes import Ratio
from pytest_robustbench.metrics.parts import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

    Array = NDArray[np.float64]

Side = Literal["lower", "upper"]
Ends: TypeAlias = "tuple[float, float]"
Estimator: TypeAlias = "RatioDifference | AurocDifference"

ROUNDING = 1e-9
"""Standard errors below are rounding: sums of squares of equal columns do not cancel exactly."""


def interval_of(
    metric: Metric,
    outcomes: Outcomes,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return where a metric would lie if other images of the same kind were taken.

    Parameters
    ----------
    metric : Metric
        Its row in the catalogue.
    outcomes : Outcomes
        Of one model under one condition.
    level : float
        How often such an interval holds the true value, in (0, 1).
    resamples : int
        Bootstrap draws.
    seed : int
        Of the draws.

    Returns
    -------
    (float, float) or None
        Lower and upper end, within what there can be; each end alone fails in ``(1 - level) / 2``
        of all cases. ``None`` where the images do not tell: a latency, a metric that ranks pixels,
        one that is undefined here or in too many draws.

    Notes
    -----
    Parts are the unit. Shares of images have exact binomial intervals (Clopper and Pearson 1934)
    where every image is its own part, and otherwise those of as many parts as are worth the same
    (Korn and Graubard 1998). All others come from a studentised bootstrap over parts within their
    stratum (Davison and Hinkley 1997, section 5.2). Where all images say the same, there is no
    spread to resample: then at most a share ``1 - alpha ** (1 / n)`` of all parts is of a kind that
    n parts did not show, and those are taken to be as wrong, or as right, as can be.

    Where thresholds were calibrated, the interval also holds what other calibration images of the
    same kinds would have given: it reaches from the lower end where the redrawn thresholds decide
    worst to the upper end where they decide best. ``outcomes.as_calibrated()`` leaves that out.
    """
    ends = _ends(metric, outcomes, (1 - level) / 2, Resampling(draws=resamples, seed=seed))
    return ends if ends is not None and np.isfinite(ends).all() else None


def bound_on(side: Side, metric: Metric, outcomes: Outcomes, level: float = 0.95) -> float | None:
    """Return what a metric is at least, or at most, with one-sided confidence `level`.

    See `interval_of` for the parameters, and for where there is none.
    """
    ends = _ends(metric, outcomes, 1 - level, Resampling())
    end = float("nan") if ends is None else ends[side == "upper"]
    return end if np.isfinite(end) else None


def _ends(metric: Metric, outcomes: Outcomes, alpha: float, settings: Resampling) -> Ends | None:
    """Return both ends, each failing in `alpha` of all cases; an infinite one is unknown."""
    ends = _sampled(metric, outcomes, alpha, settings)
    if ends is None or not outcomes.redrawn or metric.ranks:
        return ends
    if metric.source:  # what another threshold makes of it, its formula alone would tell
        return 0.0, metric.largest
    best, worst = extremes(outcomes, alpha)
    low, high = (worst, best) if metric.more_is_better else (best, worst)
    lowest, highest = (_sampled(metric, each, alpha, settings) for each in (low, high))
    return (
        0.0 if lowest is None else min(ends[0], lowest[0]),
        metric.largest if highest is None else max(ends[1], highest[1]),
    )


def _sampled(metric: Metric, outcomes: Outcomes, alpha: float, settings: Resampling) -> Ends | None:
    """Return both ends at these thresholds."""
    outcomes = outcomes.of(outcomes.counted if metric.counts_pixels else outcomes.measured)
    single = _single(metric, outcomes)
    if single is None or not np.isfinite(single.value):
        return None
    if single.share is not None:
        return share_ends(single.share, single.estimator.parts, alpha)
    lower, upper = _resampled(single, alpha, settings)
    return _clipped(lower, metric.largest), _clipped(upper, metric.largest)


@dataclass(frozen=True)
class _Single:
    """One model's metric, as its difference from a model that knows nothing.

    Parameters
    ----------
    value : float
        The metric.
    estimator : RatioDifference or AurocDifference
        Its `resampled` gives ``sign * (metric - origin)``.
    sign : {1, -1}
        1 where `estimator` grows with the metric.
    origin : float
        The metric of the model that knows nothing.
    n_parts : int
        How many parts carry it, as far as they weigh alike.
    largest : float
        No value can be larger.
    share : Ratio, optional
        Its columns, where it counts images of one kind: a binomial share.
    """

    value: float
    estimator: Estimator
    sign: int
    origin: float
    n_parts: float
    largest: float
    share: Ratio | None = None

    def resampled(self, weights: Array) -> tuple[Array, Array]:
        """Return the metric and its standard error in every draw of images."""
        differences, errors = self.estimator.resampled(weights)
        return self.origin + self.sign * differences, errors


def _single(metric: Metric, outcomes: Outcomes) -> _Single | None:
    if metric.ranks and metric.comparable:
        return _auroc(outcomes)
    if metric.ranks or metric.is_latency:
        return None
    parts = parts_of(outcomes.labels, outcomes.groups)
    ratio = ratio_of(metric, outcomes)
    share = ratio if metric.kind and _counts_images(metric, ratio) else None
    by_part = ratio.by_part(parts)
    nothing = Ratio(np.zeros(len(parts.strata)), np.ones(len(parts.strata)))
    estimator = RatioDifference(nothing, by_part, 1, parts)
    n_parts = by_part.n_images if share is None else effective(by_part.denominator)
    return _Single(ratio.value, estimator, 1, 0.0, n_parts, metric.largest, share)


def _counts_images(metric: Metric, ratio: Ratio) -> bool:
    """Return whether every image adds one, or nothing, to numerator and denominator."""
    columns = np.stack([ratio.numerator, ratio.denominator])
    may = metric.level == "image" or bool(metric.source)
    return may and bool(np.isin(columns, (0.0, 1.0)).all())


def _auroc(outcomes: Outcomes) -> _Single:
    # A model that ranks all images alike has an area of one half, whatever is drawn.
    scores, labels = outcomes.score, outcomes.labels
    parts = parts_of(labels, outcomes.groups)
    estimator = AurocDifference(np.zeros(len(labels)), scores, labels, parts)
    return _Single(estimator.value_of(scores), estimator, -1, 0.5, estimator.n_parts, 1.0)


def _resampled(single: _Single, alpha: float, settings: Resampling) -> tuple[float, float]:
    strata = single.estimator.parts.strata
    own = float(single.resampled(np.ones((1, len(strata))))[1][0])
    if not own > ROUNDING:
        return _without_spread(single, alpha)
    drawn, errors = np.empty((2, settings.draws, 1))
    for rows, weights in draws_of("one model", strata, settings):
        drawn[rows, 0], errors[rows, 0] = single.resampled(weights)
    upper, lower = bounds(np.array([single.value]), np.array([own]), drawn, errors, alpha)
    return float(lower[0]), float(upper[0])


def _without_spread(single: _Single, alpha: float) -> tuple[float, float]:
    value, unseen = single.value, 1 - alpha ** (1 / single.n_parts)
    return value * (1 - unseen), value + (single.largest - value) * unseen


def _clipped(end: float, largest: float) -> float:
    """Return an end that can be; one that is not known stays infinite."""
    return min(max(end, 0.0), largest) if np.isfinite(end) else end
