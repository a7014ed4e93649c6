"""The frozen thresholds: given, written, read again, and refused when they cannot be trusted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import CalibrationError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from tests.evaluation.evaluation_parts import Contrast, benchmark


@pytest.fixture(scope="module")
def calibrated():
    subject = benchmark()
    subject.prepare()
    return subject


def test_calibrated_point_survives_json(calibrated):
    point = calibrated.prepare()

    plain = json.loads(json.dumps(point.to_dict(), allow_nan=False))

    assert OperatingPoint.from_dict(plain) == point
    assert OperatingPoint.from_dict(plain).redrawn == point.redrawn != ()
    assert plain["interval"] == list(point.interval)
    assert plain["health"]["n_images"] == 6


def test_point_of_a_report_gives_the_same_numbers(calibrated, tmp_path):
    path = tmp_path / "texture.json"
    calibrated.run().write(path)

    read = OperatingPoint.read(path)

    assert read == replace(calibrated.prepare(), method="given", warnings=())
    assert read.redrawn == ()
    assert read.digest == calibrated.prepare().digest
    again = benchmark(operating_point=read).evaluate(CLEAN)
    expected = calibrated.evaluate(CLEAN)
    assert again.metrics["pixel_segf1"] == expected.metrics["pixel_segf1"]
    assert again.per_image.fp.tolist() == expected.per_image.fp.tolist()


def test_a_point_that_is_handed_over_is_as_frozen_as_one_that_is_read(calibrated):
    given = benchmark(operating_point=calibrated.prepare()).prepare()

    assert given.method == "given"
    assert given.redrawn == ()
    assert given.digest == calibrated.prepare().digest


def test_warnings_of_another_calibration_are_not_shown_as_those_of_this_run(tmp_path):
    point = OperatingPoint(1.0, 2.0, method="holdout", n_images=3, warnings=("3 images are few",))
    path = tmp_path / "point.json"
    path.write_text(json.dumps(point.to_dict()), encoding="utf-8")

    assert OperatingPoint.read(path).warnings == ()


def test_point_alone_in_a_file(tmp_path):
    path = tmp_path / "point.json"
    path.write_text('{"pixel_threshold": 0.42, "image_threshold": 0.7}', encoding="utf-8")

    point = OperatingPoint.read(path)

    assert point.method == "given"
    assert point.pixel_threshold == float(np.float32(0.42))
    assert point.image_threshold == float(np.float32(0.7))


@pytest.mark.parametrize("name", ["pixel_threshold", "image_threshold", "pixel_normal_quantile"])
def test_edited_point_is_refused(calibrated, tmp_path, name):
    plain = calibrated.prepare().to_dict()
    plain[name] += 0.0001
    path = tmp_path / "point.json"
    path.write_text(json.dumps(plain), encoding="utf-8")

    with pytest.raises(
        CalibrationError, match=r"point\.json: .* edited: its digest does not match"
    ):
        OperatingPoint.read(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "cannot read an operating point"),
        ("[1]", "cannot read an operating point"),
        ("{}", "no image_threshold"),
        ('{"operating_point": null}', "no image_threshold"),
        ('{"image_threshold": null}', "image_threshold must be a number"),
        ('{"image_threshold": "0.7"}', "image_threshold must be a number, not '0.7'"),
        ('{"image_threshold": true}', "image_threshold must be a number"),
        ('{"image_threshold": NaN}', "NaN is no standard JSON"),
        ('{"image_threshold": 1, "pixel_threshold": 1e60}', "pixel_threshold must be a finite"),
        ('{"image_threshold": 1e99}', "image_threshold must be a finite number"),
        ('{"image_threshold": 1, "health": {"n_images": 3}}', "health.n_tail_images: Field req"),
        ('{"image_threshold": 1, "n_images": "3"}', "n_images: .*, found 3"),
        ('{"image_threshold": 1, "warnings": [null]}', "warnings.0: .*, found None"),
        ('{"image_threshold": 1, "image_threshold": 2}', "'image_threshold' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"operating_point": ' * 150 + "1" + "}" * 150, "nested too deeply"),
    ],
)
def test_unusable_file_is_named(tmp_path, text, problem):
    path = tmp_path / "point.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CalibrationError, match=problem) as raised:
        OperatingPoint.read(path)

    assert "point.json" in str(raised.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CalibrationError, match=r"nowhere\.json"):
        OperatingPoint.read(tmp_path / "nowhere.json")


def test_given_point_is_used_as_it_is():
    point = OperatingPoint(pixel_threshold=12.5, image_threshold=20.0)
    detector = Contrast()

    subject = benchmark(detector=detector, operating_point=point)
    result = subject.evaluate(CLEAN)

    assert subject.prepare() == point
    assert result.pixel_threshold == 12.5
    assert result.image_threshold == 20.0
    assert len(detector.fits) == 1
    assert len(detector.fits[0]) == 24  # the part a holdout would fit on: the same detector again


def test_digest_names_thresholds_and_calibration_images(calibrated):
    point = calibrated.prepare()

    other_seed = benchmark(calibration={"seed": 1}).prepare()

    assert point.digest == benchmark().prepare().digest
    assert point.calibrated_on != other_seed.calibrated_on
    assert point.digest != other_seed.digest
