"""How sure a summary over conditions is: every condition shows the same images, drawn together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.gates.intervals import ROUNDING
from pytest_robustbench.gates.recalibrated import extremes
from pytest_robustbench.gates.regression.resampling import Resampling, bounds, draws_of
from pytest_robustbench.metrics.catalogue import (
    DROP_PREFIXES,
    LEVEL_PREFIXES,
    bound_of,
    metric_called,
)
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.outcomes import Outcomes, Ratio
    from pytest_robustbench.metrics.parts import Parts

    Array = NDArray[np.float64]


def summary_interval_of(
    metric: str,
    outcomes: Mapping[str, Outcomes],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return where a summary would lie if other images of the same kind were taken.

    Parameters
    ----------
    metric : str
        Name of a summary.
    outcomes : mapping of condition id to Outcomes
        Of one model on the same N images: clean, and every corrupted condition.
    level : float
        How often such an interval holds the true value, in (0, 1).
    resamples : int
        Bootstrap draws.
    seed : int
        Of the draws.

    Returns
    -------
    (float, float) or None
        Lower and upper end. ``None`` where the metric is no ratio of sums over images, is not
        defined, or is so in too many draws.

    Notes
    -----
    A draw takes the same parts under every condition, so that what they have in common is not
    counted as chance several times. Of a worst value, the ends are the worst of the ends of all
    conditions, which hold together: which one is the worst may be chance as well, and an extreme
    of draws would be too extreme.
    """
    row = metric_called(metric)
    if row.ranks or row.is_latency or CLEAN.id not in outcomes:
        return None
    alpha, settings = (1 - level) / 2, Resampling(draws=resamples, seed=seed)
    ends = _sampled(metric, outcomes, alpha, settings)
    if ends is None or not outcomes[CLEAN.id].redrawn:
        return ends
    lowest = None if row.source else _redrawn(metric, outcomes, alpha, upper=False)
    highest = None if row.source else _redrawn(metric, outcomes, alpha, upper=True)
    low, high = (each and _sampled(metric, each, alpha, settings) for each in (lowest, highest))
    of_drops = metric.startswith(DROP_PREFIXES)
    found = (
        min(ends[0], low[0] if low else -row.largest if of_drops else 0.0),
        max(ends[1], high[1] if high else row.largest),
    )
    return found if np.isfinite(found).all() else None


def _redrawn(
    metric: str, outcomes: Mapping[str, Outcomes], alpha: float, *, upper: bool
) -> dict[str, Outcomes]:
    """Return the outcomes that other calibration images may come to, for one end of a summary."""
    row = metric_called(metric)
    falls = metric.startswith(DROP_PREFIXES) and row.more_is_better
    found = {}
    for condition, each in outcomes.items():
        is_start = condition == CLEAN.id and metric.startswith(DROP_PREFIXES)
        high = upper != (is_start != falls)
        best, worst = extremes(each, alpha)
        found[condition] = best if high == row.more_is_better else worst
    return found


def _sampled(
    metric: str, outcomes: Mapping[str, Outcomes], alpha: float, settings: Resampling
) -> tuple[float, float] | None:
    """Return both ends at these thresholds."""
    row = metric_called(metric)
    ordered = [CLEAN.id, *(condition for condition in outcomes if condition != CLEAN.id)]
    clean = outcomes[CLEAN.id]
    parts = parts_of(clean.labels, clean.groups)
    ratios = tuple(ratio_of(row, outcomes[condition]).by_part(parts) for condition in ordered)
    if len(ratios) < 2 or not np.isfinite([ratio.value for ratio in ratios]).all():
        return None
    sums = _Sums(ratios, _coefficients(metric, len(ratios) - 1), parts, row.largest)
    lower, upper = _ends(sums, alpha, settings)
    pick = min if bound_of(metric) == "min" else max
    ends = float(pick(lower)), float(pick(upper))
    return ends if np.isfinite(ends).all() else None


