from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pytest

from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.errors import DatasetError, MissingDataError

CATEGORIES = [
    ("hazelnut_toy", 28, 6, {"colour": 17}, False),
    (
        "grid",
        25,
        3,
        {"bent": 3, "broken": 2, "glue": 2, "metal_contamination": 2, "thread": 2},
        True,
    ),
    (
        "magnetic_tile",
        120,
        40,
        {"blowhole": 16, "break": 16, "crack": 16, "fray": 16, "uneven": 16},
        True,
    ),
    ("kolektor", 36, 12, {"crack": 16}, True),
]


def ids(samples):
    return [sample.id for sample in samples]


@pytest.mark.parametrize("expected", CATEGORIES, ids=lambda expected: expected[0])
def test_real_categories(test_data, expected):
    category, train, good, defects, gray = expected
    split = load_split("mvtec", root=test_data / "mvtec_layout", category=category, resize=(64, 64))
    assert len(split.train) == train
    assert Counter(sample.defect_type for sample in split.test) == {"good": good, **defects}
    assert split.unknown_masks == 0
    assert split.notes == ()
    assert split.calibration == ()
    assert ids(split.test) == sorted(ids(split.test))
    store = PictureStore(split.resize)
    for sample in (*split.train[::10], *split.test[::5]):
        picture = store.load(sample)
        assert picture.image.shape == (64, 64, 3)
        assert picture.gray is gray
        assert picture.mask.any() == sample.label


def test_sizes_inside_a_real_category_may_differ(test_data):
    split = load_split("mvtec", root=test_data / "mvtec_layout" / "hazelnut_toy")
    shapes = Counter(read_picture(sample).image.shape for sample in split.train)
    assert shapes == {(512, 512, 3): 27, (522, 512, 3): 1}


def test_real_images_with_exif_are_upright(test_data):
    split = load_split("mvtec", root=test_data / "mvtec_layout", category="hazelnut_toy")
    for sample in split.test:
        picture = read_picture(sample)
        assert picture.image.shape[:2] == picture.mask.shape


def test_real_missing_masks_are_unknown_and_counted(test_data):
    split = load_split("mvtec", root=test_data / "mvtec_missing_masks", category="leather")
    unknown = [sample.id for sample in split.test if sample.mask_is_unknown]
    assert unknown == ["test/cut/008", "test/cut/009"]
    assert split.unknown_masks == 2
    assert split.notes == (
        "defect images without a mask: 2 ('test/cut/008', 'test/cut/009')",
        (
            "masks without an image: 2 "
            "('ground_truth/cut/010_mask.png', 'ground_truth/cut/011_mask.png')"
        ),
    )
    assert read_picture(split.test[2]).mask is None


def test_real_loco_masks_and_calibration_images_are_read(test_data):
    split = load_split("mvtec", root=test_data / "mvtec_loco", category="juice_bottle")
    assert ids(split.calibration) == [f"validation/good/00{i}" for i in range(4)]
    assert (len(split.train), len(split.test), split.unknown_masks) == (6, 6, 0)
    assert all(read_picture(sample).mask.any() for sample in split.test[:2])
    assert split.notes == (
        "the test part has no normal image: metrics that need both are not defined",
        "read as mvtec; this folder looks like mvtec_loco: say format: mvtec_loco",
    )


def test_a_tree_is_listed_in_order_with_its_masks(images):
    root = images(
        "nut/train/good/b.JPG",
        "nut/train/good/a.png",
        "nut/test/good/0.png",
        "nut/test/crack/1.tif",
        "nut/test/crack/0.jpeg",
        "nut/ground_truth/crack/0_mask.png",
        "nut/ground_truth/crack/1.bmp",
        "nut/validation/good/0.png",
    )
    split = load_split("mvtec", root=root, category="nut")
    assert (split.dataset, split.category, split.root) == ("mvtec", "nut", str(root))
    assert ids(split.train) == ["train/good/a", "train/good/b"]
    assert ids(split.test) == ["test/crack/0", "test/crack/1", "test/good/0"]
    assert [s.mask and s.mask.name for s in split.test] == ["0_mask.png", "1.bmp", None]
    assert ids(split.calibration) == ["validation/good/0"]
    assert split.notes == ()


