"""Pixels right and wrong at the frozen threshold, and every metric that follows from their counts.

The metrics read per-image columns only, so a stored report is enough to compute them again, over
all images or over a resample of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.ratios import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats


@dataclass(frozen=True)
class PixelCounts:
    """Numbers of pixels: defect found, background called defect, defect missed, background left."""

    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True)
class CountColumns:
    """Pixel counts of N images, one array per count.

    Parameters
    ----------
    tp, fp, fn, tn : ndarray of shape (N,), int64
        Counts of each image; not read where `known` is False.
    defective : ndarray of shape (N,), bool
        Whether the image is labelled defective.
    known : ndarray of shape (N,), bool
        Whether the mask is known. Normal images have a known, empty mask.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tn: NDArray[np.int64]
    defective: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> CountColumns:
        """Return the columns of the chosen images; indices may repeat, as in a bootstrap."""
        return CountColumns(
            self.tp[chosen],
            self.fp[chosen],
            self.fn[chosen],
            self.tn[chosen],
            self.defective[chosen],
            self.known[chosen],
        )


def count_scores(background: Floats, defect: Floats, threshold: float) -> PixelCounts:
    """Count the pixels of one image that are right and wrong at `threshold`.

    A pixel is called defect when ``score > threshold``, strictly, compared in float32.

    Parameters
    ----------
    background, defect : ndarray of shape (N,) and (P,), float32
        Scores of the pixels that count; higher is more anomalous.
    threshold : float
        The frozen pixel threshold.
    """
    limit = np.float32(threshold)
    fp = int(np.count_nonzero(background > limit))
    tp = int(np.count_nonzero(defect > limit))
    return PixelCounts(tp=tp, fp=fp, fn=defect.size - tp, tn=background.size - fp)


def pooled(columns: CountColumns) -> PixelCounts:
    """Return the sums over all images whose mask is known."""
    known = columns.known
    return PixelCounts(
        tp=int(columns.tp[known].sum()),
        fp=int(columns.fp[known].sum()),
        fn=int(columns.fn[known].sum()),
        tn=int(columns.tn[known].sum()),
    )


def segf1(tp: int, fp: int, fn: int) -> float | None:
    """Return ``2 TP / (2 TP + FP + FN)``; ``None`` where there is no defect pixel to be found."""
    return ratio(2 * tp, 2 * tp + fp + fn) if tp + fn else None


def trivial_segf1(tp: int, fp: int, fn: int, tn: int) -> float | None:
    """Return the SegF1 of calling every pixel defect; a SegF1 near it says nothing."""
    return segf1(tp + fn, fp + tn, 0)


def false_positive_rate(fp: int, tn: int) -> float | None:
    """Return ``FP / (FP + TN)``; ``None`` where there is no background pixel."""
    return ratio(fp, fp + tn)


def pixel_segf1(columns: CountColumns) -> float | None:
    """Return SegF1 pooled over all pixels of all images with a known mask.

    ``None`` where these hold no defect pixel.
    """
    total = pooled(columns)
    return segf1(total.tp, total.fp, total.fn)


def trivial_pixel_segf1(columns: CountColumns) -> float | None:
    """Return what `pixel_segf1` would be if every pixel were called defect."""
    total = pooled(columns)
    return trivial_segf1(total.tp, total.fp, total.fn, total.tn)


def pixel_segf1_per_image(columns: CountColumns) -> float | None:
    """Return the mean SegF1 of the defect images whose mask is known.

    A mask that holds no defect pixel (all of it ignored) leaves nothing to find: such an image has
    no SegF1 and is left out. ``None`` where no image remains.
    """
    shown = _with_defect_pixels(columns)
    return _mean(2 * shown.tp / (2 * shown.tp + shown.fp + shown.fn))


def trivial_segf1_per_image(columns: CountColumns) -> float | None:
    """Return what `pixel_segf1_per_image` would be if every pixel were called defect."""
    shown = _with_defect_pixels(columns)
    defect = shown.tp + shown.fn
    return _mean(2 * defect / (2 * defect + shown.fp + shown.tn))


def bg_fpr(columns: CountColumns) -> float | None:
    """Return the false positive rate over all pixels known to be background.

    These are all pixels of normal images and the background pixels of defect images with a mask.
    ``None`` where there is none.
    """
    total = pooled(columns)
    return false_positive_rate(total.fp, total.tn)


def normal_fpr(columns: CountColumns) -> float | None:
    """Return the false positive rate over the pixels of normal images; ``None`` without any."""
    return bg_fpr(columns.where(~columns.defective))


def _with_defect_pixels(columns: CountColumns) -> CountColumns:
    return columns.where(columns.known & columns.defective & (columns.tp + columns.fn > 0))


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None
