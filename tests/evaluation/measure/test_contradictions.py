"""One picture counts once, has one truth, and changes under a corruption."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.split import DEFECT, Sample
from pytest_robustbench.errors import DatasetError, NotMeasurableError
from tests.evaluation.evaluation_parts import Contrast, benchmark, blot, defect, picture, split

LED = rb.Condition("recorded", recorded="led")


def again(sample, name, **changes):
    """The same pixels, as another file would hold them."""
    return replace(sample, id=name, image=sample.image.copy(), **changes)


def with_test(*samples):
    parts = split()
    return replace(parts, test=(*parts.test, *samples))


def measured_as(place, samples):
    """Evaluate samples in the test part, or as a recorded set."""
    if place == "test":
        return lambda: benchmark(with_test(*samples), corruptions=[]).evaluate(CLEAN)
    own = [defect("led/a", 500), *samples]
    led = split(test=[*own, Sample("led/b", 0, picture(501))], train=())
    return lambda: benchmark(recorded={"led": led}, corruptions=[]).evaluate(LED)


@pytest.mark.parametrize("place", ["test", "recorded"])
def test_a_picture_with_two_labels_is_refused(place):
    bad = defect("crack/1", 400)
    good = again(bad, "good/1", label=0, mask=None)

    with pytest.raises(DatasetError, match="'crack/1', 'good/1' are one picture, labelled normal "):
        measured_as(place, [bad, good])()


@pytest.mark.parametrize("place", ["test", "recorded"])
def test_a_picture_with_two_masks_is_refused(place):
    bad = defect("crack/1", 400)
    _, elsewhere = blot(picture(400), np.s_[0:3, 0:3])
    other = again(bad, "crack/2", mask=elsewhere)

    with pytest.raises(DatasetError, match="'crack/1', 'crack/2' are one picture, with different"):
        measured_as(place, [bad, other])()


def test_a_defect_that_the_detector_was_fitted_on_is_refused():
    parts = split()
    shown = Sample("crack/1", DEFECT, parts.train[2].image.copy(), np.ones((24, 32), bool))

    with pytest.raises(DatasetError, match="'crack/1 is train/good/002'"):
        benchmark(replace(parts, test=(*parts.test, shown))).prepare()


def test_copies_of_a_picture_count_once():
    parts = split()
    copies = [again(parts.test[0], f"copy/{i}") for i in range(20)]
    subject = benchmark(replace(parts, test=(*parts.test, *copies)))

    report, alone = subject.run(), benchmark(parts).run()

    assert report.header.samples == alone.header.samples
    for condition, record in alone.records.items():
        assert report.records[condition]["per_image"] == record["per_image"]
    (note,) = (n for n in report.header.notes if "copies" in n)
    assert note.startswith("images that are copies of another one of this set, and not counted: 20")
    assert "'copy/0 is test/blot/000'" in note
    assert not any("copies" in n for n in alone.header.notes)


def test_of_copies_the_one_with_a_mask_is_kept():
    parts = split()
    unknown = again(parts.test[1], "a/first", mask=None)

    report = benchmark(replace(parts, test=(unknown, *parts.test)), corruptions=[]).run()

    assert "a/first" not in report.header.samples.id
    assert all(report.header.samples.mask_known)


def test_copies_in_a_recorded_set_count_once():
    twice = defect("led/x", 510)

    result = measured_as("recorded", [twice, again(twice, "led/y")])()

    assert result.samples.ids == ("led/a", "led/x", "led/b")
    assert any("'led/y is led/x'" in note for note in result.notes)


def test_a_corruption_that_changes_no_pixel_is_not_measurable():
    def idle(image, mask, severity, rng):
        return image.copy() if severity < 3 else image ^ 1, mask

    subject = benchmark(corruptions=[rb.Corruption("idle", idle)], severities=[1, 3])

    with pytest.raises(NotMeasurableError, match="idle-severity_1 changes no pixel of any test im"):
        subject.evaluate(rb.Condition("idle", 1))
    assert subject.evaluate(rb.Condition("idle", 3)).metrics["auroc"] is not None


def test_a_corruption_may_leave_some_pictures_as_they_are():
    def some(image, mask, severity, rng):
        return image ^ 1 if rng.random() < 0.5 else image, mask

    subject = benchmark(corruptions=[rb.Corruption("some", some)])

    assert subject.evaluate(rb.Condition("some", 2)).metrics["auroc"] is not None


def textured(name, seed):
    """A surface with a grain of its own that is larger than a pixel."""
    grain = cv2.GaussianBlur(picture(seed, (128, 96)), (0, 0), 2)
    return Sample(name, 0, cv2.normalize(grain, None, 40, 215, cv2.NORM_MINMAX))


def test_train_images_stored_again_are_noted_among_the_test_images():
    train = [textured(f"train/{i}", 700 + i) for i in range(12)]
    _, lossy = cv2.imencode(".jpg", train[4].image, [cv2.IMWRITE_JPEG_QUALITY, 75])
    one_pixel = train[5].image.copy()
    one_pixel[3, 3] ^= 255
    test = [
        Sample("test/lossy", 0, cv2.imdecode(lossy, cv2.IMREAD_COLOR)),
        Sample("test/pixel", 0, one_pixel),
        *(textured(f"test/fresh/{i}", 800 + i) for i in range(4)),
        defect("test/bad", 900, (128, 96)),
    ]
    subject = benchmark(split(train=train, test=test, size=(128, 96)), Contrast())

    subject.prepare()

    (note,) = (n for n in subject.header().notes if "near copies" in n)
    assert note.startswith("2 test image(s) are near copies of train or calibration images")
    assert "'test/lossy and train/4', 'test/pixel and train/5'" in note


@pytest.mark.parametrize("part", ["train", "calibration", "test"])
def test_a_part_of_another_bit_depth_is_told(part):
    deep = Sample("deep/0", 0, picture(700).astype(np.uint16) * 16)
    calibration = tuple(Sample(f"calibration/{i}", 0, picture(600 + i)) for i in range(25))
    parts = split(calibration=calibration)
    mixed = replace(parts, **{part: (*getattr(parts, part), deep)})

    (note,) = (n for n in benchmark(mixed).run().header.notes if "bit depth" in n)

    assert f"{part} 8 and 16 bits" in note
    assert not any("bit depth" in n for n in benchmark(parts).run().header.notes)


def test_a_recorded_set_of_another_bit_depth_is_told():
    deep = [Sample(f"led/{i}", 0, picture(700 + i).astype(np.uint16) * 16) for i in range(2)]

    record = benchmark(recorded={"led": split(test=deep, train=())}).run().records["recorded-led"]

    assert any("bit depth (test 8 bits, this set 16 bits)" in note for note in record["notes"])
