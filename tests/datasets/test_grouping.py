"""Images of one part, told from their names."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.datasets.grouping import grouped, named_parts
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.errors import DatasetError
from tests.datasets.dataset_trees import picture, write

PIXELS = np.zeros((4, 4), np.uint8)


def split_of(train, test):
    made = [
        [Sample(name, int("bad" in name), PIXELS, PIXELS) for name in names]
        for names in (train, test)
    ]
    return Split("here", "", tuple(made[0]), tuple(made[1]))


SPLIT = split_of(
    ["train/good/p1_0", "train/good/p1_1", "train/good/p2_0"],
    ["test/good/p3_0", "test/bad/p2_7", "test/bad/p4_0"],
)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        (r"p\d+", ["p3", "p2", "p4"]),
        (r"/p(\d+)_", ["3", "2", "4"]),
        (r"bad/(p\d)|good/(p\d)", ["p3", "p2", "p4"]),
    ],
)
def test_the_first_group_that_matches_names_the_part(pattern, parts):
    assert [sample.group for sample in grouped(SPLIT, pattern).test] == parts


def test_without_a_pattern_nothing_changes():
    assert grouped(SPLIT, None) is SPLIT


def test_notes_count_the_parts_and_name_those_on_both_sides():
    notes = grouped(SPLIT, r"p\d+").notes
    assert "counted by part: 3 train images of 2 parts, 3 test images of 3 parts" in notes
    shared = "parts with test images and train or calibration images: 1 ('p2')"
    assert any(shared in note for note in notes)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"p[34]", r"finds no part in 4 of 6 images|finds no part in 3 of 3 images"),
        (r"x*", "finds no part in 3 of 3 images"),
        (r"(q)?p", "finds no part"),
        (r"p", "finds one part, 'p', in all images"),
        (r"(p", "is no regular expression"),
    ],
)
def test_a_pattern_that_tells_no_parts_is_refused(pattern, message):
    with pytest.raises(DatasetError, match=message):
        grouped(SPLIT, pattern)


def test_names_of_calibration_images_are_searched_alike():
    (sample,) = named_parts([Sample("calibration/p9_1", 0, PIXELS)], r"p\d")
    assert sample.group == "p9"


def test_every_format_takes_it(tmp_path):
    for name in ("train/good/p1_0", "test/good/p2_0", "test/good/p2_1", "test/cut/p3_0"):
        write(tmp_path / "bolt" / f"{name}.png", picture(len(name)))
    split = load_split("mvtec", root=tmp_path, category="bolt", group=r"(p\d)_")
    assert [sample.group for sample in split.test].count("p2") == 2
    with pytest.raises(DatasetError, match="is a regular expression"):
        load_split("mvtec", root=tmp_path, category="bolt", group="(p")
