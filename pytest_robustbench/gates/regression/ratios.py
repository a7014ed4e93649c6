"""Metrics that are ratios of sums over images: the spread of their differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.measured import ratio_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Column, Ratio


@dataclass(frozen=True)
class RatioDifference:
    """The loss of a candidate in a metric that is a ratio of sums.

    Parameters
    ----------
    baseline, candidate : Ratio
        Of the same images.
    sign : {1, -1}
        1 where more of the metric is worse.
    strata : (N,) int64
        Group of each image; images are drawn within their group.
    """

    baseline: Ratio
    candidate: Ratio
    sign: int
    strata: NDArray[np.int64]

    def resampled(self, weights: Column) -> tuple[Column, Column]:
        """Return the loss and its standard error for every draw of images.

        Parameters
        ----------
        weights : (R, N) float64
            How often each draw holds each image.

        Returns
        -------
        losses, errors : (R,) float64
            NaN where a draw leaves the metric undefined. The error is the linearised one of a
            stratified mean: with ``u = (n - theta d) / sum(d)`` for each model, the variance of the
            sum of ``u_candidate - u_baseline`` over images drawn within strata.
        """
        sums = [weights[:, members] @ self._columns()[members] for members in self._members()]
        b, c, theta_b, theta_c = _ratios(np.sum(sums, axis=0))
        variance = np.zeros(len(weights))
        for part, members in zip(sums, self._members(), strict=True):
            n = max(int(members.sum()), 2)
            with np.errstate(invalid="ignore", divide="ignore"):
                first = _first(part, theta_b, theta_c, b, c)
                squares = _second(part, theta_b, theta_c, b, c) - first**2 / n
            variance += n / (n - 1) * np.maximum(squares, 0)
        return self.sign * (theta_c - theta_b), np.asarray(np.sqrt(variance))

    def exchanged(self, exchanged: Column) -> Column:
        """Return the loss after exchanging the models' outputs image by image.

        Parameters
        ----------
        exchanged : (R, N) float64
            1 where the image's outputs are exchanged.
        """
        columns = self._columns()[:, :4]
        moved = columns[:, [2, 3, 0, 1]] - columns
        _, _, theta_b, theta_c = _ratios(columns.sum(axis=0) + exchanged @ moved)
        return self.sign * (theta_c - theta_b)

    def loss(self) -> float:
        """Return by how much the candidate is worse."""
        return self.sign * (self.candidate.value - self.baseline.value)

    def _members(self) -> list[NDArray[np.bool_]]:
        return [self.strata == stratum for stratum in np.unique(self.strata)]

    def _columns(self) -> Column:
        """Return everything whose weighted sums give estimates and errors: (N, 14)."""
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
    baseline, candidate = (ratio_of(metric, o) for o in (pair.baseline, pair.candidate))
    return RatioDifference(baseline, candidate, metric.sign, pair.labels)
