"""How sure a summary over conditions is: every condition shows the same images, drawn together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.gates.recalibrated import extremes
from pytest_robustbench.gates.regression.resampling import Resampling
from pytest_robustbench.gates.urns import jointly_kept, ratios_drawn
from pytest_robustbench.metrics.catalogue import (
    DROP_PREFIXES,
    LEVEL_PREFIXES,
    bound_of,
    metric_called,
)
from pytest_robustbench.metrics.measured import ratio_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

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
        Draws from the urn.
    seed : int
        Of the draws.

    Returns
    -------
    (float, float) or None
        Lower and upper end. ``None`` where the metric is no ratio of sums over images, is not
        defined, or is so in too many draws.

    Notes
    -----
    A draw weighs the same parts under every condition, and one that was not seen (see `urns`), so
    that what they have in common is not counted as chance several times. Of a worst value, the ends
    are the worst of the ends of all conditions, which hold together: which one is the worst may be
    chance as well, and an extreme of draws would be too extreme.
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
    values = [(row, outcomes[condition]) for condition in ordered]
    if len(values) < 2 or not np.isfinite([ratio_of(*value).value for value in values]).all():
        return None
    coefficients = _coefficients(metric, len(values) - 1)
    low, high = (_drawn(values, coefficients, settings, highest=h) for h in (False, True))
    pick = min if bound_of(metric) == "min" else max
    lower, upper = -jointly_kept(-low, alpha), jointly_kept(high, alpha)
    ends = float(pick(lower)), float(pick(upper))
    return ends if np.isfinite(ends).all() else None


def _drawn(
    values: Sequence[tuple[Metric, Outcomes]],
    coefficients: Array,
    settings: Resampling,
    *,
    highest: bool,
) -> Array:
    """Return the sums with a part more that makes them as high, or low, as can be: (R, K)."""
    falls = (coefficients < 0).any(axis=0)
    rng = np.random.default_rng(settings.seed)
    found = ratios_drawn(values, (falls != highest).tolist(), settings.draws, rng)
    unknown = np.where(falls != highest, np.inf, -np.inf)
    return np.asarray(np.where(np.isnan(found), unknown, found) @ coefficients.T)


def _coefficients(metric: str, n_corrupted: int) -> Array:
    """Return a row for every value to bound: what clean, and each condition, has a part in it."""
    of_means = metric.startswith((LEVEL_PREFIXES[0], DROP_PREFIXES[0]))
    corrupted = np.full((1, n_corrupted), 1 / n_corrupted) if of_means else np.eye(n_corrupted)
    rows = np.hstack([np.zeros((len(corrupted), 1)), corrupted])
    if not metric.startswith(DROP_PREFIXES):
        return rows
    rows[:, 0] = -1.0
    return -rows if metric_called(metric).more_is_better else rows
