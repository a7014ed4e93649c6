"""The detector without torch on real parts that always lie in one place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.opencv import load as load_opencv
from tests.detectors.detectors_pictures import real_set


def test_pixel_gaussian_on_nuts_that_lie_in_one_place(test_data: Path) -> None:
    real = real_set(test_data / "mvtec_layout" / "hazelnut_toy")
    detector = load_detector("pixel_gaussian")
    detector.fit(real.fit)

    prediction = detector.predict(real.test)

    size = real.masks.shape[:0:-1]
    maps = np.stack([load_opencv().resize(each, size) for each in prediction.maps])
    assert roc_auc_score(real.labels, prediction.scores) >= 0.95
    assert roc_auc_score(real.masks.ravel(), maps.ravel()) >= 0.88
