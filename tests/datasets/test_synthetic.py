from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.synthetic.load import SyntheticPart
from pytest_robustbench.datasets.synthetic.surfaces import SURFACES
from pytest_robustbench.errors import DatasetError
from tests.synthetic_tree import write_mvtec_tree

SMALL = {"n_train": 2, "n_test_good": 1, "n_defect": 3, "size": 96}
KINDS = ("dent", "scratch", "stain")


def digests(samples):
    return {sample.id: read_picture(sample).digest for sample in samples}


def test_defects_take_turns():
    split = load_split("synthetic", n_train=4, n_test_good=2, n_defect=7)
    assert len(split.train) == 4
    assert Counter(s.defect_type for s in split.test) == {
        "good": 2,
        "dent": 3,
        "scratch": 2,
        "stain": 2,
    }
    assert split.unknown_masks == 0


@pytest.mark.parametrize("category", SURFACES)
def test_a_defect_changes_its_mask_and_nothing_else(category):
    for kind in KINDS:
        part = SyntheticPart(category, f"test/{kind}/000", 128, 0)
        image, mask = part.image(), part.mask()
        clean = undamaged(part)
        changed = (image != clean).any(axis=2)
        assert not (changed & ~mask).any()
        assert changed[mask].mean() > 0.7
        assert 0.001 < mask.mean() < 0.15


def undamaged(part):
    """The same part, photographed the same way, before it was damaged."""

    class Undamaged(SyntheticPart):
        @property
        def defect_type(self):
            return "good"

    return Undamaged(part.category, part.id, part.size, part.seed).image()


@pytest.mark.parametrize("category", SURFACES)
def test_normal_images_vary_a_little(category):
    images = [SyntheticPart(category, f"train/good/{i:03d}", 96, 0).image() for i in range(6)]
    means = np.array([image.mean() for image in images])
    assert images[0].shape == (96, 96, 3)
    assert images[0].dtype == np.uint8
    assert np.ptp(means) < 25
    assert min(np.abs(images[0].astype(int) - other).mean() for other in images[1:]) > 3
    assert all(40 < mean < 210 for mean in means)


def test_images_do_not_depend_on_how_many_are_drawn():
    few = digests(load_split("synthetic", **SMALL).test)
    more = digests(load_split("synthetic", **{**SMALL, "n_defect": 5, "n_train": 9}).test[::-1])
    assert few.items() <= more.items()
    assert digests(load_split("synthetic", seed=1, **SMALL).test) != few


@pytest.mark.parametrize("category", SURFACES)
def test_the_tree_on_disk_is_the_split_in_memory(tmp_path, category):
    folder = write_mvtec_tree(tmp_path, category=category, **SMALL)
    assert folder == tmp_path / category
    drawn = load_split("synthetic", category=category, **SMALL)
    stored = load_split("mvtec", root=tmp_path, category=category)
    assert digests(stored.train) == digests(drawn.train)
    assert digests(stored.test) == digests(drawn.test)
    assert stored.notes == ()


def test_any_size_can_be_drawn():
    for size in (32, 57, 300):
        for kind in KINDS:
            part = SyntheticPart("granite", f"test/{kind}/000", size, 0)
            assert part.image().shape == (size, size, 3)
            assert replace(part, seed=7).mask().any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"category": "granit"}, "no synthetic category 'granit'; did you mean 'granite'"),
        ({"n_defect": -1}, "n_defect is at least 0, not -1"),
        ({"n_train": 2**31}, "n_train is at most 100000, not 2147483648"),
        ({"size": 10**9}, "size is at most 32767, not 1000000000"),
        ({"size": 8}, "size is at least 32 pixels, not 8"),
        ({"n_test_good": 0, "n_defect": 0}, "there are no test images"),
    ],
)
def test_impossible_sets_are_refused(options, message):
    with pytest.raises(DatasetError, match=message):
        load_split("synthetic", **options)
