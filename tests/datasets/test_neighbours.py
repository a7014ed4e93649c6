"""A picture that is its neighbour's mask is no part; masks beside their images can be read."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.datasets.formats.recognition import recognised_format
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.errors import DatasetError
from tests.datasets.dataset_trees import (
    BESIDE,
    defect_mask,
    folder,
    manifest,
    write,
    write_manifest,
)

PARTS = ("train/good/0.png", "test/good/0.png")


def load(root, **options):
    return load_split("mvtec", root=root, **options)


@pytest.mark.parametrize(
    "mask",
    [
        *("0_mask.png", "0_GT.bmp", "0-label.png", "0.seg.png", "0_ground_truth.png", "0gt.png"),
        *("mask_0.png", "0_mask_2.png", "0_gt_mask.png", "0.tif", "0.jpg", "0_annotations.png"),
        *("mask0.png", "0_mask_crack.png", "0_crack_mask.png", "0(mask).png", "0.png.bmp"),
    ],
)
@pytest.mark.parametrize("part", ["train/good", "validation/good", "test/good", "test/crack"])
def test_a_mask_beside_its_image_is_no_part(images, part, mask):
    root = images(*PARTS, f"{part}/0.png", f"{part}/{mask}")
    with pytest.raises(DatasetError, match=r"1 of the pictures are masks, or copies, of others by"):
        load(root)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        *(("image_0", "mask_0"), ("0_image", "0_mask"), ("IMG0", "GT0"), ("0_rgb", "0_gt")),
        *(("image", "mask"), ("0-sat", "0-label"), ("img", "ground_truth")),
    ],
)
def test_an_image_may_be_called_so(images, image, mask):
    root = images(*PARTS, f"test/crack/{image}.png", f"test/crack/{mask}.png")
    with pytest.raises(DatasetError, match=rf"{mask}.png beside {image}.png"):
        load(root)


@pytest.mark.parametrize(
    "name",
    [
        "masks_png",
        "SegmentationClass",
        "gt",
        "Mask",
        "masks",
        "ground_truth",
        "labels",
        "crack_masks",
    ],
)
def test_a_folder_of_masks_is_no_folder_of_parts(images, name):
    root = images("good/0.png", "test_good/0.png", "bad/a/0.png", f"bad/{name}/0.png")
    with pytest.raises(
        DatasetError, match=rf"0\.png in a folder {name}'\)\. Declare .*mask_suffix: _mask"
    ):
        load_split("folder", root=root, test_dir="test_good", abnormal_dir="bad")


@pytest.mark.parametrize(
    "names",
    [
        ("test/unmasked/0.png", "test/crack/0.png", "test/crack/mask.png"),
        ("test/missing_label/0.png", "test/crack/a_gt.png", "test/crack/0.png"),
        ("test/label/0.png", "ground_truth/label/0_mask.png"),
        ("test/crack/part.1.png", "test/crack/part.2.png", "test/crack/label 3.png"),
        ("test/crack/0.png", "test/scratch/0.jpg", "test/crack/segment.png"),
        ("test/crack/label_1.png", "test/crack/label_2.png", "test/crack/image_3.png"),
        ("test/crack/rgb_0.png", "test/crack/gray_0.png", "test/crack/mask.png"),
    ],
)
def test_what_only_sounds_like_a_mask_stays(images, names):
    expected = sum("ground_truth" not in name for name in names)
    assert sum(sample.label for sample in load(images(*PARTS, *names)).test) == expected


@pytest.mark.parametrize("above", ["labels", "gt/masks"])
def test_folders_above_the_data_and_the_category_itself_are_only_names(images, above):
    root = images(*(f"{above}/label/{name}" for name in (*PARTS, "test/crack/0.png")))
    assert len(load(root / above, category="label").test) == 2
    assert len(load(root / above / "label").test) == 2


def test_parts_may_be_labels(images):
    root = images(*(f"labels/{name}/0.png" for name in ("good", "test_good", "bad")))
    split = load_split("folder", root=root, test_dir="labels/test_good", abnormal_dir="labels/bad")
    assert len(split.test) == 2


def test_calibration_images_from_elsewhere_say_nothing_about_the_others(tmp_path):
    parts = tuple(Sample(str(i), 0, tmp_path / f"data/masks/good/{i}.png") for i in range(2))
    other = (Sample("other", 0, tmp_path / "held_out/0.png"),)
    Split("own", "masks", parts[:1], parts[1:], other)
    beside = Sample("mask", 0, tmp_path / "held_out/0_mask.png")
    with pytest.raises(DatasetError, match="1 of the pictures are masks"):
        Split("own", "masks", parts[:1], parts[1:], (*other, beside))


def test_a_manifest_is_held_to_the_same(tmp_path):
    tree = manifest(tmp_path)
    records = [
        {"image_path": path, "split": "train"} for path in sorted(tree.train_folder.iterdir())
    ]
    tested = [{"image_path": tree.bad, "split": "test", "label": 1}]
    tested.append({"image_path": tree.mask, "split": "test", "label": 1})
    listing = write_manifest(tmp_path / "parts.jsonl", *records, *tested)
    load_split("manifest", manifest=listing)
    moved = tree.mask.rename(tree.bad.with_name(f"{tree.bad.stem}_mask.png"))
    tested[1]["image_path"] = moved
    with pytest.raises(DatasetError, match="mask_path in a manifest"):
        load_split("manifest", manifest=write_manifest(listing, *records, *tested))


def test_so_are_splits_made_by_hand(tmp_path):
    parts = [Sample(str(i), 1, tmp_path / f"rgb/{i}.png") for i in range(2)]
    masks = [Sample(f"m{i}", 1, tmp_path / f"gt/{i}.png") for i in range(2)]
    Split("own", "nut", (), tuple(parts))
    with pytest.raises(DatasetError, match="2 of the pictures are masks"):
        Split("own", "nut", (), (*parts, *masks))


@pytest.mark.parametrize("layout", BESIDE)
def test_masks_beside_images_are_read_and_recognised(tmp_path, layout):
    tree = BESIDE[layout](tmp_path)
    split = load_split(tree.format, **tree.options)
    defects = [sample for sample in split.test if sample.label]
    assert len(defects) == 2
    for sample in defects:
        np.testing.assert_array_equal(read_picture(sample).mask, defect_mask() > 0)
    found = recognised_format(tree.root)
    assert found.format == tree.format
    assert found.options.get("mask_suffix") == tree.options.get("mask_suffix")


def test_a_mask_beside_a_normal_image_is_held_against_its_label(tmp_path):
    tree = BESIDE["mvtec"](tmp_path)
    write(tree.train_folder / "000_mask.png", defect_mask())
    (sample, *_) = load_split(tree.format, **tree.options).train
    with pytest.raises(DatasetError, match="marks defect pixels, but the image is labelled normal"):
        read_picture(sample)


@pytest.mark.parametrize("suffix", ["_msk", "", " "])
def test_a_suffix_that_no_mask_has_is_refused(images, suffix):
    root = images(*PARTS, "test/crack/0.png", "test/crack/0_mask.png")
    with pytest.raises(DatasetError, match=r"no mask below .* has a name that ends in"):
        load(root, mask_suffix=suffix)


def test_a_suffix_may_name_the_file_as_well(images):
    root = images(*PARTS, "test/crack/0.jpg", "test/crack/0_MASK.png", "test/crack/1_mask.jpg")
    (sample,) = [s for s in load(root, mask_suffix="_mask.png").test if s.id == "test/crack/0"]
    assert sample.mask.name == "0_MASK.png"


def test_two_places_of_masks_are_one_too_many(tmp_path):
    tree = folder(tmp_path)
    write(tree.bad.with_name("000_gt.png"), defect_mask())
    with pytest.raises(DatasetError, match="mask_dir or mask_suffix, not both"):
        load_split(tree.format, **tree.options, mask_suffix="_gt")


@pytest.mark.parametrize(
    "place",
    [
        *("@eaDir", "__MACOSX", ".thumbnails", "@eaDir/0.png", "#recycle", "$RECYCLE.BIN"),
        *(".AppleDouble", "thumbnails"),
    ],
)
@pytest.mark.parametrize("part", ["train/good", "test", "test/good", "test/crack", "ground_truth"])
def test_what_systems_and_viewers_leave_is_skipped(images, part, place):
    mask = "ground_truth/crack/0_mask.png"
    root = images(*PARTS, "test/crack/0.png", mask, f"{part}/{place}/0.png", f"{part}/._9.png")
    split = load(root)
    assert (len(split.train), len(split.test), split.notes) == (1, 2, ())
