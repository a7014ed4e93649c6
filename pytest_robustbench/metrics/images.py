"""Image level: how scores rank images, and what another threshold could have reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.ranking.exact import Ranking, rank_scores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pytest_robustbench.arrays import Floats


class BestF1(NamedTuple):
    """The largest F1 of any threshold, and a threshold that gives it with ``score > threshold``."""

    f1: float
    threshold: float


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
