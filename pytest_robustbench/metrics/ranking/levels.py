"""Where scores lie: a few quantiles, the upper tail among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats

MOST = 2**20
"""Scores that are sorted for their levels alone: quickly done, and enough for a picture."""
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1.0)
"""Shares of scores; of the background a false positive rate of 0.001 lies at 0.999."""


def levels_of_sorted(scores: Floats) -> tuple[float, ...]:
    """Return for each of `LEVELS` the smallest score that this share lies at or below.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        Ascending.

    Returns
    -------
    tuple of float
        Empty without scores.
    """
    if not scores.size:
        return ()
    return tuple(scores[_ranks(scores.size)].tolist())


def levels_of(scores: Floats) -> tuple[float, ...]:
    """Return the levels of scores in any order: of an even choice of them where they are many.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        In any order. The largest counts always, so that the last level is exact.
    """
    if not scores.size:
        return ()
    step = -(-scores.size // MOST) | 1  # odd: no divisor of a width that is a power of two
    chosen = np.sort(scores[::step])
    return (*levels_of_sorted(chosen)[:-1], float(scores.max()))


def bins_at_levels(counts: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return for each of `LEVELS` the bin that holds it.

    Parameters
    ----------
    counts : ndarray of shape (m,), int64
        Scores in each bin, the bin of the smallest scores first; not all zero.
    """
    reached = np.cumsum(counts)
    bins: NDArray[np.intp] = np.searchsorted(reached, _ranks(int(reached[-1])), side="right")
    return bins


def _ranks(n: int) -> NDArray[np.int64]:
    """Return the index of each level among n scores in ascending order."""
    ranks: NDArray[np.int64] = np.ceil(np.array(LEVELS) * n).astype(np.int64).clip(1) - 1
    return ranks