def test_what_is_no_image_is_ignored(images):
    root = images("train/good/0.png", "test/good/0.png", "test/.hidden/0.png", "train/good/.0.png")
    (root / "train/good/Thumbs.db").write_bytes(b"x")
    (root / "readme.txt").write_text("x")
    (root / "test/license.txt").write_text("x")
    split = load_split("mvtec", root=root)
    assert ids((*split.train, *split.test)) == ["train/good/0", "test/good/0"]
    assert split.category == root.name


def test_the_mvtec_ad_2_layout_is_read(images):
    root = images(
        "can/train/good/000_regular.png",
        "can/validation/good/000_regular.png",
        "can/test_public/good/000_regular.png",
        "can/test_public/bad/000_regular.png",
        "can/test_public/ground_truth/bad/000_regular_mask.png",
    )
    split = load_split("mvtec_ad2", root=root, category="can")
    assert ids(split.test) == ["test_public/bad/000_regular", "test_public/good/000_regular"]
    assert split.unknown_masks == 0
    assert len(split.calibration) == 1


def test_loco_masks_of_one_image_are_united(images):
    masks = ("ground_truth/cut/000/000.png", "ground_truth/cut/000/001.png")
    split = load_split(
        "mvtec",
        root=images("train/good/0.png", "test/cut/000.png", "test/good/0.png", *masks),
    )
    assert split.notes == ()
    assert read_picture(split.test[0]).mask.all()


def test_ids_do_not_depend_on_how_accents_are_stored(images):
    decomposed = unicodedata.normalize("NFD", "größe 1")
    root = images(
        f"train/good/{decomposed}.png",
        "test/good/0.png",
        f"test/{decomposed}/{decomposed}.png",
        "ground_truth/größe 1/größe 1_mask.png",
    )
    split = load_split("mvtec", root=root)
    assert ids(split.train) == ["train/good/größe 1"]
    assert "test/größe 1/größe 1" in ids(split.test)
    assert split.unknown_masks == 0
    assert read_picture(split.train[0]).image.shape == (8, 6, 3)


def test_an_ambiguous_mask_is_an_error(images):
    root = images(
        "train/good/0.png",
        "test/cut/0.png",
        "ground_truth/cut/0_mask.png",
        "ground_truth/cut/0_mask.bmp",
    )
    with pytest.raises(DatasetError, match=r"'0' has more than one mask: .*0_mask\.bmp and .*png"):
        load_split("mvtec", root=root)


@pytest.mark.parametrize(
    ("names", "category", "message"),
    [
        (["nut/train/good/0.png"], "nut", r"test images: .*nut/test does not exist"),
        (
            ["nut/train/good/0.png", "nut/test/0.png"],
            "nut",
            "nut/test/0.png lies beside the folders",
        ),
        (["nut/train/0.png", "nut/test/good/0.png"], "nut", "train images: .*good does not exist"),
        (
            ["nut/train/good/x/0.png", "nut/test/good/0.png"],
            "nut",
            "subfolder .*good/x holds images",
        ),
        (["nut/train/good/0.png", "pin/train/good/0.png"], "nutt", "nut, pin; did you mean 'nut'"),
        (["nut/train/good/0.png"], None, "is no category .* Categories there: nut"),
        (["train/good/0.png"], "nut", "it is itself a category: leave `category` out"),
    ],
)
def test_a_tree_of_another_shape_is_explained(images, names, category, message):
    with pytest.raises(DatasetError, match=message) as caught:
        load_split("mvtec", root=images(*names), category=category)
    assert not isinstance(caught.value, MissingDataError)


def test_a_root_without_any_category_lacks_the_data(images):
    with pytest.raises(MissingDataError, match="No categories were found there"):
        load_split("mvtec", root=images("a/0.png"), category="nut")


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"root of the dataset: .*nowhere does not exist"):
        load_split("mvtec", root=tmp_path / "nowhere", category="nut")
    with pytest.raises(DatasetError, match=r"the mvtec format needs `root`"):
        load_split("mvtec", category="nut")


def test_listing_decodes_nothing(images):
    root = images("train/good/0.png", "test/good/0.png")
    (root / "train/good/0.png").write_bytes(b"broken")
    assert np.shape(load_split("mvtec", root=root).train) == (1,)
