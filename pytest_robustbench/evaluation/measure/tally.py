"""One condition's counts and scores, collected image by image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.counts import PixelCounts, count_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Mask
    from pytest_robustbench.evaluation.measure.defects import DefectPixels
    from pytest_robustbench.evaluation.measure.pixel_scores import PixelScores


@dataclass(frozen=True)
class PixelMeasurement:
    """What the pixels of one image contribute: counts at the thresholds, and scores for ranking."""

    counts: PixelCounts
    recounts: tuple[PixelCounts, ...]
    background: Floats
    defect: Floats
    regions: NDArray[np.integer]


@dataclass(frozen=True)
class ImageMeasurement:
    """What one image contributes; no pixels where the map or the mask is unknown.

    It is erased where the corruption has left nothing of its defect to be seen.
    """

    score: float
    digest: str
    has_map: bool
    pixels: PixelMeasurement | None
    erased: bool = False


def measure_pixels(
    anomaly_map: Floats,
    mask: Mask,
    ignored: Mask | None,
    threshold: float,
    where: DefectPixels,
    *,
    others: Sequence[float] = (),
) -> PixelMeasurement:
    """Count and gather the pixels of one image.

    Parameters
    ----------
    anomaly_map : (H, W) float32
        At mask resolution.
    mask : (H, W) bool
        True = defect.
    ignored : (H, W) bool, optional
        Pixels that count nowhere.
    threshold : float
        The frozen pixel threshold.
    where : DefectPixels
        Of the same mask and ignored pixels.
    others : sequence of float
        Thresholds that other calibrations would have given.
    """
    defect = anomaly_map.ravel()[where.indices]
    background = _background(anomaly_map, mask, ignored, where)
    counts = count_scores(background, defect, threshold)
    recounts = tuple(count_scores(background, defect, other) for other in others)
    return PixelMeasurement(counts, recounts, background, defect, where.regions)


def _background(
    anomaly_map: Floats, mask: Mask, ignored: Mask | None, where: DefectPixels
) -> Floats:
    if ignored is not None:
        return anomaly_map[~(mask | ignored)]
    # Most images of a test set show no defect: nothing to pick out, nothing to copy.
    return anomaly_map[~mask] if where.n_regions else anomaly_map.ravel()


class Tally:
    """Accumulates the measurements of one condition.

    Parameters
    ----------
    n : int
        Number of test samples.
    others : tuple of float
        Pixel thresholds that other calibrations would have given.
    scores : PixelScores
        Takes the pixel scores.
    """

    def __init__(self, n: int, others: tuple[float, ...], scores: PixelScores) -> None:
        self.measured = np.zeros(n, np.bool_)
        self.known = np.zeros(n, np.bool_)
        self.erased = np.zeros(n, np.bool_)
        self.score = np.full(n, np.nan, np.float32)
        self.counts = np.zeros((4, n), np.int64)
        self.others = others
        self.recounts = np.zeros((len(others), 4, n), np.int64)
        self.digests = [""] * n
        self.n_maps = 0
        self.scores = scores

    def counts_at(self, threshold: float | None) -> NDArray[np.int64]:
        """Return the counts ``tp fp fn tn`` at one of the `others`; zeros without a threshold."""
        if threshold is None:
            return np.zeros_like(self.counts)
        return np.asarray(self.recounts[self.others.index(threshold)])

    def add(self, index: int, measurement: ImageMeasurement) -> None:
        """Add the measurement of the test sample at `index`."""
        self.measured[index] = True
        self.erased[index] = measurement.erased
        self.score[index] = measurement.score
        self.digests[index] = measurement.digest
        self.n_maps += measurement.has_map
        if measurement.pixels is not None:
            self._add_pixels(index, measurement.pixels)

    def _add_pixels(self, index: int, pixels: PixelMeasurement) -> None:
        counts = pixels.counts
        self.known[index] = True
        self.counts[:, index] = counts.tp, counts.fp, counts.fn, counts.tn
        for row, again in zip(self.recounts, pixels.recounts, strict=True):
            row[:, index] = again.tp, again.fp, again.fn, again.tn
        self.scores.add(pixels.background, pixels.defect, pixels.regions)
