"""Metrics that are ratios of sums over images: the spread of their differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.measured import ratio_of

if TYPE_CHECKING:
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Column, Ratio
    from pytest_robustbench.metrics.parts import Parts


# The columns of `RatioDifference._columns` after the two models have been exchanged.
EXCHANGED = [2, 3, 0, 1, 7, 8, 9, 4, 5, 6, 10, 12, 11, 13]


@dataclass(frozen=True)
class RatioDifference:
    """The loss of a candidate in a metric that is a ratio of sums.

    Parameters
    ----------
    baseline, candidate : Ratio
        What each of P parts adds.
    sign : {1, -1}
        1 where more of the metric is worse.
    parts : Parts
        Which parts are drawn together.
    """

    baseline: Ratio
    candidate: Ratio
    sign: int
    parts: Parts

    def resampled(self, weights: Column) -> tuple[Column, Column]:
        """Return the loss and its standard error for every draw of parts.

        Parameters
        ----------
        weights : (R, P) float64
            How often each draw holds each part.

        Returns
        -------
        losses, errors : (R,) float64
            NaN where a draw leaves the metric undefined. The error is the linearised one of a
            stratified mean: with ``u = (n - theta d) / sum(d)`` for each model, the variance of the
            sum of ``u_candidate - u_baseline`` over parts drawn within strata.
        """
        columns = self._columns()
        return self._of_sums([weights[:, of] @ columns[of] for of in self.parts.members()])

    def exchanged(self, exchanged: Column) -> tuple[Column, Column]:
        """Return the same after exchanging the models' outputs part by part.

        Parameters
        ----------
        exchanged : (R, P) float64
            1 where the part's outputs are exchanged.
        """
        columns = self._columns()
        moved = columns[:, EXCHANGED] - columns
        return self._of_sums(
            [columns[of].sum(axis=0) + exchanged[:, of] @ moved[of] for of in self.parts.members()]
        )

    @property
    def n_parts(self) -> int:
        """How many parts carry the metric."""
        return int(((self.baseline.denominator > 0) | (self.candidate.denominator > 0)).sum())

    def loss(self) -> float:
        """Return by how much the candidate is worse."""
        return self.sign * (self.candidate.value - self.baseline.value)

    def _of_sums(self, sums: list[Column]) -> tuple[Column, Column]:
        """Return losses and errors from the sums of the columns over each stratum."""
        b, c, theta_b, theta_c = _ratios(np.sum(sums, axis=0))
        variance = np.zeros(len(b))
        for part, members in zip(sums, self.parts.members(), strict=True):
            n = max(int(members.sum()), 2)
            with np.errstate(invalid="ignore", divide="ignore"):
                first = _first(part, theta_b, theta_c, b, c)
                squares = _second(part, theta_b, theta_c, b, c) - first**2 / n
            variance += n / (n - 1) * np.maximum(squares, 0)
        return self.sign * (theta_c - theta_b), np.asarray(np.sqrt(variance))

    def _columns(self) -> Column:
        """Return everything whose weighted sums give estimates and errors: (P, 14)."""
        b, d = self.baseline.numerator, self.baseline.denominator
        c, e = self.candidate.numerator, self.candidate.denominator
        squares = (b * b, b * d, d * d, c * c, c * e, e * e, b * c, b * e, d * c, d * e)
        return np.stack([b, d, c, e, *squares], axis=1)


def _ratios(sums: Column) -> tuple[Column, Column, Column, Column]:
    baseline, candidate = sums[..., 1], sums[..., 3]
    with np.errstate(invalid="ignore", divide="ignore"):
        return baseline, candidate, sums[..., 0] / baseline, sums[..., 2] / candidate


def _first(s: Column, tb: Column, tc: Column, b: Column, c: Column) -> Column:
    """Return the sum of ``u_candidate - u_baseline``."""
    return (s[:, 2] - tc * s[:, 3]) / c - (s[:, 0] - tb * s[:, 1]) / b


def _second(s: Column, tb: Column, tc: Column, b: Column, c: Column) -> Column:
    """Return the sum of squares of ``u_candidate - u_baseline``, multiplied out."""
    of_baseline = s[:, 4] - 2 * tb * s[:, 5] + tb**2 * s[:, 6]
    of_candidate = s[:, 7] - 2 * tc * s[:, 8] + tc**2 * s[:, 9]
    of_both = s[:, 10] - tb * s[:, 12] - tc * s[:, 11] + tb * tc * s[:, 13]
    return of_baseline / b**2 + of_candidate / c**2 - 2 * of_both / (b * c)


def difference_of(metric: Metric, pair: Pair) -> RatioDifference:
    """Return the difference of a metric that is a ratio of sums."""
    parts, models = pair.parts, (pair.baseline, pair.candidate)
    baseline, candidate = (ratio_of(metric, outcomes).by_part(parts) for outcomes in models)
    return RatioDifference(baseline, candidate, metric.sign, parts)
