"""Anomaly maps at the resolution of the masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats


def resize_map(anomaly_map: Floats, shape: tuple[int, int]) -> Floats:
    """Resize a map to the mask's shape, bilinearly.

    Bilinear values never leave the range of their neighbours; cubic ones overshoot and would shift
    the quantile that the threshold is.

    Parameters
    ----------
    anomaly_map : ndarray of shape (h, w), float32
        Scores.
    shape : tuple of int
        Height and width wanted.

    Returns
    -------
    ndarray of shape `shape`, float32
        The array given, not a copy, where it has this shape already.

    Raises
    ------
    RobustbenchError
        If OpenCV cannot be imported.
    """
    anomaly_map = np.asarray(anomaly_map, dtype=np.float32)
    if anomaly_map.shape == tuple(shape):
        return anomaly_map
    cv2 = opencv.load()
    height, width = shape
    resized: Floats = cv2.resize(anomaly_map, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized
