"""How sure one model's metric is, with images as the unit: pixels of one image are no evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy.special import betaincinv

from pytest_robustbench.gates.regression.changes import FROM_COUNTS
from pytest_robustbench.gates.regression.rankings import AurocDifference
from pytest_robustbench.gates.regression.ratios import (
    PIXEL_METRICS,
    Ratio,
    RatioDifference,
    ratio_of,
)
from pytest_robustbench.gates.regression.resampling import Resampling, bounds, draws_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.pairs import Outputs

    Array = NDArray[np.float64]

Side = Literal["lower", "upper"]
Estimator: TypeAlias = "RatioDifference | AurocDifference"

SHARES_OF_IMAGES = ("miss_rate", "recall", "false_reject_rate", "specificity")
"""Metrics that count images of one kind: binomial, with exact intervals."""
ROUNDING = 1e-9
"""Standard errors below are rounding: sums of squares of equal columns do not cancel exactly."""


def interval_of(
    metric: str,
    outputs: Outputs,
    labels: NDArray[np.int64],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return where a metric would lie if other images of the same kind were taken.

    Parameters
    ----------
    metric : str
        A name of `gates.names`.
    outputs : Outputs
        Of one model under one condition.
    labels : (N,) int64
        1 = defect.
    level : float
        How often such an interval holds the true value, in (0, 1).
    resamples : int
        Bootstrap draws.
    seed : int
        Of the draws.

    Returns
    -------
    (float, float) or None
        Lower and upper end, within [0, 1]; each end alone fails in ``(1 - level) / 2`` of all
        cases. ``None`` where the images do not tell: a latency, a metric that ranks pixels, one
        that is undefined here or in too many draws.

    Notes
    -----
    Shares of images have exact binomial intervals (Clopper and Pearson 1934). All others come from
    a studentised bootstrap over images within their label (Davison and Hinkley 1997, section 5.2).
    Where all images say the same, there is no spread to resample: then at most a share
    ``1 - alpha ** (1 / n)`` of all images is of a kind that n images did not show, and those are
    taken to be as wrong, or as right, as can be.
    """
    ends = _ends(metric, outputs, labels, (1 - level) / 2, Resampling(draws=resamples, seed=seed))
    return ends if ends is not None and np.isfinite(ends).all() else None


def lower_bound_of(
    metric: str, outputs: Outputs, labels: NDArray[np.int64], level: float = 0.95
) -> float | None:
    """Return what a metric is at least, with one-sided confidence `level`; see `interval_of`."""
    return _bound("lower", metric, outputs, labels, level)


def upper_bound_of(
    metric: str, outputs: Outputs, labels: NDArray[np.int64], level: float = 0.95
) -> float | None:
    """Return what a metric is at most, with one-sided confidence `level`; see `interval_of`."""
    return _bound("upper", metric, outputs, labels, level)


def _bound(
    side: Side, metric: str, outputs: Outputs, labels: NDArray[np.int64], level: float
) -> float | None:
    ends = _ends(metric, outputs, labels, 1 - level, Resampling())
    end = float("nan") if ends is None else ends[side == "upper"]
    return end if np.isfinite(end) else None


def _ends(
    metric: str, outputs: Outputs, labels: NDArray[np.int64], alpha: float, settings: Resampling
) -> tuple[float, float] | None:
    """Return both ends, each failing in `alpha` of all cases; an infinite one is unknown."""
    measured = np.isfinite(outputs.tp if metric in PIXEL_METRICS else outputs.score)
    outputs, labels = outputs.of(measured), labels[measured]
    if metric in SHARES_OF_IMAGES:
        return _binomial(ratio_of(metric, outputs, labels), alpha)
    single = _single(metric, outputs, labels)
    if single is None or not np.isfinite(single.value):
        return None
    return _resampled(single, labels, alpha, settings)


def _binomial(share: Ratio, alpha: float) -> tuple[float, float] | None:
    """Return the exact ends of a share of images; ``None`` without images."""
    n, k = int(share.denominator.sum()), int(share.numerator.sum())
    if not n:
        return None
    lower = float(betaincinv(k, n - k + 1, alpha)) if k else 0.0
    upper = float(betaincinv(k + 1, n - k, 1 - alpha)) if k < n else 1.0
    return lower, upper


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
    n_images : int
        How many images carry it.
    """

    value: float
    estimator: Estimator
    sign: int
    origin: float
    n_images: int

    def resampled(self, weights: Array) -> tuple[Array, Array]:
        """Return the metric and its standard error in every draw of images."""
        differences, errors = self.estimator.resampled(weights)
        return self.origin + self.sign * differences, errors


def _single(metric: str, outputs: Outputs, labels: NDArray[np.int64]) -> _Single | None:
    if metric == "auroc":
        return _auroc(outputs.score, labels)
    if metric not in FROM_COUNTS:
        return None
    ratio = ratio_of(metric, outputs, labels)
    nothing = Ratio(np.zeros(len(labels)), np.ones(len(labels)))
    estimator = RatioDifference(nothing, ratio, 1, labels)
    return _Single(ratio.value, estimator, 1, 0.0, int((ratio.denominator > 0).sum()))


def _auroc(scores: Array, labels: NDArray[np.int64]) -> _Single:
    # A model that ranks all images alike has an area of one half, whatever is drawn.
    estimator = AurocDifference(np.zeros(len(labels)), scores, labels)
    n_images = int(min((labels == 1).sum(), (labels == 0).sum()))
    return _Single(estimator.value_of(scores), estimator, -1, 0.5, n_images)


def _resampled(
    single: _Single, labels: NDArray[np.int64], alpha: float, settings: Resampling
) -> tuple[float, float]:
    own = float(single.resampled(np.ones((1, len(labels))))[1][0])
    if not own > ROUNDING:
        return _without_spread(single.value, single.n_images, alpha)
    drawn, errors = np.empty((2, settings.draws, 1))
    for rows, weights in draws_of("one model", labels, settings):
        drawn[rows, 0], errors[rows, 0] = single.resampled(weights)
    upper, lower = bounds(np.array([single.value]), np.array([own]), drawn, errors, alpha)
    return _clipped(float(lower[0])), _clipped(float(upper[0]))


def _without_spread(value: float, n_images: int, alpha: float) -> tuple[float, float]:
    unseen = 1 - alpha ** (1 / n_images)
    return value * (1 - unseen), value + (1 - value) * unseen


def _clipped(end: float) -> float:
    """Return an end within [0, 1]; one that is not known stays infinite."""
    return min(max(end, 0.0), 1.0) if np.isfinite(end) else end
