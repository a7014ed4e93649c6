"""How sure a share of parts is."""

from __future__ import annotations

from scipy.special import betaincinv


def binomial_ends(k: int, n: int, alpha: float) -> tuple[float, float]:
    """Return both ends of a share of parts, each failing in at most `alpha` of all cases.

    Parameters
    ----------
    k, n : int
        Parts that count, of how many.
    alpha : float
        In (0, 0.5).

    References
    ----------
    Clopper and Pearson (1934), The Use of Confidence or Fiducial Limits.
    """
    lower = float(betaincinv(k, n - k + 1, alpha)) if k > 0 else 0.0
    upper = float(betaincinv(k + 1, n - k, 1 - alpha)) if k < n else 1.0
    return lower, upper
