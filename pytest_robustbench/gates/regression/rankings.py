"""The area under the ROC curve of image scores, and the spread of its differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.metrics.parts import Parts

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
        1 = defect; other than 0 and 1 where the image is not measured.
    parts : Parts
        The parts that the images show.
    """

    baseline: Array
    candidate: Array
    labels: NDArray[np.int64]
    parts: Parts

    def resampled(self, weights: Array) -> tuple[Array, Array]:
        """Return the loss and its standard error for every draw of parts.

        Parameters
        ----------
        weights : (R, P) float64
            How often each draw holds each part.

        Returns
        -------
        losses, errors : (R,) float64
            The errors are those of the placement values of DeLong, DeLong and Clarke-Pearson
            (1988), summed over the images of each part (Obuchowski 1997), for the difference of two
            correlated areas.
        """
        images = weights[:, self.parts.of_image]
        positive, negative = images[:, self.labels == 1], images[:, self.labels == 0]
        kernel = self._kernel(self.candidate, self.candidate)
        kernel = kernel - self._kernel(self.baseline, self.baseline)
        with np.errstate(invalid="ignore", divide="ignore"):
            of_positive = negative @ kernel.T / negative.sum(axis=1, keepdims=True)
            of_negative = positive @ kernel / positive.sum(axis=1, keepdims=True)
            return self._of_placements(weights, of_positive, of_negative)

    def exchanged(self, exchanged: Array) -> tuple[Array, Array]:
        """Return the same after exchanging the models' ranks part by part.

        Parameters
        ----------
        exchanged : (R, P) float64
            1 where the ranks of the part's images are exchanged.

        Notes
        -----
        A defect and a normal image add ``D`` to the gain where neither is exchanged and ``-D``
        where both are, ``E`` where the defect alone is and ``-E`` where the normal image alone is:
        ``D (1 - p - n) + E (p - n)``.
        """
        b, c = self.baseline, self.candidate
        images = exchanged[:, self.parts.of_image]
        p, n = images[:, self.labels == 1], images[:, self.labels == 0]
        d = self._kernel(c, c) - self._kernel(b, b)
        e = self._kernel(b, c) - self._kernel(c, b)
        of_positive = (1 - p) * d.sum(axis=1) + p * e.sum(axis=1) - n @ (d + e).T
        of_negative = (1 - n) * d.sum(axis=0) - n * e.sum(axis=0) - p @ (d - e)
        once = np.ones_like(exchanged)
        return self._of_placements(once, of_positive / n.shape[1], of_negative / p.shape[1])

    def _of_placements(
        self, weights: Array, of_positive: Array, of_negative: Array
    ) -> tuple[Array, Array]:
        """Return losses and errors from each image's mean gain over those of the other kind."""
        gains = np.zeros((len(weights), len(self.labels)))
        images = weights[:, self.parts.of_image]
        mean = np.zeros((len(weights), 1))
        for label, placements in ((0, of_negative), (1, of_positive)):
            chosen = self.labels == label
            drawn = images[:, chosen]
            total = drawn.sum(axis=1, keepdims=True)
            mean = (drawn * placements).sum(axis=1, keepdims=True) / total
            gains[:, chosen] = (placements - mean) / total
        by_part = gains if self.parts.each_image_is_one else self.parts.sums(gains.T).T
        return -mean[:, 0], np.sqrt(self.parts.variance(weights, by_part))

    @property
    def n_parts(self) -> int:
        """How many parts there are of the kind of which there are fewer."""
        return min(int((self.parts.sums(self.labels == label) > 0).sum()) for label in (0, 1))

    def loss(self) -> float:
        """Return by how much the candidate is worse."""
        return self.value_of(self.baseline) - self.value_of(self.candidate)

    def value_of(self, ranks: Array) -> float:
        """Return the area under the ROC curve; NaN without images of both kinds."""
        kernel = self._kernel(ranks, ranks)
        return float(kernel.mean()) if kernel.size else float("nan")

    def placements(self, ranks: Array) -> Array:
        """Return what each image adds to the area that it could lose: (N,)."""
        kernel = self._kernel(ranks, ranks)
        found = np.zeros(len(self.labels))
        found[self.labels == 1] = kernel.mean(axis=1) / kernel.shape[0]
        found[self.labels == 0] = kernel.mean(axis=0) / kernel.shape[1]
        return found

    def _kernel(self, of_defects: Array, of_normals: Array) -> Array:
        """Return 1 where a defect ranks above a normal image, 0.5 where they tie."""
        defects = of_defects[self.labels == 1][:, None]
        normals = of_normals[self.labels == 0][None]
        return np.asarray((defects > normals) + 0.5 * (defects == normals))


def auroc_difference(pair: Pair) -> AurocDifference:
    """Return the difference of the areas, over the images that the condition measures."""
    measured = np.isfinite(pair.baseline.score) & np.isfinite(pair.candidate.score)
    labels = np.where(measured, pair.labels, -1)
    baseline, candidate = pair.baseline.score, pair.candidate.score
    ranks = _mid_ranks(baseline, measured), _mid_ranks(candidate, measured)
    return AurocDifference(*ranks, labels, pair.parts)


def _mid_ranks(scores: Array, measured: NDArray[np.bool_]) -> Array:
    ranks = np.zeros(len(scores))
    _, inverse, counts = np.unique(scores[measured], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks[measured] = (ends - (counts - 1) / 2)[inverse]
    return ranks
