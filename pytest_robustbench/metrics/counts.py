"""Pixels of one image that are right and wrong at the frozen threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats


@dataclass(frozen=True)
class PixelCounts:
    """Numbers of pixels: defect found, background called defect, defect missed, background left."""

    tp: int
    fp: int
    fn: int
    tn: int


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
