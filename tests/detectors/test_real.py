"""The default preset on real parts, at an image size of 256 x 256."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pytest_robustbench.detectors.loading import load_detector
from tests.detectors.detectors_pictures import RealSet, real_set


@dataclass(frozen=True)
class Measured:
    image_auroc: float
    pixel_auroc: float
    normal_fpr: float
    segf1: float


def measured(name: str, real: RealSet) -> Measured:
    detector = load_detector(name, device="cpu")
    detector.fit(real.fit)
    calibration = _at_mask_size(detector.predict(real.held_out).maps, real)
    prediction = detector.predict(real.test)
    maps = _at_mask_size(prediction.maps, real)
    called = maps > np.quantile(calibration, 0.999)
    return Measured(
        roc_auc_score(real.labels, prediction.scores),
        roc_auc_score(real.masks.ravel(), maps.ravel()),
        called[~real.labels].mean(),
        2 * (called & real.masks).sum() / (called.sum() + real.masks.sum()),
    )


def _at_mask_size(maps: np.ndarray, real: RealSet) -> np.ndarray:
    from pytest_robustbench.opencv import load

    size = real.masks.shape[:0:-1]
    return np.stack([load().resize(m, size, interpolation=load().INTER_LINEAR) for m in maps])


@pytest.fixture
def category(test_data: Path):
    return lambda name: real_set(test_data / "mvtec_layout" / name)


def test_patchcore_on_painted_nuts(category):
    result = measured("patchcore", category("hazelnut_toy"))
    assert result.image_auroc >= 0.97
    assert result.pixel_auroc >= 0.97
    assert result.segf1 >= 0.5
    assert result.normal_fpr <= 0.01


def test_patchcore_on_tiles_of_many_sizes(category):
    assert measured("patchcore", category("magnetic_tile")).image_auroc >= 0.93


def test_patchcore_on_a_texture_that_is_never_aligned(category):
    assert measured("patchcore", category("grid")).pixel_auroc >= 0.93


def test_pixel_gaussian_on_nuts_that_lie_in_one_place(category):
    result = measured("pixel_gaussian", category("hazelnut_toy"))
    assert result.image_auroc >= 0.95
    assert result.pixel_auroc >= 0.88
