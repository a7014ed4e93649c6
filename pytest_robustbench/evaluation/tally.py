"""One condition's counts and scores, collected image by image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.counts import PixelCounts, count_pixels
from pytest_robustbench.metrics.regions import label_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Mask


@dataclass(frozen=True)
class DefectPixels:
    """Where the defect of one picture is.

    Parameters
    ----------
    indices : (D,) int64
        Flat indices of the defect pixels that count.
    regions : (D,) int64
        Which 8-connected region each belongs to, from 0 on.
    n_regions : int
        Number of regions.
    """

    indices: NDArray[np.int64]
    regions: NDArray[np.int64]
    n_regions: int

    @classmethod
    def of(cls, mask: Mask, ignored: Mask | None) -> DefectPixels:
        """Label the regions of a mask; ignored pixels belong to none."""
        labels, areas = label_regions(mask)
        if ignored is not None:
            labels = np.where(ignored, 0, labels)
        indices = np.flatnonzero(labels)
        return cls(indices, labels.ravel()[indices].astype(np.int64) - 1, len(areas))


@dataclass(frozen=True)
class PixelMeasurement:
    """What the pixels of one image contribute: counts at the threshold, and scores for ranking."""

    counts: PixelCounts
    background: Floats
    defect: Floats
    regions: NDArray[np.int64]
    n_regions: int


@dataclass(frozen=True)
class ImageMeasurement:
    """What one image contributes; no pixels where the map or the mask is unknown."""

    score: float
    digest: str
    has_map: bool
    pixels: PixelMeasurement | None


def measure_pixels(
    anomaly_map: Floats,
    mask: Mask,
    ignored: Mask | None,
    threshold: float,
    defect_pixels: DefectPixels,
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
    defect_pixels : DefectPixels
        Of the same mask and ignored pixels.
    """
    outside = mask if ignored is None else mask | ignored
    return PixelMeasurement(
        counts=count_pixels(anomaly_map, mask, threshold, ignored),
        background=anomaly_map[~outside],
        defect=anomaly_map.ravel()[defect_pixels.indices],
        regions=defect_pixels.regions,
        n_regions=defect_pixels.n_regions,
    )


class Tally:
    """Accumulates the measurements of one condition.

    Parameters
    ----------
    n : int
        Number of test samples.
    n_pixels : int
        Upper bound of the pixels that will be ranked.
    """

    def __init__(self, n: int, n_pixels: int) -> None:
        self.measured = np.zeros(n, np.bool_)
        self.known = np.zeros(n, np.bool_)
        self.score = np.full(n, np.nan, np.float32)
        self.counts = np.zeros((4, n), np.int64)
        self.digests = [""] * n
        self.n_regions = 0
        self.n_maps = 0
        self._background = np.empty(n_pixels, np.float32)
        self._n_background = 0
        self._defect: list[Floats] = []
        self._regions: list[NDArray[np.int64]] = []

    def add(self, index: int, measurement: ImageMeasurement) -> None:
        """Add the measurement of the test sample at `index`."""
        self.measured[index] = True
        self.score[index] = measurement.score
        self.digests[index] = measurement.digest
        self.n_maps += measurement.has_map
        if measurement.pixels is not None:
            self._add_pixels(index, measurement.pixels)

    def _add_pixels(self, index: int, pixels: PixelMeasurement) -> None:
        counts = pixels.counts
        self.known[index] = True
        self.counts[:, index] = counts.tp, counts.fp, counts.fn, counts.tn
        stop = self._n_background + len(pixels.background)
        self._background[self._n_background : stop] = pixels.background
        self._n_background = stop
        self._defect.append(pixels.defect)
        self._regions.append(pixels.regions + self.n_regions)
        self.n_regions += pixels.n_regions

    @property
    def background(self) -> Floats:
        """Scores of all background pixels; may be sorted in place."""
        return self._background[: self._n_background]

    @property
    def defect(self) -> Floats:
        """Scores of all defect pixels."""
        return np.concatenate([np.empty(0, np.float32), *self._defect])

    @property
    def regions(self) -> NDArray[np.int64]:
        """Region number of every defect pixel; regions of different images differ."""
        return np.concatenate([np.empty(0, np.int64), *self._regions])
