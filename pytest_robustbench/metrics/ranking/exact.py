r"""How well scores rank defects above background, over all thresholds and exactly.

Let :math:`v_1 > v_2 > \dots > v_m` be the distinct scores of the defects, and write for the number
of defects :math:`D_>(v), D_\ge(v)` and of background scores :math:`B_>(v), B_\ge(v)` above, and at
or above, `v`. With P defects and N background scores these four counts at the :math:`v_j` are all
that any of the three curves needs:

- As the threshold falls from one :math:`v_j` to the next, only background is added. Recall and
  per-region overlap stay as they are, so the ROC and PRO curves are horizontal from
  :math:`B_\ge(v_j)` to :math:`B_>(v_{j+1})`.
- At :math:`v_j` itself defects and the background tied with them are added at once: one straight
  segment from :math:`(B_>, D_>)` to :math:`(B_\ge, D_\ge)`, diagonal within ties, else vertical.

Hence, with :math:`d_j = D_\ge(v_j) - D_>(v_j)`,

- AUROC :math:`= \sum_j d_j\,(2N - B_>(v_j) - B_\ge(v_j)) / (2PN)`: the Mann-Whitney statistic,
  ties counted one half;
- average precision :math:`= \sum_j (d_j / P)\; D_\ge(v_j) / (D_\ge(v_j) + B_\ge(v_j))`, since
  thresholds between the :math:`v_j` do not change the recall;
- AUPRO is the trapezoid through the corners above.

So the large background is sorted once, as float32, and everything else happens on arrays of the
size of the defects.

References
----------
Hanley and McNeil (1982), Radiology 143(1) (AUROC); scikit-learn's `average_precision_score`;
Bergmann et al. (2021), The MVTec Anomaly Detection Dataset, IJCV 129 (AUPRO).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.ranking.order import stable_argsort

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats


@dataclass(frozen=True)
class Ranking:
    """Threshold-free metrics; ``None`` where not defined (or, for `aupro`, not asked for)."""

    auroc: float | None = None
    average_precision: float | None = None
    aupro: float | None = None


UNDEFINED = Ranking()


def rank_scores(background: Floats, defect: Floats) -> Ranking:
    """Return AUROC and average precision of two samples of scores.

    Parameters
    ----------
    background : ndarray of shape (N,), float32
        Finite scores of what is normal. Sorted in place.
    defect : ndarray of shape (P,), float32
        Finite scores of what is defective.

    Returns
    -------
    Ranking
        Without AUPRO; all ``None`` where one of the samples is empty.
    """
    if background.size == 0 or defect.size == 0:
        return UNDEFINED
    steps = _steps(background, defect)
    return Ranking(_auroc(steps), _average_precision(steps))


def rank_pixels(
    background: Floats,
    defect: Floats,
    regions: NDArray[np.integer],
    aupro_limit: float = 0.3,
) -> Ranking:
    """Return AUROC, average precision and AUPRO of pixels.

    Parameters
    ----------
    background : ndarray of shape (N,), float32
        Finite scores of all pixels known to be background. Sorted in place.
    defect : ndarray of shape (P,), float32
        Finite scores of all defect pixels.
    regions : ndarray of shape (P,), integer
        Which region each defect pixel belongs to: any numbers from 0 on that differ between
        regions. A region's area is the number of its pixels given here, so ignored pixels make it
        smaller, and one without any pixel left does not count.
    aupro_limit : float
        False positive rate up to which AUPRO is integrated, in (0, 1]. The curve is interpolated
        linearly at the limit and its area divided by it.

    Returns
    -------
    Ranking
        All ``None`` where there is no defect or no background pixel.

    Raises
    ------
    ValueError
        If `aupro_limit` lies outside (0, 1], or `regions` does not fit `defect`.
    """
    require_limit(aupro_limit)
    if regions.shape != defect.shape:
        raise ValueError(f"{regions.size} region numbers, but {defect.size} defect pixels")
    if background.size == 0 or defect.size == 0:
        return UNDEFINED
    steps = _steps(background, defect)
    aupro = _aupro(steps, _region_weights(regions), aupro_limit)
    return Ranking(_auroc(steps), _average_precision(steps), aupro)


def require_limit(aupro_limit: float) -> None:
    """Raise ValueError where a limit of the AUPRO lies outside (0, 1]."""
    if not 0 < aupro_limit <= 1:
        raise ValueError(f"the AUPRO limit must lie in (0, 1], not {aupro_limit!r}")


class _Steps(NamedTuple):
    """Counts at the distinct defect scores, the largest first; arrays of shape (m,), int64."""

    defects: int
    background: int
    added: NDArray[np.int64]  # defects at the score
    found: NDArray[np.int64]  # defects at or above it
    above: NDArray[np.int64]  # background above it
    reached: NDArray[np.int64]  # background at or above it
    ascending: NDArray[np.int64]  # shape (P,): the defects, the smallest score first


def _steps(background: Floats, defect: Floats) -> _Steps:
    background = np.asarray(background, dtype=np.float32)
    background.sort()
    ascending = stable_argsort(defect)
    scores = np.asarray(defect, dtype=np.float32)[ascending]
    first = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    added = np.diff(first, append=scores.size)[::-1]
    below, up_to = _counts_at(background, scores[first])
    return _Steps(
        defects=defect.size,
        background=background.size,
        added=added,
        found=np.cumsum(added),
        above=background.size - up_to[::-1],
        reached=background.size - below[::-1],
        ascending=ascending,
    )


def _counts_at(background: Floats, values: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how much of the sorted background lies below each value, and below or at it."""
    below = np.searchsorted(background, values)
    up_to = below.copy()
    # A second search only where background ties with the value.
    tied = np.flatnonzero(background[np.minimum(below, background.size - 1)] == values)
    up_to[tied] = np.searchsorted(background, values[tied], side="right")
    return below, up_to


def _auroc(steps: _Steps) -> float:
    below_twice = 2 * steps.background - steps.above - steps.reached
    return float((steps.added @ below_twice) / (2 * steps.defects * steps.background))


def _average_precision(steps: _Steps) -> float:
    precision = steps.found / (steps.found + steps.reached)
    return float(steps.added @ precision / steps.defects)


def _region_weights(regions: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return each defect pixel's share of the mean over regions: 1 / (area x regions)."""
    areas = np.bincount(regions)
    weights: NDArray[np.float64] = 1 / (areas[regions] * np.count_nonzero(areas))
    return weights


def _aupro(steps: _Steps, weights: NDArray[np.float64], limit: float) -> float:
    step = np.repeat(np.arange(steps.added.size), steps.added[::-1])
    overlap = np.cumsum(np.bincount(step, weights[steps.ascending])[::-1])
    # Both ends of every step, then the way to "everything is called defect".
    rates, overlaps = np.ones((2, 2 * overlap.size + 1))
    rates[:-1:2] = steps.above / steps.background
    rates[1::2] = steps.reached / steps.background
    overlaps[0] = 0
    overlaps[1::2] = overlap
    overlaps[2:-1:2] = overlap[:-1]
    # Sums of rounded shares may end a few digits above the most there can be.
    return min(_area_up_to(limit, rates, overlaps) / limit, 1.0)


def _area_up_to(limit: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the area under the polyline from (0, 0) on to `limit`; `x` ascends and ends at 1."""
    inside = np.searchsorted(x, limit, side="right")
    y = np.append(y[:inside], np.interp(limit, x, y))
    x = np.append(x[:inside], limit)
    return float(np.diff(x) @ (y[1:] + y[:-1]) / 2)
