"""Image level: how scores rank images, and what the frozen image threshold decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.ranking.exact import Ranking, rank_scores
from pytest_robustbench.metrics.ratios import ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pytest_robustbench.arrays import Floats


@dataclass(frozen=True)
class ImageDecisions:
    """Numbers of images by label and decision, and the shares that follow from them.

    A share of nothing is ``None``, never 0 or 1: a detector that calls no image defective has no
    precision. So is F1 where no image is defective and none is called so; it is 0 where there was
    something to find, or something was called, and nothing found.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Defective and called so; good but called defective; defective but called good; good and
        called so.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def precision(self) -> float | None:
        """Share of the images called defective that are; ``None`` if none is called so."""
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of the defective images called so; ``None`` without defective images."""
        return ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """``2 TP / (2 TP + FP + FN)``; ``None`` if no image is defective or called so."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def specificity(self) -> float | None:
        """Share of the good images called good; ``None`` without good images."""
        return ratio(self.tn, self.tn + self.fp)

    @property
    def accuracy(self) -> float | None:
        """Share of the images decided rightly; ``None`` without images."""
        return ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn)

    @property
    def miss_rate(self) -> float | None:
        """Share of the defective images called good; ``None`` without defective images."""
        return ratio(self.fn, self.tp + self.fn)

    @property
    def false_reject_rate(self) -> float | None:
        """Share of the good images called defective; ``None`` without good images."""
        return ratio(self.fp, self.tn + self.fp)


class BestF1(NamedTuple):
    """The largest F1 of any threshold, and a threshold that gives it with ``score > threshold``."""

    f1: float
    threshold: float


def decide(scores: Floats, labels: ArrayLike, threshold: float) -> ImageDecisions:
    """Call an image defective when ``score > threshold``, strictly, compared in float32.

    Parameters
    ----------
    scores : ndarray of shape (N,), float32
        Scores; higher is more anomalous.
    labels : array_like of shape (N,)
        0 = good, 1 = defective.
    threshold : float
        The frozen image threshold.

    Raises
    ------
    ValueError
        If scores and labels differ in number.
    """
    scores, defective = _checked(scores, labels)
    called = scores > np.float32(threshold)
    return ImageDecisions(
        tp=int(np.count_nonzero(called & defective)),
        fp=int(np.count_nonzero(called & ~defective)),
        fn=int(np.count_nonzero(~called & defective)),
        tn=int(np.count_nonzero(~called & ~defective)),
    )


def rank_images(scores: Floats, labels: ArrayLike) -> Ranking:
    """Return image AUROC and average precision; both ``None`` where only one class is there.

    Parameters
    ----------
    scores : ndarray of shape (N,), float32
        Finite scores; higher is more anomalous.
    labels : array_like of shape (N,)
        0 = good, 1 = defective.

    Raises
    ------
    ValueError
        If scores and labels differ in number.
    """
    scores, defective = _checked(scores, labels)
    return rank_scores(scores[~defective], scores[defective])


def best_f1(scores: Floats, labels: ArrayLike) -> BestF1 | None:
    """Return what tuning the threshold on these very images could have reached.

    Of several thresholds with the same F1 it takes the lowest, which misses least. It is returned
    as the largest float32 below the lowest score called defective, so that ``score > threshold``
    reproduces exactly this F1.

    Parameters
    ----------
    scores : ndarray of shape (N,), float32
        Finite scores; higher is more anomalous.
    labels : array_like of shape (N,)
        0 = good, 1 = defective.

    Returns
    -------
    BestF1 or None
        ``None`` where only one class is there.

    Raises
    ------
    ValueError
        If scores and labels differ in number.
    """
    scores, defective = _checked(scores, labels)
    if not defective.any() or defective.all():
        return None
    values, which = np.unique(scores, return_inverse=True)
    defects = np.bincount(which[defective], minlength=values.size)
    called = np.bincount(which, minlength=values.size)
    # With everything from the i-th smallest value on called defective, 2 TP + FP + FN is the
    # number of images called defective plus the number of defective ones.
    found, flagged = (np.cumsum(each[::-1])[::-1] for each in (defects, called))
    f1 = 2 * found / (flagged + np.count_nonzero(defective))
    best = int(np.argmax(f1))
    return BestF1(float(f1[best]), float(np.nextafter(values[best], np.float32(-np.inf))))


def _checked(scores: Floats, labels: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    scores, defective = np.asarray(scores, dtype=np.float32), np.asarray(labels) != 0
    if scores.shape != defective.shape:
        raise ValueError(f"{scores.size} scores, but {defective.size} labels")
    return scores, defective
