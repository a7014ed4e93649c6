"""What chance alone does to the losses of a family: draws and exchanges of images."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FLOOR_SHARE = 0.3
"""Least standard error of a draw, as a share of the sample's own.

A loss that comes from one image is absent from 37 % of the draws, and so is its standard error.
How often such an image turns up is a Poisson count of 1, whose 95 % bound is 4.74: 3.7 standard
errors above. Dividing by 0.3 of the sample's error gives such draws 3.3 and, with further
conditions in the family, more.
"""
BLOCK_BYTES = 2**24
"""Bytes of draws that are held at a time."""
EQUAL = 1e-9
"""Statistics of equal losses may differ in their last digits."""


@dataclass(frozen=True)
class Resampling:
    """How chance is reckoned with.

    Parameters
    ----------
    alpha : float
        Rate of false alarms, and of bounds that are too low, over the whole family.
    draws : int
        Bootstrap draws of images.
    exchanges : int
        Exchanges of the two models.
    seed : int
        Of both.
    """

    alpha: float = 0.05
    draws: int = 2000
    exchanges: int = 2000
    seed: int = 0


def draws_of(
    image_set: str, strata: NDArray[np.int64], settings: Resampling
) -> Iterator[tuple[slice, Array]]:
    """Draw parts with replacement within their stratum, as many as there are in it.

    The draws depend on the seed and the images alone: neither on the order of limits nor on other
    benchmarks.

    Parameters
    ----------
    image_set : str
        Names the images.
    strata : (P,) int64
        Of the parts that they show.
    settings : Resampling
        How many draws, and their seed.

    Yields
    ------
    rows : slice
        Which draws these are.
    weights : (len(rows), P) float64
        How often each draw holds each part.
    """
    rng = _generator("draws", image_set, settings.seed)
    for rows in _blocks(settings.draws, len(strata)):
        weights = np.zeros((rows.stop - rows.start, len(strata)))
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            chances = np.full(len(members), 1 / len(members))
            weights[:, members] = rng.multinomial(len(members), chances, len(weights))
        yield rows, weights


def exchanges_of(
    image_set: str, n_parts: int, settings: Resampling
) -> Iterator[tuple[slice, Array]]:
    """Exchange the outputs of the two models for a random half of the parts.

    Parameters
    ----------
    image_set : str
        Names the images.
    n_parts : int
        How many parts they show.
    settings : Resampling
        How many exchanges, and their seed.

    Yields
    ------
    rows : slice
        Which exchanges these are.
    exchanged : (len(rows), P) float64
        1 where the part's outputs are exchanged.
    """
    rng = _generator("exchanges", image_set, settings.seed)
    for rows in _blocks(settings.exchanges, n_parts):
        yield rows, rng.integers(0, 2, (rows.stop - rows.start, n_parts)).astype(np.float64)


def _generator(purpose: str, image_set: str, seed: int) -> np.random.Generator:
    key = hashlib.blake2b(f"{purpose}\n{seed}\n{image_set}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key, np.uint64)))


def _blocks(total: int, n_parts: int) -> Iterator[slice]:
    size = max(1, BLOCK_BYTES // (8 * n_parts))
    return (slice(start, min(start + size, total)) for start in range(0, total, size))


def p_values(losses: Array, own: Array, exchanged: Array, errors: Array) -> Array:
    """Return single-step max-T p-values, adjusted for the whole family (Westfall and Young 1993).

    Losses are studentised, so that two models whose true values are equal need not be exchangeable
    (Janssen 1997). Errors have a floor that no exchange changes: a share of the root mean square
    loss over what was observed and the exchanges. A metric that an exchange leaves undefined counts
    as unchanged by it: the test holds for any statistic, as long as it is the same function of all
    exchanges, and one fragile metric must not hide the regression of another.

    Parameters
    ----------
    losses, own : (K,) float64
        As observed, and their standard errors.
    exchanged, errors : (R, K) float64
        The same after each exchange; NaN where undefined.

    Returns
    -------
    (K,) float64
        ``(1 + #{max t* >= t}) / (1 + R)``.
    """
    found = np.nan_to_num(np.vstack([losses, exchanged]), nan=0.0)
    floor = FLOOR_SHARE * np.sqrt((found**2).mean(axis=0))
    scale = np.maximum(np.nan_to_num(np.vstack([own, errors])), floor)
    found /= np.where(scale > 0, scale, 1.0)
    largest = found.max(axis=1)
    return np.asarray((largest[:, None] >= found[0] - EQUAL).mean(axis=0))


def bounds(
    losses: Array, own: Array, drawn: Array, errors: Array, alpha: float
) -> tuple[Array, Array]:
    """Return simultaneous upper and lower bounds of the losses, ``1 - alpha`` each.

    A metric that too many draws leave undefined has no bounds, and no say in those of the others.

    Parameters
    ----------
    losses, own : (K,) float64
        As observed, and their standard errors.
    drawn, errors : (R, K) float64
        The same in each draw; NaN where undefined.
    alpha : float
        How often either bound may miss any of the K losses.

    Returns
    -------
    upper, lower : (K,) float64
        Infinite where there is no bound.
    """
    undefined = ~np.isfinite(drawn)
    unknown = undefined.mean(axis=0) > alpha / (2 * len(losses))
    moves = own > 0
    scale = np.where(moves, np.maximum(np.nan_to_num(errors), FLOOR_SHARE * own), 1.0)
    shifts = np.where(moves, (losses - drawn) / scale, 0.0)
    up, down = (
        _quantile(np.where(unknown, -np.inf, np.where(undefined, np.inf, sign * shifts)), alpha)
        for sign in (1, -1)
    )
    widths = (np.where(unknown, np.inf, np.where(moves, q, 0.0) * own) for q in (up, down))
    upper, lower = (losses + sign * width for sign, width in zip((1, -1), widths, strict=True))
    return upper, lower


def lower_bounds_alone(
    losses: Array, own: Array, drawn: Array, errors: Array, alpha: float
) -> Array:
    """Return lower bounds of the losses, each of which alone holds with ``1 - alpha``: (K,).

    The parameters are those of `bounds`.
    """
    alone = (slice(k, k + 1) for k in range(len(losses)))
    found = [bounds(losses[k], own[k], drawn[:, k], errors[:, k], alpha)[1] for k in alone]
    return np.concatenate(found)


def _quantile(statistics: Array, alpha: float) -> float:
    """Return the ``1 - alpha`` quantile of the largest statistic, from above."""
    largest = np.sort(statistics.max(axis=1))
    rank = math.ceil((1 - alpha) * (len(largest) + 1))
    return float(largest[min(rank, len(largest)) - 1])
