"""How sure one model's metric is, with images as the unit: pixels of one image are no evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pytest_robustbench.gates.recalibrated import extremes
from pytest_robustbench.gates.regression.resampling import Resampling
from pytest_robustbench.gates.shares import binomial_ends
from pytest_robustbench.gates.urns import aurocs_drawn, jointly_kept, ratios_drawn
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.parts import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

    Array = NDArray[np.float64]

Side = Literal["lower", "upper"]
Ends: TypeAlias = "tuple[float, float]"


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
        Draws from the urn.
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
    where every image is its own part. All others come from an urn (see `urns`) that holds the parts
    seen, and for either end one that was not, which is as bad, or as good, as can be: n parts do
    not show what one in n is like, however well they agree.

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
    if metric.is_latency or _is_undefined(metric, outcomes):
        return None
    share = None if metric.ranks else _share_of_parts(metric, outcomes)
    if share is not None:
        return binomial_ends(*share, alpha)
    low, high = (_drawn(metric, outcomes, settings, highest=highest) for highest in (False, True))
    return -float(jointly_kept(-low, alpha)[0]), float(jointly_kept(high, alpha)[0])


def _is_undefined(metric: Metric, outcomes: Outcomes) -> bool:
    if metric.ranks:
        return not metric.comparable or len(set(outcomes.labels.tolist())) < 2
    return not np.isfinite(ratio_of(metric, outcomes).value)


def _drawn(metric: Metric, outcomes: Outcomes, settings: Resampling, *, highest: bool) -> Array:
    """Return what the metric comes to with a part more, as good or bad as can be: (R, 1)."""
    rng = np.random.default_rng(settings.seed)
    if metric.ranks:
        return aurocs_drawn(outcomes, settings.draws, rng, highest=highest)[:, None]
    found = ratios_drawn([(metric, outcomes)], [highest], settings.draws, rng)
    return np.where(np.isnan(found), np.inf if highest else -np.inf, found)


def _share_of_parts(metric: Metric, outcomes: Outcomes) -> tuple[int, int] | None:
    """Return of how many parts how many count, where each shows one image that does or does not."""
    ratio = ratio_of(metric, outcomes)
    columns = np.stack([ratio.numerator, ratio.denominator])
    may = metric.kind and (metric.level == "image" or metric.source)
    if not (may and np.isin(columns, (0.0, 1.0)).all()):
        return None
    by_part = parts_of(outcomes.labels, outcomes.groups).sums(columns.T)
    if (by_part[:, 1] > 1).any():
        return None
    k, n = by_part.sum(axis=0).astype(int).tolist()
    return k, n