def _coefficients(metric: str, n_corrupted: int) -> Array:
    """Return a row for every value to bound: what clean, and each condition, has a part in it."""
    of_means = metric.startswith((LEVEL_PREFIXES[0], DROP_PREFIXES[0]))
    corrupted = np.full((1, n_corrupted), 1 / n_corrupted) if of_means else np.eye(n_corrupted)
    rows = np.hstack([np.zeros((len(corrupted), 1)), corrupted])
    if not metric.startswith(DROP_PREFIXES):
        return rows
    rows[:, 0] = -1.0
    return -rows if metric_called(metric).more_is_better else rows


@dataclass(frozen=True)
class _Sums:
    """Weighted sums of one metric under several conditions.

    Parameters
    ----------
    ratios : tuple of Ratio
        The metric under each of C conditions, on the same P parts.
    coefficients : (K, C) float64
        A row per sum.
    parts : Parts
        The parts that the images show, which are drawn within their stratum.
    largest : float
        No sum can be larger.
    """

    ratios: tuple[Ratio, ...]
    coefficients: Array
    parts: Parts
    largest: float

    @property
    def values(self) -> Array:
        """The sums as observed: (K,)."""
        return np.asarray(self.coefficients @ np.array([ratio.value for ratio in self.ratios]))

    @property
    def lowest(self) -> float:
        """What none of the sums can be below."""
        return -self.largest if (self.coefficients < 0).any() else 0.0

    @property
    def n_parts(self) -> int:
        """The least number of parts that carry a condition."""
        return min(ratio.n_images for ratio in self.ratios)

    def only(self, chosen: NDArray[np.bool_]) -> _Sums:
        """Return some of the sums."""
        return replace(self, coefficients=self.coefficients[chosen])

    def resampled(self, weights: Array) -> tuple[Array, Array]:
        """Return the sums and their linearised standard errors in every draw: (R, K) each."""
        with np.errstate(invalid="ignore", divide="ignore"):
            totals = np.stack([weights @ ratio.denominator for ratio in self.ratios], axis=1)
            found = np.stack([weights @ ratio.numerator for ratio in self.ratios], axis=1) / totals
            errors = [self._errors(weights, found, totals, row) for row in self.coefficients]
        return found @ self.coefficients.T, np.stack(errors, axis=1)

    def _errors(self, weights: Array, found: Array, totals: Array, row: Array) -> Array:
        """Return the error of one sum: parts add to it by what they say under all conditions."""
        values = np.zeros_like(weights)
        for c in np.flatnonzero(row):
            ratio = self.ratios[c]
            own = ratio.numerator - found[:, c, None] * ratio.denominator
            values += row[c] * own / totals[:, c, None]
        return np.asarray(np.sqrt(self.parts.variance(weights, values)))


def _ends(sums: _Sums, alpha: float, settings: Resampling) -> tuple[Array, Array]:
    """Return the ends of all sums; those of either side fail together in `alpha` of all cases."""
    own = sums.resampled(np.ones((1, len(sums.parts.strata))))[1][0]
    moves = own > ROUNDING
    share = alpha / 2 if moves.any() and not moves.all() else alpha
    lower, upper = _without_spread(sums, share / max(int((~moves).sum()), 1))
    if moves.any():
        lower[moves], upper[moves] = _resampled(sums.only(moves), own[moves], share, settings)
    return _clipped(lower, sums), _clipped(upper, sums)


def _clipped(ends: Array, sums: _Sums) -> Array:
    """Return ends that can be; those that are not known stay infinite."""
    return np.where(np.isfinite(ends), np.clip(ends, sums.lowest, sums.largest), ends)


def _without_spread(sums: _Sums, alpha: float) -> tuple[Array, Array]:
    """Return the ends where all images say the same: some of a kind unseen may be all different."""
    values, unseen = sums.values, 1 - alpha ** (1 / sums.n_parts)
    return values + (sums.lowest - values) * unseen, values + (sums.largest - values) * unseen


def _resampled(
    sums: _Sums, own: Array, alpha: float, settings: Resampling
) -> tuple[Sequence[float], Sequence[float]]:
    drawn, errors = np.empty((2, settings.draws, len(own)))
    for rows, weights in draws_of("one model", sums.parts.strata, settings):
        drawn[rows], errors[rows] = sums.resampled(weights)
    upper, lower = bounds(sums.values, own, drawn, errors, alpha)
    return lower.tolist(), upper.tolist()
