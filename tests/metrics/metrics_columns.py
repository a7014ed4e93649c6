"""Columns of counts, written image by image, for the tests of this folder."""

from __future__ import annotations

import numpy as np

from pytest_robustbench.metrics.counts import CountColumns, PixelCounts, count_scores

PARTS = ("tp", "fp", "fn", "tn")


def count_columns(counts, labels):
    """Columns of images with these labels; counts are ``None`` where the mask is unknown."""
    rows = [c or PixelCounts(0, 0, 0, 0) for c in counts]
    return CountColumns(
        *(np.array([getattr(row, name) for row in rows], np.int64) for name in PARTS),
        defective=np.array(labels, np.int64) == 1,
        known=np.array([c is not None for c in counts], np.bool_),
    )


def count_pixels(anomaly_map, mask, threshold, ignored=None):
    """Count the pixels of one image as its background and its defect."""
    counted = np.ones_like(mask) if ignored is None else ~ignored
    background, defect = anomaly_map[~mask & counted], anomaly_map[mask & counted]
    return count_scores(background, defect, threshold)
