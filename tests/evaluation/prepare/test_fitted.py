"""A detector that is already fitted: never fitted, and calibrated only on what it has not seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.formats.images import image_folder
from pytest_robustbench.errors import CalibrationError, DatasetError, DetectorError
from pytest_robustbench.evaluation.prepare.division import folds, held_out
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.evaluation.settings import CalibrationSettings
from tests.evaluation.evaluation_parts import Contrast, benchmark, normal, picture, split


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


def copy_of(sample, name):
    return rb.Sample(name, sample.label, sample.image.copy())


@pytest.mark.parametrize(
    ("detector", "more"),
    [
        (Contrast, {}),
        (Contrast, {"calibration": {"method": "crossfit"}}),
        (Fitted, {"fitted": True}),
        (Fitted, {"fitted": True, "operating_point": OperatingPoint(12.5, 20.0)}),
    ],
    ids=["holdout", "crossfit", "fitted", "fitted with an operating point"],
)
def test_test_images_among_the_train_images_are_refused(detector, more):
    parts = split(calibration=UNSEEN if "fitted" in more else ())
    copies = [copy_of(parts.train[i], f"test/good/copy_{i}") for i in (3, 4)]
    parts = replace(parts, test=(*parts.test, *copies), resize=(16, 16))

    with pytest.raises(DatasetError, match="'test/good/copy_3 is train/good/003', 'test/good/copy"):
        benchmark(parts, detector(), **more).prepare()


def notes_about(words, subject):
    subject.prepare()
    return [note for note in subject.header().notes if words in note]


@pytest.mark.parametrize("method", ["holdout", "crossfit"])
def test_train_images_that_are_fitted_and_held_out_at_once_are_noted(method):
    settings = CalibrationSettings(method=method)
    parts = split(n_train=20)
    out = (held_out if method == "holdout" else lambda *a: folds(*a)[0])(
        [None] * 20, settings
    ).tolist()
    inside = [i for i in range(20) if i not in out]

    def with_copy(of, at):
        train = list(parts.train)
        train[at] = copy_of(train[of], "train/good/copy")
        return benchmark(replace(parts, train=tuple(train)), calibration={"method": method})

    (note,) = notes_about("are also", with_copy(inside[0], out[0]))
    assert "calibration image(s) are also fit images" in note
    assert "'train/good/copy'" in note
    # Both are unseen: nothing to warn of.
    assert not notes_about("are also", with_copy(out[1], out[0]))


def test_looking_for_copies_decodes_nothing_again():
    reads = []

    def source(pixels):
        def read():
            reads.append(1)
            return pixels

        return read

    parts = split(n_train=20)
    counted = tuple(replace(s, image=source(s.image)) for s in parts.train)
    subject = benchmark(replace(parts, train=counted))
    subject.prepare()

    assert len(reads) == 20


def test_train_images_that_nobody_needs_may_be_broken(tmp_path):
    parts = split()
    broken = replace(parts.train[3], image=tmp_path / "gone.png")
    parts = replace(parts, train=(*parts.train[:3], broken))
    point = OperatingPoint(12.5, 20.0)

    (note,) = notes_about(
        "train images", benchmark(parts, Fitted(), fitted=True, operating_point=point)
    )

    assert note.startswith("train images that are not compared with the others: 1 ")
    assert "train/good/003" in note
    copied = replace(parts, test=(*parts.test, copy_of(parts.train[0], "test/copy")))
    with pytest.raises(DatasetError, match="'test/copy is train/good/000'"):
        benchmark(copied, Fitted(), fitted=True, operating_point=point).prepare()


def test_a_callable_has_to_be_declared_fitted():
    def model(images):
        maps = [cv2.blur(image[:, :, 0].astype(np.float32), (3, 3)) for image in images]
        return [m.mean() for m in maps], maps

    with pytest.raises(DetectorError, match="'model' cannot be fitted here: declare fitted: true"):
        benchmark(detector=model).prepare()
    parts = split(calibration=UNSEEN)
    fitted = benchmark(parts, model, fitted=True, calibration={"pixel_normal_quantile": 0.9})
    assert fitted.evaluate(CLEAN).metrics["auroc"] == 1.0
