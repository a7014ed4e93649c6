"""No image or mask is lost unseen, and none is labelled by a folder that says the contrary."""

from __future__ import annotations

import pytest

from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.errors import DatasetError
from tests.datasets.dataset_trees import TREES, picture, write

TREE = ("train/good/0.png", "test/good/0.png", "test/crack/0.png", "ground_truth/crack/0_mask.png")


def load(tree):
    return load_split(tree.format, **tree.options)


@pytest.mark.parametrize("name", ["ok", "Good", "normal", "OK", "test_good"])
def test_normal_images_under_another_name_are_no_defects(images, name):
    root = images(*TREE, f"test/{name}/1.png")
    with pytest.raises(DatasetError, match=rf"test/{name} is called like normal .* rename it to"):
        load_split("mvtec", root=root)


@pytest.mark.parametrize("layout", ["mvtec", "mvtec_ad2", "mvtec_loco", "btad", "visa_pytorch"])
@pytest.mark.parametrize("part", ["train_folder", "good", "bad"])
def test_an_image_in_a_subfolder_is_named(tmp_path, layout, part):
    tree = TREES[layout](tmp_path)
    place = getattr(tree, part)
    folder = place if place.is_dir() else place.parent
    write(folder / ".hidden/0.png", picture(0))
    load(tree)
    write(folder / "day 2/deeper/0.png", picture(0))
    with pytest.raises(DatasetError, match=rf"{folder.name}/day 2 holds images \(1\)"):
        load(tree)


@pytest.mark.parametrize("layout", ["kolektor", "kolektor2"])
def test_an_image_in_a_subfolder_of_kolektor_is_named(tmp_path, layout):
    tree = TREES[layout](tmp_path)
    write(tree.bad.parent / "more/0.png", picture(0))
    with pytest.raises(DatasetError, match=r"more holds images \(1\)"):
        load(tree)


@pytest.mark.parametrize("end", [".", "..", "../good/a"])
def test_a_way_that_never_ends_is_refused(images, end):
    root = images("good/a/0.png", "test_good/0.png", "bad/a/0.png")
    (root / "good/a/more").symlink_to("../../bad", target_is_directory=True)
    for name in ("back", "again"):  # of two, a walk would double at every level
        (root / "bad" / name).symlink_to(end, target_is_directory=True)
    with pytest.raises(DatasetError, match=r"is a link to .*, which it lies in; take it out"):
        load_split("folder", root=root, normal_dir="good", test_dir="test_good")


def test_a_calibration_image_in_a_subfolder_is_named(images):
    root = images(*TREE, "validation/good/0.png", "validation/good/b/0.png")
    with pytest.raises(DatasetError, match=r"validation images: the subfolder .*good/b holds"):
        load_split("mvtec", root=root)


def test_an_image_that_no_folder_labels_is_named(images):
    with pytest.raises(DatasetError, match=r"test/1\.png lies beside the folders that label"):
        load_split("mvtec", root=images(*TREE, "test/1.png"))


def test_train_images_outside_good_are_counted(images):
    split = load_split("mvtec", root=images(*TREE, "train/1.png", "train/bad/0.png"))
    assert split.notes == (
        "images of these parts outside good left out: 2 ('train/1.png', 'train/bad/0.png')",
    )


def test_masks_beside_the_folders_of_types_are_counted(images):
    split = load_split("mvtec", root=images(*TREE, "ground_truth/1_mask.png"))
    assert split.notes == ("masks without an image: 1 ('ground_truth/1_mask.png')",)


@pytest.mark.parametrize(
    "place",
    [
        *("train/good/1.webp", "validation/good/1.GIF", "test/good/1.jp2", "test/crack/1.heic"),
        *("test/1.avif", "ground_truth/crack/1_mask.jfif"),
    ],
)
def test_images_of_a_format_that_is_not_read_are_counted(images, place):
    root = images(*TREE, "validation/good/0.png")
    (root / place).write_bytes(b"x")
    assert load_split("mvtec", root=root).notes == (
        f"image files of a format that is not read: 1 ({place!r}); convert them to png",
    )


@pytest.mark.parametrize("layout", ["folder", "kolektor", "kolektor2"])
def test_other_layouts_count_them_too(tmp_path, layout):
    tree = TREES[layout](tmp_path)
    before = load(tree).notes
    (tree.bad.parent / "9.webp").write_bytes(b"x")
    (note,) = [note for note in load(tree).notes if note not in before]
    assert note.startswith("image files of a format that is not read: 1 (")
    assert f"{tree.bad.parent.name}/9.webp" in note


def test_a_folder_of_nothing_else_is_explained(images):
    root = images(*TREE[1:])
    (root / "train/good").mkdir(parents=True)
    (root / "train/good/7.webp").write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"no image in .*; convert 7\.webp and its like to png"):
        load_split("mvtec", root=root)


def test_a_category_of_kolektor_that_is_no_folder_is_only_a_name(tmp_path):
    tree = TREES["kolektor2"](tmp_path / "ksdd2")
    split = load_split("kolektor", root=tree.root, category="commutators")
    assert split.notes == (
        f"category 'commutators' is no folder of {tree.root}: reports call the data so",
    )
    assert load_split("kolektor", root=tmp_path, category="ksdd2").notes == ()
    assert load_split("kolektor", root=tree.root, category="ksdd2").notes == ()
