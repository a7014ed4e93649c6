"""A detector that is already fitted: never fitted, and calibrated only on what it has not seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from evaluation_parts import Contrast, benchmark, normal, picture, split

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.images import image_folder
from pytest_robustbench.errors import CalibrationError, DetectorError
from pytest_robustbench.evaluation.operating_point import OperatingPoint


class Fitted(Contrast):
    """A model file: fitting it again is a mistake."""

    def __init__(self):
        super().__init__()
        self.mean = 127.5

    def fit(self, images):
        raise AssertionError(f"fitted again, on {len(images)} images")


UNSEEN = tuple(normal(f"calibration/{i:03d}", 500 + i) for i in range(25))


def test_it_is_calibrated_on_unseen_images_and_never_fitted():
    subject = benchmark(split(calibration=UNSEEN), Fitted(), fitted=True)

    result = subject.evaluate(CLEAN)

    assert subject.prepare().n_images == 25
    assert result.metrics["auroc"] == 1.0
    assert subject.header().detector["fitted"] is True


def test_without_unseen_images_it_is_refused():
    with pytest.raises(CalibrationError) as raised:
        benchmark(detector=Fitted(), fitted=True).prepare()

    message = str(raised.value)
    assert "already fitted" in message
    assert "calibration.images" in message
    assert "operating_point" in message


def test_an_operating_point_is_enough():
    point = OperatingPoint(pixel_threshold=12.5, image_threshold=20.0)

    result = benchmark(detector=Fitted(), fitted=True, operating_point=point).evaluate(CLEAN)

    assert result.pixel_threshold == 12.5
    assert result.metrics["pixel_segf1"] > 0


def test_train_images_under_other_names_are_found(tmp_path):
    """Copies with other names, in another format, among unseen images."""
    for i in range(6):
        cv2.imwrite(str(tmp_path / f"new_{i}.bmp"), picture(2 if i == 4 else 900 + i))
    own = image_folder(tmp_path, "calibration")

    with pytest.raises(CalibrationError) as raised:
        benchmark(split(calibration=own), Fitted(), fitted=True).prepare()

    message = str(raised.value)
    assert "1 calibration image(s) are also train images" in message
    assert "calibration/new_4 is train/good/002" in message
    assert "the detector has seen it" in message


def test_it_does_not_matter_that_images_are_resized():
    copies = (*UNSEEN, rb.Sample("calibration/copy", 0, picture(3)))

    with pytest.raises(CalibrationError, match="calibration/copy is train/good/003"):
        benchmark(split(calibration=copies, resize=(16, 16)), Fitted(), fitted=True).prepare()


def test_test_images_are_no_calibration_images():
    copies = (*UNSEEN, rb.Sample("calibration/copy", 0, picture(10_001)))

    with pytest.raises(CalibrationError, match=r"copy is test/good/001.*must stay unseen"):
        benchmark(split(calibration=copies), Fitted(), fitted=True).prepare()


def test_a_detector_fitted_here_must_not_see_its_calibration_images_either():
    copies = (*UNSEEN, rb.Sample("calibration/copy", 0, picture(3)))

    with pytest.raises(CalibrationError, match="calibration/copy is train/good/003"):
        benchmark(split(calibration=copies)).prepare()


def test_a_callable_has_to_be_declared_fitted():
    def model(images):
        maps = [cv2.blur(image[:, :, 0].astype(np.float32), (3, 3)) for image in images]
        return [m.mean() for m in maps], maps

    with pytest.raises(DetectorError, match="'model' cannot be fitted here: declare fitted: true"):
        benchmark(detector=model).prepare()
    parts = split(calibration=UNSEEN)
    fitted = benchmark(parts, model, fitted=True, calibration={"pixel_normal_quantile": 0.9})
    assert fitted.evaluate(CLEAN).metrics["auroc"] == 1.0
