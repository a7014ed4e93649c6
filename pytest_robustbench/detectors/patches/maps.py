"""Anomalies of patches as a map of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_robustbench.arrays import Floats


def anomaly_map(anomalies: Tensor, size: int, smoothing: float) -> Floats:
    """Enlarge a square grid of anomalies bilinearly and smooth it.

    Parameters
    ----------
    anomalies : Tensor of shape (h * h,), float32
        One value per patch, row by row.
    size : int
        Side of the map, in pixels.
    smoothing : float
        Standard deviation of the Gaussian, in pixels of the map; 0 for none.

    Returns
    -------
    ndarray of shape (size, size), float32
    """
    cv2 = opencv.load()
    side = round(len(anomalies) ** 0.5)
    grid = anomalies.reshape(side, side).cpu().numpy()
    enlarged: Floats = cv2.resize(grid, (size, size), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(enlarged, (0, 0), smoothing) if smoothing else enlarged
