"""Parts that were seen, and one that was not: what other parts of the same kinds may come to.

Whatever n parts are like, the next one may be like none of them. So an urn holds the parts that
were seen and one more, which is as bad, or as good, as can be. With weights that are uniform on the
simplex, a weighted sum over the urn is a bound on the mean of all parts that assumes nothing of
their distribution (Gaffke 2005; Learned-Miller and Thomas 2020). For shares of parts it is exact:
the weights of k parts of n and of the one not seen together are ``Beta(k + 1, n - k)``, the bound
of Clopper and Pearson (1934).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.gates.regression.rankings import AurocDifference
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]

LIT = 0.5
"""Share of its background that a part not seen lights up where that costs overlap, not only false
alarms: the overlap of few small defects would not survive a single picture that lights up whole."""
EVERY = slice(None)
BLOCK_BYTES = 2**24
"""Bytes of draws that are held at a time."""


@dataclass(frozen=True)
class Urn:
    """What parts add to each of K values.

    Parameters
    ----------
    seen : (P, K, 2) float64
        Numerators and denominators.
    sizes : (P, K) float64
        What the denominator of a part not seen would be, were it as large as each part.
    ends : (K,) float64
        The value of the part not seen: the largest or the least that there can be.
    strata : tuple of (P,) bool
        Parts whose images have the same labels.
    """

    seen: Array
    sizes: Array
    ends: Array
    strata: tuple[NDArray[np.bool_], ...]

    @classmethod
    def of(cls, values: Sequence[tuple[Metric, Outcomes]], highest: Sequence[bool]) -> Urn:
        """Fill an urn.

        Parameters
        ----------
        values : sequence of (Metric, Outcomes)
            Ratios of sums over images, of the same parts under one condition or several.
        highest : sequence of bool
            Whether the part that was not seen has the largest value that there can be, else the
            least. It is as large as the largest; where overlap is least, it is missed and half lit.
        """
        outcomes = values[0][1]
        parts = parts_of(outcomes.labels, outcomes.groups)
        chosen = list(zip(values, highest, strict=True))
        return cls(
            np.stack([parts.sums(_columns(*value)) for value in values], axis=1),
            np.stack([parts.sums(_sizes(*value, high)) for value, high in chosen], axis=1),
            np.array([metric.largest if high else 0.0 for (metric, _), high in chosen]),
            tuple(parts.members()),
        )

    def held(self, members: slice | NDArray[np.bool_] = EVERY) -> Array:
        """Return what some of the parts add, and, last, the one not seen: (parts + 1, K, 2)."""
        size = self.sizes[members].max(axis=0)
        unseen = np.stack([np.where(size > 0, self.ends, 0.0) * size, size], axis=1)
        return np.concatenate([self.seen[members], unseen[None]])


def ratios_drawn(
    values: Sequence[tuple[Metric, Outcomes]],
    highest: Sequence[bool],
    n_draws: int,
    rng: np.random.Generator,
) -> Array:
    """Return K ratios of weighted sums over the parts of an urn: (R, K); see `Urn.of`."""
    held = Urn.of(values, highest).held()
    drawn = np.empty((n_draws, len(values)))
    for rows in blocks(n_draws, len(held)):
        with np.errstate(invalid="ignore", divide="ignore"):  # no largest value: 0 * inf
            sums = np.tensordot(_weights(len(held), rows.stop - rows.start, rng), held, axes=1)
            drawn[rows] = sums[..., 0] / sums[..., 1]
    return drawn


def aurocs_drawn(
    outcomes: Outcomes, n_draws: int, rng: np.random.Generator, *, highest: bool
) -> Array:
    """Return areas under the ROC curve of weighted parts, and of parts not seen: (R,).

    Parameters
    ----------
    outcomes : Outcomes
        Of images that are all measured.
    n_draws : int
        R.
    rng : numpy.random.Generator
        Of the weights.
    highest : bool
        Whether the parts not seen rank as well as can be, else as badly.
    """
    all_parts = _with_unseen(outcomes, highest=highest)
    parts = parts_of(all_parts.labels, all_parts.groups)
    knows_nothing = np.zeros(len(all_parts.labels))
    estimator = AurocDifference(knows_nothing, all_parts.score, all_parts.labels, parts)
    drawn = np.empty(n_draws)
    for rows in blocks(n_draws, len(all_parts.labels)):
        weights = np.empty((rows.stop - rows.start, len(parts.strata)))
        for members in parts.members():
            weights[:, members] = _weights(int(members.sum()), len(weights), rng)
        drawn[rows] = 0.5 - estimator.resampled(weights)[0]
    return drawn


def _with_unseen(outcomes: Outcomes, *, highest: bool) -> Outcomes:
    """Return scores, labels and groups with a part more of every combination of labels."""
    parts = parts_of(outcomes.labels, outcomes.groups)
    images = np.stack([parts.sums(outcomes.labels == label) for label in (0, 1)], axis=1)
    labels, groups = [outcomes.labels], [outcomes.groups]
    for number, members in enumerate(parts.members()):
        for label, n_images in enumerate(images[members].max(axis=0).astype(int)):
            labels.append(np.full(n_images, label))
            groups.append(np.full(n_images, outcomes.groups.max() + 1 + number))
    joined = np.concatenate(labels)
    unseen = np.arange(len(joined)) >= len(outcomes.labels)
    scores = np.concatenate([outcomes.score, np.zeros(unseen.sum())])
    above = (joined == 1) == highest
    scores[unseen] = np.where(above, np.inf, -np.inf)[unseen]
    return replace(outcomes, labels=joined, score=scores, groups=np.concatenate(groups))


def jointly_kept(drawn: Array, alpha: float) -> Array:
    """Return ceilings that a share `alpha` of the draws breaks, each as many as the others.

    Parameters
    ----------
    drawn : (R, K) float64
        What K values came to.
    alpha : float
        How many draws lie above any of the ceilings.

    Returns
    -------
    (K,) float64
        All at the same quantile of their own draws (Beran 1988).
    """
    ordered = np.sort(drawn, axis=0)
    # How many draws are as large: the fewer, the sooner a draw breaks its limit.
    as_large = len(drawn) - np.stack(
        [np.searchsorted(*columns) for columns in zip(ordered.T, drawn.T, strict=True)], axis=1
    )
    rarest = np.sort(as_large.min(axis=1))[int(alpha * len(drawn))]
    return np.asarray(np.where(as_large >= rarest, drawn, -np.inf).max(axis=0))


def blocks(total: int, n_parts: int) -> Iterator[slice]:
    """Yield slices of draws that are held at a time."""
    size = max(1, BLOCK_BYTES // (8 * n_parts))
    return (slice(start, min(start + size, total)) for start in range(0, total, size))


def _weights(n_in_urn: int, n_draws: int, rng: np.random.Generator) -> Array:
    """Return weights that are uniform on the simplex, and sum to the number of parts seen."""
    weights = rng.standard_exponential((n_draws, n_in_urn))
    return np.asarray(weights * ((n_in_urn - 1) / weights.sum(axis=1, keepdims=True)))


def _columns(metric: Metric, outcomes: Outcomes) -> Array:
    ratio = ratio_of(metric, outcomes)
    return np.stack([ratio.numerator, ratio.denominator], axis=1)


def _sizes(metric: Metric, outcomes: Outcomes, high: bool) -> Array:
    """Return the denominator of each image, or what it were with the defect missed and light."""
    own = _columns(metric, outcomes)[:, 1]
    if high == metric.more_is_better:
        return own
    o = outcomes
    missed = replace(o, tp=0 * o.tp, fn=o.tp + o.fn, fp=o.fp + LIT * o.tn, tn=(1 - LIT) * o.tn)
    return np.maximum(own, _columns(metric, missed)[:, 1])
