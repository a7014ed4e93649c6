"""What a calibration promises of good parts, and whether a test set agrees.

Given its calibration images, a conformal threshold rejects a share of all good parts that is not
known: over calibrations of n parts it is ``Beta(n + 1 - k, k)`` distributed where k is the rank of
the threshold (Vovk 2012, Conditional validity of inductive conformal predictors). Its mean,
``(n + 1 - k) / (n + 1)``, is what one expects; its upper quantiles are what may be meant.
"""

from __future__ import annotations

from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class FalseRejects:
    """The share of good parts above an image threshold, over calibrations of as many parts.

    Parameters
    ----------
    n_parts : int
        How many parts were calibrated on.
    expected : float
        ``(n + 1 - k) / (n + 1)``.
    """

    n_parts: int
    expected: float

    @property
    def at_most(self) -> float:
        """The share with 95 % confidence.

        Examples
        --------
        >>> round(FalseRejects(24, 1 / 25).at_most, 3)
        0.117
        """
        from scipy.special import betaincinv

        return float(betaincinv(*self._shape, CONFIDENCE))

    def chance_of(self, rejected: int, tested: int) -> float:
        """Return how often so many of `tested` good parts, or more, would be rejected.

        Over calibrations and test parts alike: where parts are exchangeable.
        """
        from scipy.stats import betabinom

        return float(betabinom.sf(rejected - 1, tested, *self._shape))

    @property
    def _shape(self) -> tuple[float, float]:
        above = self.expected * (self.n_parts + 1)
        return above, self.n_parts + 1 - above
