"""The area under the ROC curve of image scores, and the spread of its differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.pairs import Pair

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class AurocDifference:
    """The loss of a candidate in the area under the ROC curve of image scores.

    Parameters
    ----------
    baseline, candidate : (N,) float64
        Mid-ranks of the scores within each model's own images: scores of two models lie on
        different scales, their ranks do not.
    labels : (N,) int64
        1 = defect.
    """

    baseline: Array
    candidate: Array
    labels: NDArray[np.int64]

    def resampled(self, weights: Array) -> tuple[Array, Array]:
        """Return the loss and its standard error for every draw of images.

        Parameters
        ----------
        weights : (R, N) float64
            How often each draw holds each image.

        Returns
        -------
        losses, errors : (R,) float64
            The errors are those of the placement values of DeLong, DeLong and Clarke-Pearson
            (1988), for the difference of two correlated areas.
        """
        positive, negative = weights[:, self.labels == 1], weights[:, self.labels == 0]
        n_positive, n_negative = positive.sum(axis=1), negative.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            kernel = self._kernel(self.candidate, self.candidate)
            kernel = kernel - self._kernel(self.baseline, self.baseline)
            of_positive = negative @ kernel.T / n_negative[:, None]
            of_negative = positive @ kernel / n_positive[:, None]
            gains = (positive * of_positive).sum(axis=1) / n_positive
            variance = _variance(of_positive, positive, gains, n_positive)
            variance += _variance(of_negative, negative, gains, n_negative)
        return np.asarray(-gains), np.sqrt(variance)

    def exchanged(self, exchanged: Array) -> Array:
        """Return the loss after exchanging the models' ranks image by image.

        Parameters
        ----------
        exchanged : (R, N) float64
            1 where the image's ranks are exchanged.
        """
        b, c = self.baseline, self.candidate
        p, n = exchanged[:, self.labels == 1], exchanged[:, self.labels == 0]
        gains = _form(1 - p, self._kernel(c, c) - self._kernel(b, b), 1 - n)
        gains += _form(p, self._kernel(b, b) - self._kernel(c, c), n)
        gains += _form(1 - p, self._kernel(c, b) - self._kernel(b, c), n)
        gains += _form(p, self._kernel(b, c) - self._kernel(c, b), 1 - n)
        return np.asarray(-gains / (p.shape[1] * n.shape[1]))

    def loss(self) -> float:
        """Return by how much the candidate is worse."""
        return self.value_of(self.baseline) - self.value_of(self.candidate)

    def value_of(self, ranks: Array) -> float:
        """Return the area under the ROC curve; NaN without images of both kinds."""
        kernel = self._kernel(ranks, ranks)
        return float(kernel.mean()) if kernel.size else float("nan")

    def _kernel(self, of_defects: Array, of_normals: Array) -> Array:
        """Return 1 where a defect ranks above a normal image, 0.5 where they tie."""
        defects = of_defects[self.labels == 1][:, None]
        normals = of_normals[self.labels == 0][None]
        return np.asarray((defects > normals) + 0.5 * (defects == normals))


def _variance(placements: Array, weights: Array, mean: Array, total: Array) -> Array:
    squares = (weights * (placements - mean[:, None]) ** 2).sum(axis=1)
    return np.asarray(squares / (total * np.maximum(total - 1, 1)))


def _form(left: Array, kernel: Array, right: Array) -> Array:
    """Return ``left @ kernel @ right`` for every row."""
    return np.asarray(((left @ kernel) * right).sum(axis=1))


def auroc_difference(pair: Pair) -> AurocDifference:
    """Return the difference of the areas, over the images that the condition measures."""
    measured = np.isfinite(pair.baseline.score) & np.isfinite(pair.candidate.score)
    labels = np.where(measured, pair.labels, -1)
    baseline, candidate = pair.baseline.score, pair.candidate.score
    return AurocDifference(_mid_ranks(baseline, measured), _mid_ranks(candidate, measured), labels)


def _mid_ranks(scores: Array, measured: NDArray[np.bool_]) -> Array:
    ranks = np.zeros(len(scores))
    _, inverse, counts = np.unique(scores[measured], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks[measured] = (ends - (counts - 1) / 2)[inverse]
    return ranks
