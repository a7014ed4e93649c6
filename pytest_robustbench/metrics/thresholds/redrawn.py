"""Which thresholds other calibration images of the same kinds would have given.

Predictive, and without any assumption on how scores are distributed: as many further parts as were
calibrated on are drawn from an urn that holds those, and one that nobody has seen (Hill 1968). It
is taken to be as bad as can be on either side: for the lower end it carries nothing of the tail,
for the upper end it is lit as a whole. So an end is unknown where one such part decides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.thresholds.quantile import conformal_weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.metrics.thresholds.upper_tail import Owned

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]

TAILS = (0.025, 0.005)
"""How often a redrawn threshold lies beyond one end: of a 95 %, and of a 99 % interval."""
DRAWS = 2000
BLOCK = 250
"""Draws that are held at a time."""
LEVELS = 1024
"""Scores at which the pixels above are counted: ends are rounded outwards to the next of them."""


class Range(NamedTuple):
    """Lower and upper end of a threshold; ``None`` where it may lie anywhere on that side."""

    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class RedrawnTail:
    """The pixel tail of calibration parts, at a few levels.

    Parameters
    ----------
    levels : (L,) float32
        Ascending scores.
    above : (P, L) int64
        How many pixels of each part lie above each level.
    sizes : (P,) int64
        How many pixels each part has.
    q : float
        The quantile that the pixel threshold is.
    """

    levels: Floats
    above: Numbers
    sizes: Numbers
    q: float

    @classmethod
    def of(cls, tail: Owned, sizes: Sequence[int], groups: Numbers, q: float) -> RedrawnTail:
        """Count a tail.

        Parameters
        ----------
        tail : Owned
            The largest values of all images, in descending order.
        sizes : (N,) sequence of int
            Pixels of each image.
        groups : (N,) int64
            The part of each image, from 0 on.
        q : float
            The quantile.
        """
        levels = np.unique(tail.values[_spread_ranks(len(tail.values))])
        parts, n_parts = groups[tail.owners], int(groups.max()) + 1
        counted = [_above(tail.values[parts == part], levels) for part in range(n_parts)]
        pixels = np.bincount(groups, weights=np.asarray(sizes, np.float64), minlength=n_parts)
        return cls(levels, np.stack(counted), pixels.astype(np.int64), q)

    def thresholds(self, seen: Array, unseen: Array) -> tuple[Array, Array]:
        """Return the thresholds of draws, rounded down and up to levels: (R,) each.

        Parameters
        ----------
        seen : (R, P) float64
            How often each draw holds each part.
        unseen : (R,) float64
            How often it holds the part that nobody has seen.
        """
        blocks = range(0, len(seen), BLOCK)
        found = [self._of_block(seen[i : i + BLOCK], unseen[i : i + BLOCK]) for i in blocks]
        low, high = (np.concatenate(each) for each in zip(*found, strict=True))
        return low, high

    def _of_block(self, seen: Array, unseen: Array) -> tuple[Array, Array]:
        further = unseen * self.sizes.mean()
        allowed = (1 - self.q) * (seen @ self.sizes + further)
        above = seen @ self.above
        steps = np.r_[-np.inf, self.levels, np.inf]
        # Counts fall with the level: the threshold lies between the last level with more pixels
        # above it than are allowed, and the next.
        low = (above > allowed[:, None]).sum(axis=1)
        high = (above + further[:, None] > allowed[:, None]).sum(axis=1)
        return steps[low], steps[1:][high]


def _spread_ranks(n: int) -> Numbers:
    """Return ranks of values: dense among the largest, where few pixels make much difference."""
    return np.unique(np.geomspace(1, n, min(n, LEVELS)).astype(np.int64)) - 1


def _above(values: Floats, levels: Floats) -> Numbers:
    ordered = np.sort(values)
    return np.asarray(ordered.size - np.searchsorted(ordered, levels, side="right"), np.int64)


def image_thresholds(
    scores: Floats, groups: Numbers, q: float, seen: Array, unseen: Array
) -> tuple[Array, Array]:
    """Return the image thresholds of draws, the unseen part below and above all others: (R,) each.

    Parameters
    ----------
    scores : (N,) float32
        Of the calibration images.
    groups : (N,) int64
        The part of each image, from 0 on.
    q : float
        The quantile.
    seen, unseen : (R, P) and (R,) float64
        How often each draw holds each part, and the one that nobody has seen.
    """
    order = np.argsort(scores, kind="stable")
    of_image = groups[order]
    # Each part weighs the same, whatever the number of its images.
    reached = np.cumsum(seen[:, of_image] / np.bincount(groups)[of_image], axis=1)
    wanted = conformal_weight(seen.shape[1], q)
    steps = np.r_[-np.inf, scores[order].astype(np.float64), np.inf]
    low = 1 + (reached + unseen[:, None] < wanted).sum(axis=1)
    low[unseen >= wanted] = 0
    high = 1 + (reached < wanted).sum(axis=1)
    return steps[low], steps[high]


def urn_draws(n_parts: int, seed: int = 0) -> tuple[Array, Array]:
    """Return how often draws of `n_parts` parts hold each that was seen, and the one that was not.

    Every composition of a population is as likely as any other before, so that a further part is
    like each of those seen, or like none, with equal chances: ``Dirichlet(1, ..., 1)`` over the
    parts, the Bayesian bootstrap (Rubin 1981), and then a draw of parts from it.

    Returns
    -------
    seen : (R, P) float64
    unseen : (R,) float64
    """
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(n_parts + 1), DRAWS)
    drawn = rng.multinomial(n_parts, shares).astype(np.float64)
    return drawn[:, :-1], drawn[:, -1]


def ranges(drawn: tuple[Array, Array]) -> Iterator[Range]:
    """Yield the range of a threshold for each of `TAILS`.

    Parameters
    ----------
    drawn : pair of (R,) float64
        Thresholds of the draws, rounded down and up.
    """
    low, high = (np.sort(each) for each in drawn)
    for tail in TAILS:
        rank = int(np.floor(tail * len(low)))
        ends = float(low[rank]), float(high[len(high) - 1 - rank])
        yield Range(*(end if np.isfinite(end) else None for end in ends))
