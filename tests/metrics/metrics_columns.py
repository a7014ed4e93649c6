"""Outcomes written image by image, for the tests of this folder."""

from __future__ import annotations

import numpy as np

from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.metrics.counts import count_scores
from pytest_robustbench.metrics.measured import value_of
from pytest_robustbench.metrics.outcomes import COUNTS, Outcomes


def counted(counts, labels):
    """Outcomes of images with these labels; counts are ``None`` where the mask is unknown."""
    rows = [[np.nan] * 4 if c is None else [getattr(c, n) for n in COUNTS] for c in counts]
    columns = np.array(rows, np.float64).reshape(len(rows), 4).T
    return Outcomes(np.array(labels, np.int64), np.zeros(len(rows)), *columns, 0.0, 0.5)


def scored(scores, labels, threshold):
    """Outcomes of images with these scores, without maps."""
    nothing = np.full(len(labels), np.nan)
    scores = np.asarray(scores, np.float32).astype(np.float64)
    return Outcomes(np.array(labels, np.int64), scores, *[nothing] * 4, threshold)


def decided(tp=0, fp=0, fn=0, tn=0):
    """So many images of each label and decision."""
    labels = [1] * tp + [0] * fp + [1] * fn + [0] * tn
    return scored([1] * (tp + fp) + [0] * (fn + tn), labels, 0.5)


def value(metric, outcomes):
    """The value of a metric by name; ``None`` where it is not defined."""
    return value_of(metric_called(metric), outcomes)


def count_pixels(anomaly_map, mask, threshold, ignored=None):
    """Count the pixels of one image as its background and its defect."""
    kept = np.ones_like(mask) if ignored is None else ~ignored
    background, defect = anomaly_map[~mask & kept], anomaly_map[mask & kept]
    return count_scores(background, defect, threshold)
