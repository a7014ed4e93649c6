"""What is done to every anomaly map, in calibration and evaluation alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats


@dataclass(frozen=True)
class Postprocessing:
    """One path for every map: nothing in it depends on the other pixels' range.

    Scaling each map to its own minimum and maximum is no part of it: the same threshold would mean
    something else on every image.

    Parameters
    ----------
    gaussian_sigma : float
        Standard deviation of a Gaussian, in pixels at mask resolution; 0 for none.
    """

    gaussian_sigma: float = 0.0

    def __call__(self, anomaly_map: Floats) -> Floats:
        """Return the map, ``(H, W)`` float32, as it is compared with the threshold."""
        if self.gaussian_sigma == 0:
            return anomaly_map
        smoothed: Floats = opencv.load().GaussianBlur(anomaly_map, (0, 0), self.gaussian_sigma)
        return smoothed
