"""What thresholds that other calibration images would have given decide on the same test images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Column: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = "tuple[Sequence[float | None], Sequence[float | None]]"

LOWEST, HIGHEST = -math.inf, math.inf
"""Where a threshold may lie that nothing bounds on that side."""


@dataclass(frozen=True)
class Decided:
    """What one pair of thresholds decides on N images.

    Parameters
    ----------
    pixel_threshold, image_threshold : float
        Infinite where nothing bounds them.
    tp, fp : (N,) float64
        Pixels called defect, in the defect and in the background; NaN where they count nowhere.
    """

    pixel_threshold: float
    image_threshold: float
    tp: Column
    fp: Column

    @classmethod
    def at(
        cls,
        unbounded: float,
        thresholds: tuple[float | None, float | None],
        counts: Counts | None,
        totals: tuple[Column, Column],
    ) -> Decided:
        """Return what is decided at an end of the thresholds.

        Parameters
        ----------
        unbounded : float
            `LOWEST` or `HIGHEST`: what ``None`` stands for.
        thresholds : (float or None, float or None)
            Of pixels and of images.
        counts : pair of (N,) sequences, optional
            Columns `tp` and `fp`; ``None`` where no pixel threshold is known, so that nothing, or
            everything, is called.
        totals : pair of (N,) float64
            Defect pixels and background pixels of each image.
        """
        pixel, image = (unbounded if t is None else t for t in thresholds)
        if counts is None:
            share = float(unbounded == LOWEST)
            return cls(pixel, image, share * totals[0], share * totals[1])
        tp, fp = (np.array(column, np.float64) for column in counts)
        return cls(pixel, image, tp, fp)

    @property
    def counts(self) -> Counts | None:
        """What `at` needs to know beside the totals."""
        if math.isinf(self.pixel_threshold):
            return None
        return _as_list(self.tp), _as_list(self.fp)

    def of(self, rows: NDArray[Any]) -> Decided:
        """Return the same of some images."""
        return Decided(self.pixel_threshold, self.image_threshold, self.tp[rows], self.fp[rows])


@dataclass(frozen=True)
class Redrawn:
    """The least and the most that other calibrations would call.

    Parameters
    ----------
    tail : float
        How often a threshold would lie beyond one of its ends, at most.
    lowest, highest : Decided
        At the lower ends of both thresholds, and at the upper ones.
    """

    tail: float
    lowest: Decided
    highest: Decided

    def of(self, rows: NDArray[Any]) -> Redrawn:
        """Return the same of some images."""
        return Redrawn(self.tail, self.lowest.of(rows), self.highest.of(rows))


def _as_list(column: Column) -> list[float | None]:
    return [None if math.isnan(value) else int(value) for value in column]
