"""Where the metrics of a model come to lie on another test set of as many parts, all at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.gates.urns import Urn, blocks, jointly_kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

    Array = NDArray[np.float64]

DRAWS = 20_000
DRAWS_BEYOND = 100
"""Least number of draws that lie beyond the limits."""


@dataclass(frozen=True)
class Predicted:
    """One value on another test set.

    Parameters
    ----------
    metric : Metric
        Its row: a ratio of sums over images.
    image_set : str
        Names the images; values of one image set are drawn together.
    outcomes : Outcomes
        Of the images that were measured.
    """

    metric: Metric
    image_set: str
    outcomes: Outcomes


def jointly_predicted(values: Sequence[Predicted], safety: float, *, seed: int = 0) -> Array:
    """Return limits that another test set of the same size keeps, all together.

    Parameters
    ----------
    values : sequence of Predicted
        What is limited, K values: floors where more is better, ceilings where less is.
    safety : float
        How often another set keeps all K limits, in (0, 1): over the draw of these images and that
        of the others, both of parts of the same kind, judged at the same thresholds.
    seed : int
        Of the draws.

    Returns
    -------
    (K,) float64
        The limits. One that nothing can break, such as a floor of 0, says that no limit is safe.

    Notes
    -----
    The other set is drawn from Polya's urn (Blackwell and MacQueen 1973). It holds the parts that
    were seen and, for every combination of labels among them, one that was not: as large as the
    largest, its rates as bad as can be, its overlap as if missed and half lit. Parts are drawn
    whole, under all conditions at once, as many of each combination as were measured. For shares of
    parts this is the exact prediction limit of a binomial count, the beta-binomial of
    ``Beta(k + 1, n - k)`` (Thatcher 1964); for means of what is bounded, the scatter of the other
    set on top of the bound of Gaffke (2005), which assumes no distribution. All limits lie at the
    same quantile of their own draws, the one at which a share `safety` of the draws keeps them all
    (Beran 1988).
    """
    n_draws = max(DRAWS, math.ceil(DRAWS_BEYOND / (1 - safety)))
    drawn = np.empty((n_draws, len(values)))
    sets = dict.fromkeys(value.image_set for value in values)
    for own_seed, image_set in enumerate(sets):
        members = [k for k, value in enumerate(values) if value.image_set == image_set]
        rng = np.random.default_rng([seed, own_seed])
        drawn[:, members] = _drawn([values[k] for k in members], n_draws, rng)
    signs = np.array([value.metric.sign for value in values])
    return signs * jointly_kept(signs * drawn, 1 - safety)


def _drawn(values: Sequence[Predicted], n_draws: int, rng: np.random.Generator) -> Array:
    """Return what values of one image set are on other sets: (R, K), the worst where undefined."""
    pairs = [(value.metric, value.outcomes) for value in values]
    urn = Urn.of(pairs, [not value.metric.more_is_better for value in values])
    urns = [urn.held(stratum) for stratum in urn.strata]
    drawn = np.empty((n_draws, len(values)))
    for rows in blocks(n_draws, max(map(len, urns))):
        with np.errstate(invalid="ignore", divide="ignore"):  # no largest value: 0 * inf
            sums = np.sum([_of_another_set(u, rows.stop - rows.start, rng) for u in urns], axis=0)
            drawn[rows] = sums[..., 0] / sums[..., 1]
    worst = np.array([value.metric.sign * np.inf for value in values])
    return np.where(np.isnan(drawn), worst, drawn)


def _of_another_set(urn: Array, n_draws: int, rng: np.random.Generator) -> Array:
    """Return sums over as many parts as were seen: (R, K, 2), of an urn (parts + 1, K, 2)."""
    shares = rng.dirichlet(np.ones(len(urn)), n_draws)
    counts = rng.multinomial(len(urn) - 1, shares).astype(np.float64)
    return np.tensordot(counts, urn, axes=1)
