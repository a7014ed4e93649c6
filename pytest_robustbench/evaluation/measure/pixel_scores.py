"""The pixel scores of one condition: all of them, or a histogram where they are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from pytest_robustbench.metrics.ranking.exact import Ranking, rank_pixels
from pytest_robustbench.metrics.ranking.histogram import ScoreHistogram
from pytest_robustbench.metrics.ranking.levels import levels_of, levels_of_sorted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.evaluation.results import RankingMode


class Ranked(NamedTuple):
    """Threshold-free metrics of the pixels, how far they can be trusted, and where scores lie."""

    ranking: Ranking
    mode: RankingMode
    error: Mapping[str, float]
    background_levels: tuple[float, ...]
    defect_levels: tuple[float, ...]


class PixelScores(Protocol):
    """Takes the scores of one image after the other, and ranks them all."""

    def add(self, background: Floats, defect: Floats, regions: NDArray[np.integer]) -> None:
        """Add one image: its background, its defect pixels, and the region each belongs to."""

    def ranked(self, aupro_limit: float) -> Ranked:
        """Return AUROC, average precision and AUPRO; nothing can be added afterwards."""


class ExactScores:
    """Keeps every score.

    Parameters
    ----------
    buffer : (N,) float32
        Room for all background scores. Overwritten; the next condition may use it again.
    """

    def __init__(self, buffer: Floats) -> None:
        self._buffer = buffer
        self._used = 0
        self._defect: list[Floats] = []
        self._regions: list[NDArray[np.integer]] = []
        self._n_regions = 0

    def add(self, background: Floats, defect: Floats, regions: NDArray[np.integer]) -> None:
        """Add one image: its background, its defect pixels, and the region each belongs to."""
        stop = self._used + background.size
        self._buffer[self._used : stop] = background
        self._used = stop
        if defect.size:
            self._defect.append(defect)
            self._regions.append(regions + self._n_regions)
            self._n_regions += int(regions.max()) + 1

    def ranked(self, aupro_limit: float) -> Ranked:
        """Return AUROC, average precision and AUPRO; nothing can be added afterwards."""
        defect = np.concatenate([np.empty(0, np.float32), *self._defect])
        regions = np.concatenate([np.empty(0, np.int32), *self._regions])
        background = self._buffer[: self._used]
        ranking = rank_pixels(background, defect, regions, aupro_limit)
        # Ranking has sorted the background, but only where there is something to rank.
        of_background = levels_of_sorted(background) if defect.size else levels_of(background)
        return Ranked(ranking, "exact", {}, of_background, levels_of_sorted(np.sort(defect)))


class BinnedScores:
    """Counts scores in a histogram of fixed size."""

    def __init__(self) -> None:
        self._histogram = ScoreHistogram()

    def add(self, background: Floats, defect: Floats, regions: NDArray[np.integer]) -> None:
        """Add one image: its background, its defect pixels, and the region each belongs to."""
        self._histogram.add_background(background)
        self._histogram.add_defect(defect, regions)

    def ranked(self, aupro_limit: float) -> Ranked:
        """Return AUROC, average precision and AUPRO; nothing can be added afterwards."""
        ranking, error = self._histogram.ranking(aupro_limit)
        bounds = {
            "pixel_auroc": error.auroc,
            "pixel_average_precision": error.average_precision,
            "aupro": error.aupro,
        }
        known = {k: v for k, v in bounds.items() if v is not None}
        return Ranked(ranking, "binned", known, *self._histogram.levels())
