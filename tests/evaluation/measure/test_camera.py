"""Where corruptions act: on the picture at its own size, before the resize, or after it."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from pytest_robustbench.conditions import Condition
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.datasets.split import Sample
from pytest_robustbench.evaluation.measure.scenes import Scenes
from pytest_robustbench.reports.file.schema import report_schema
from pytest_robustbench.reports.file.stored import read_stored
from tests.evaluation.evaluation_parts import Contrast, benchmark, blot, picture, split

LARGE, SMALL = (48, 80), (24, 32)


def checked(image, mask, severity, rng):
    """Black out every second row: a resize turns that into half of the light."""
    changed = image.copy()
    changed[::2] = 0
    return changed, mask


def moved(image, mask, severity, rng):
    ignored = np.zeros(image.shape[:2], bool)
    ignored[:8] = True
    shifted = None if mask is None else np.roll(mask, 8, axis=0) & ~ignored
    return np.roll(image, 8, axis=0), shifted, ignored


def defective(colour=False):
    image, mask = blot(picture(1, LARGE), np.s_[8:20, 10:30])
    if colour:
        image = np.ascontiguousarray(image * np.array([1, 0.9, 0.8])).astype(np.uint8)
    return Sample("a", 1, image if colour else image[:, :, 0], mask, "blot")


def under(corruption, sample, size=SMALL):
    scenes = Scenes([sample], PictureStore(size), {corruption.name: corruption}, 0)
    return scenes.under(Condition(corruption.name, 3), 0)


@pytest.mark.parametrize("colour", [True, False])
def test_it_acts_on_the_picture_as_the_camera_sees_it(colour):
    sample = defective(colour)
    source = sample.image if colour else np.repeat(sample.image[:, :, None], 3, axis=2)

    scene = under(Corruption("rows", checked), sample)

    changed, _ = checked(source, sample.mask, 3, None)
    np.testing.assert_array_equal(scene.corrupted.image, resize_image(changed, SMALL))
    assert scene.unmoved


def test_at_model_it_acts_on_what_the_model_is_given():
    sample = defective(colour=True)

    scene = under(Corruption("rows", checked, at="model"), sample)

    changed, _ = checked(resize_image(sample.image, SMALL), None, 3, None)
    np.testing.assert_array_equal(scene.corrupted.image, changed)


def test_without_a_resize_both_places_are_one():
    sample = defective(colour=True)
    here, there = (
        under(Corruption("rows", checked, at=place), sample, None) for place in ("camera", "model")
    )
    np.testing.assert_array_equal(here.corrupted.image, there.corrupted.image)


def test_a_mask_that_moves_is_resized_after_it_has_moved():
    sample = defective()

    scene = under(Corruption("moved", moved, moves_pixels=True), sample)

    _, mask, ignored = moved(np.zeros((*LARGE, 3), np.uint8), sample.mask, 3, None)
    np.testing.assert_array_equal(scene.corrupted.mask, resize_mask(mask, SMALL))
    np.testing.assert_array_equal(scene.corrupted.ignored, resize_mask(ignored, SMALL))
    assert not scene.unmoved


def test_gray_is_handed_on_as_one_plane_only_to_what_takes_it():
    shapes = []

    def seen(image, mask, severity, rng):
        shapes.append(image.shape)
        return image ^ 255, mask

    for takes_planes in (True, False):
        corruption = Corruption("seen", seen, takes_planes=takes_planes)
        assert under(corruption, defective()).corrupted.image.shape == (*SMALL, 3)

    assert shapes == [LARGE, (*LARGE, 3)]


def test_masks_that_nobody_knows_stay_unknown():
    sample = replace(defective(), mask=None)

    scene = under(Corruption("moved", moved, moves_pixels=True), sample)

    assert scene.corrupted.mask is None
    assert scene.corrupted.ignored is not None


def dimmed(image, mask, severity, rng):
    return (image * (1 - severity / 10)).astype(np.uint8), mask


DIM = Corruption("dim", dimmed, by_value=True, level="level {:g}".format)


def test_a_condition_by_value_stands_in_the_report_and_is_found_again(tmp_path):
    parts = split(size=LARGE, resize=SMALL)
    measured = benchmark(
        parts, Contrast(), corruptions=[DIM, Corruption("dark", dimmed)], severities=[0.5, 2]
    )

    report = measured.run()

    ids = ["clean", "dim", "dark-severity_0.5", "dark-severity_2"]
    assert list(report.records) == ids
    report.write(tmp_path / "report.json")
    stored = read_stored(tmp_path / "report.json")
    assert list(stored.records) == ids
    assert stored.records["dim"]["level"] == "level 3"
    assert stored.records["dark-severity_2"]["level"] == ""
    jsonschema.validate(report.to_dict(), report_schema())


def test_severities_between_the_steps_are_between_them():
    parts = split(size=LARGE, resize=SMALL)
    measured = benchmark(
        parts, Contrast(), corruptions=[Corruption("dark", dimmed)], severities=[1, 1.5, 2]
    )
    scores = [np.mean(record["per_image"]["score"]) for record in measured.run().records.values()]
    assert scores[1] < scores[2] < scores[3]


def painted(value):
    def paint(image, mask, severity, rng):
        return np.full_like(image, value), mask

    return paint


@pytest.mark.parametrize(
    ("function", "erased"),
    [
        (painted(255), True),  # saturated
        (painted(0), True),
        (painted(90), True),  # nothing stands out any more
        (dimmed, False),
    ],
)
def test_defects_of_which_nothing_is_left_are_counted(function, erased):
    parts = split(size=LARGE, resize=SMALL)
    corruption = Corruption("gone", function)

    report = benchmark(parts, Contrast(), corruptions=[corruption], severities=[3]).run()

    defects = [sample.id for sample in parts.test if sample.label]
    assert report.records["gone-severity_3"]["erased"] == (defects if erased else [])
    assert report.records["clean"]["erased"] == []
