from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.errors import DatasetError

GRAY = np.zeros((4, 5), np.uint8)


def normal(name: str) -> Sample:
    return Sample(name, 0, GRAY)


def defect(name: str) -> Sample:
    return Sample(name, 1, GRAY, defect_type="crack")


def test_a_sample_may_name_its_group():
    assert Sample("a", 0, GRAY).group is None
    assert Sample("a", 0, GRAY, group="part 7").group == "part 7"


def test_a_sample_is_shown_without_its_pixels():
    sample = Sample("test/crack/000", 1, GRAY, Path("masks") / "000.png", "crack")
    assert repr(sample) == (
        "Sample(id='test/crack/000', label=1, image=<array (4, 5) uint8>, "
        "mask='masks/000.png', defect_type='crack')"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 0, GRAY), "empty id"),
        (("a", 2, GRAY), "label is 0 .normal. or 1 .defect., not 2"),
        (("a", 0, "000.png"), "image is a pathlib.Path, an array or a function .* not str"),
        (("a", 0, None), "image is a pathlib.Path"),
        (("a", 1, GRAY, "mask.png"), "mask is a pathlib.Path"),
    ],
)
def test_an_impossible_sample_is_refused(arguments, message):
    with pytest.raises(DatasetError, match=message):
        Sample(*arguments)


def test_only_a_defect_image_can_have_an_unknown_mask():
    split = Split("d", "c", (), (normal("a"), defect("b"), Sample("e", 1, GRAY, GRAY)))
    assert [sample.mask_is_unknown for sample in split.test] == [False, True, False]
    assert split.unknown_masks == 1


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"test": ()}, "d/c: there are no test images"),
        ({"test": (normal("a"), defect("a"))}, "test has more than one sample named 'a'"),
        (
            {"train": (normal("a"), defect("b"))},
            "train holds only normal images .* 'b' is labelled",
        ),
        ({"calibration": (defect("x"), defect("y"))}, "calibration .* 'x', 'y' are labelled"),
        ({"resize": (0, 5)}, "resize is .* not \\(0, 5\\)"),
        ({"resize": (256,)}, "resize is"),
        ({"resize": 256}, "resize is"),
        ({"resize": (256.0, 256)}, "resize is"),
    ],
)
def test_an_impossible_split_is_refused(parts, message):
    with pytest.raises(DatasetError, match=message):
        Split(**{"dataset": "d", "category": "c", "train": (), "test": (normal("t"),), **parts})
