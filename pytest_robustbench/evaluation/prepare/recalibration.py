"""What calibrating would have given, beside an operating point that is frozen in production."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.evaluation.prepare.calibration import CalibrationScores
from pytest_robustbench.evaluation.prepare.operating_point import Recalibration

if TYPE_CHECKING:
    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.evaluation.measure.prediction import ImagePrediction
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.settings import CalibrationSettings


class RecalibrationScores(CalibrationScores):
    """Calibrates, and counts what the frozen thresholds call anomalous on the same normal images.

    Parameters
    ----------
    images : Inventory
        Normal images that the detector has not seen.
    settings : CalibrationSettings
        The quantiles to calibrate with.
    frozen : OperatingPoint
        The thresholds in production.
    """

    def __init__(
        self, images: Inventory, settings: CalibrationSettings, frozen: OperatingPoint
    ) -> None:
        super().__init__(images, settings)
        self._frozen = frozen
        self._n_images = self._n_rejected = 0
        self._n_pixels = self._n_called = 0

    def add(self, index: int, prediction: ImagePrediction) -> None:
        """Add the prediction of the calibration image at `index`, its map at mask resolution."""
        super().add(index, prediction)
        self._n_images += 1
        self._n_rejected += bool(
            np.float32(prediction.score) > np.float32(self._frozen.image_threshold)
        )
        if prediction.map is not None and self._frozen.pixel_threshold is not None:
            called = prediction.map > np.float32(self._frozen.pixel_threshold)
            self._n_pixels += called.size
            self._n_called += int(np.count_nonzero(called))

    def recalibration(self, method: str) -> Recalibration:
        """Derive both thresholds and hold the frozen ones against what they promised.

        Raises
        ------
        CalibrationError
            If the scores cannot carry a fixed threshold.
        """
        found = self.operating_point(method)
        return Recalibration(
            pixel_threshold=found.pixel_threshold,
            image_threshold=found.image_threshold,
            method=method,
            pixel_normal_quantile=found.pixel_normal_quantile,
            image_normal_quantile=found.image_normal_quantile,
            n_images=found.n_images,
            expected_false_reject_rate=found.expected_false_reject_rate,
            calibrated_on=found.calibrated_on,
            warnings=found.warnings,
            calibration_normal_fpr=_share(self._n_called, self._n_pixels),
            promised_normal_fpr=_beyond(
                self._frozen.pixel_normal_quantile, found.pixel_normal_quantile
            ),
            calibration_false_reject_rate=_share(self._n_rejected, self._n_images),
            promised_false_reject_rate=_beyond(
                self._frozen.image_normal_quantile, found.image_normal_quantile
            ),
        )


def _beyond(frozen: float | None, declared: float | None) -> float | None:
    """Return the share above a quantile: the frozen one's own where it is known."""
    quantile = declared if frozen is None else frozen
    return None if quantile is None else float(f"{1 - quantile:.12g}")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
