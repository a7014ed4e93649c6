"""The connected regions of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Mask


def label_regions(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the 8-connected defect regions of a mask, numbered.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
        True = defect.

    Returns
    -------
    labels : ndarray of shape (H, W), int32
        0 = background, 1 to R = region.
    areas : ndarray of shape (R,), int64
        Number of pixels of regions 1 to R.

    Raises
    ------
    RobustbenchError
        If OpenCV cannot be imported.
    """
    if not mask.any():  # most masks of a test set
        return np.zeros(mask.shape, np.int32), np.zeros(0, np.int64)
    cv2 = opencv.load()
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    return labels, statistics[1:, cv2.CC_STAT_AREA].astype(np.int64)
