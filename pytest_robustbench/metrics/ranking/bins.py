r"""What the contents of bins tell about a ranking: estimates, and bounds that no order can break.

Bins are in descending order of their scores; which of the scores inside a bin is larger is unknown.
Let a bin hold d defects and n background scores, and the bins above it D and B. The three curves of
`ranking` run exactly through the corners between bins; inside a bin, whatever its order, they rise
from one corner to the next. Hence, between all background above all defects and the reverse:

- AUROC: of the :math:`d\,n` pairs of the bin between none and all are in the right order.
- AUPRO: the curve stays in the rectangle between the two corners.
- Average precision: at the i-th defect of the bin the threshold has passed at least :math:`D + i`
  and at most :math:`D + d` defects, and :math:`B` to :math:`B + n` background scores, so that its
  precision lies between :math:`(D + i) / (D + i + B + n)` and :math:`(D + d) / (D + d + B)`.

Where all scores of a bin are known to be equal, nothing is open: half of the pairs (ties count one
half), the straight line, and the precision :math:`(D + d) / (D + d + B + n)` at each defect.

The estimate takes every other bin for evenly mixed. That makes half of the pairs and the straight
line right again, but the i-th of d defects in random order has only :math:`n\,i / (d + 1)` of the
background scores above it: to take such a bin for one tie would bias the average precision, and to
take a tie for mixed would too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TERMS_SUMMED = 8


class Bins(NamedTuple):
    """Contents of m bins, the bin of the largest scores first; neither class is empty.

    Parameters
    ----------
    background, defect : ndarray of shape (m,), float64
        Numbers of scores.
    overlap : ndarray of shape (m,), float64
        The share of a region that lies in the bin, in the mean over all regions.
    tied : ndarray of shape (m,), bool
        Whether all scores in the bin are known to be equal.
    """

    background: NDArray[np.float64]
    defect: NDArray[np.float64]
    overlap: NDArray[np.float64]
    tied: NDArray[np.bool_]


class Bracket(NamedTuple):
    """An estimate between two bounds."""

    lower: float
    estimate: float
    upper: float

    @property
    def error(self) -> float:
        """The most that the estimate can be wrong by."""
        return max(self.upper - self.estimate, self.estimate - self.lower)


def auroc(bins: Bins) -> Bracket:
    """Bracket the area under the ROC curve."""
    above, reached = _before_and_after(bins.background)
    pairs = reached[-1] * bins.defect.sum()
    estimate = bins.defect @ (reached[-1] - (above + reached) / 2) / pairs
    open_half = bins.defect @ np.where(bins.tied, 0, bins.background / 2) / pairs
    return Bracket(estimate - open_half, estimate, estimate + open_half)


def average_precision(bins: Bins) -> Bracket:
    """Bracket the average precision."""
    before, found = _before_and_after(bins.defect)
    above, reached = _before_and_after(bins.background)
    # Of a bin without defects every sum is empty, but its quotients may be 0 / 0.
    some = bins.defect > 0
    before, found, above, reached = before[some], found[some], above[some], reached[some]
    defect, background = bins.defect[some], bins.background[some]
    lowest = _sum_of_precisions(before, reached, np.zeros_like(defect), defect)
    mixed = _sum_of_precisions(before, above, background / (defect + 1), defect)
    highest = defect * found / (found + above)
    tie = defect * found / (found + reached)
    return _bracket(bins.tied[some], tie, (lowest, mixed, highest), found[-1])


def aupro(bins: Bins, limit: float) -> Bracket:
    """Bracket the per-region overlap up to the false positive rate `limit`, divided by it."""
    low, high = _before_and_after(bins.overlap)
    above, reached = _before_and_after(bins.background)
    start, width = above / reached[-1], bins.background / reached[-1]
    inside = np.clip(limit - start, 0, width)
    share = np.divide(inside, width, out=np.zeros_like(width), where=width > 0)
    line = inside * (low + share * (high - low) / 2)
    return _bracket(bins.tied, line, (inside * low, line, inside * high), limit)


def _bracket(
    tied: NDArray[np.bool_],
    tie: NDArray[np.float64],
    otherwise: Sequence[NDArray[np.float64]],
    whole: float,
) -> Bracket:
    """Sum what the bins contribute, each as a tie or in one of three ways, relative to `whole`."""
    return Bracket(*(np.where(tied, tie, each).sum() / whole for each in otherwise))


def _before_and_after(
    contents: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the bins above each bin hold, without it and together with it."""
    after = np.cumsum(contents)
    return after - contents, after


def _sum_of_precisions(
    defects: NDArray[np.float64],
    background: NDArray[np.float64],
    slope: NDArray[np.float64],
    count: NDArray[np.float64],
) -> NDArray[np.float64]:
    r"""Sum :math:`(D + i) / (D + i + B + s\,i)` over i from 1 to `count`; from below if s = 0.

    With :math:`x = (D + B) / (1 + s)` each term is :math:`(1 + (D - x) / (x + i)) / (1 + s)`, and
    for s = 0 the factor :math:`D - x = -B` turns the upper bound of `_sum_of_reciprocals` into a
    lower one.
    """
    x = (defects + background) / (1 + slope)
    return (count + (defects - x) * _sum_of_reciprocals(x, count)) / (1 + slope)


def _sum_of_reciprocals(x: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum ``1 / (x + i)`` over i from 1 to `count`, from above.

    The first terms as they are, the others by the midpoint rule: the integral of a convex function
    over a unit interval is at least its value in the middle.
    """
    summed = np.minimum(count, TERMS_SUMMED)
    total = np.log1p((count - summed) / (x + summed + 0.5))
    for i in range(1, TERMS_SUMMED + 1):
        total += (i <= count) / (x + i)
    return total
