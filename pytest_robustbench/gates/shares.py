"""How sure a share of images is, where several images may show one part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.special import betaincinv, stdtrit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.outcomes import Ratio
    from pytest_robustbench.metrics.parts import Parts

    Array = NDArray[np.float64]


def share_ends(share: Ratio, parts: Parts, alpha: float) -> tuple[float, float]:
    """Return both ends of a share of images, each failing in `alpha` of all cases.

    Parameters
    ----------
    share : Ratio
        Every image adds one or nothing to numerator and denominator.
    parts : Parts
        What the images show.
    alpha : float
        In (0, 0.5).

    Notes
    -----
    Exact (Clopper and Pearson 1934) where every image is its own part. Otherwise the same with the
    number of images that are worth as much as these, were they independent: ``p (1 - p)`` over the
    variance of the share between parts, with a factor for how little few parts tell of that
    variance, and never more than there are (Korn and Graubard 1998). What tells of it are the parts
    of the rarer kind: with few of them, or where all images agree, images of one part count as
    one, as far as parts weigh alike.
    """
    n, k = float(share.denominator.sum()), float(share.numerator.sum())
    by_part = share.by_part(parts)
    carrying = by_part.denominator > 0
    if (by_part.denominator <= 1).all():
        return _binomial(n, k, alpha)
    p, n_parts = k / n, int(carrying.sum())
    worth = effective(by_part.denominator)
    gains = (by_part.numerator - p * by_part.denominator) / n
    variance = n_parts / max(n_parts - 1, 1) * float((gains**2).sum())
    if variance > 0:
        left = by_part.denominator - by_part.numerator
        telling = min(int((column > 0).sum()) for column in (by_part.numerator, left))
        factor = (stdtrit(n - 1, 1 - alpha) / stdtrit(telling, 1 - alpha)) ** 2
        worth = min(max(p * (1 - p) / variance * factor, worth), n)
    return _binomial(worth, worth * p, alpha)


def effective(weights: Array) -> float:
    """Return how many parts of equal weight tell as much as these (Kish 1965)."""
    total = float((weights**2).sum())
    return float(weights.sum()) ** 2 / total if total else 0.0


def _binomial(n: float, k: float, alpha: float) -> tuple[float, float]:
    lower = float(betaincinv(k, n - k + 1, alpha)) if k > 0 else 0.0
    upper = float(betaincinv(k + 1, n - k, 1 - alpha)) if k < n else 1.0
    return lower, upper
