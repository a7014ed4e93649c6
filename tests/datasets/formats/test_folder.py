from __future__ import annotations

import pytest

from pytest_robustbench.datasets.formats.images import image_folder
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.errors import DatasetError, MissingDataError

NORMALS = [f"ok/{i:02d}.png" for i in range(10)]


def ids(samples):
    return [sample.id for sample in samples]


def test_every_folder_has_its_part(images):
    root = images(
        "ok/0.png",
        "ok/day 2/0.png",
        "test_ok/0.png",
        "bad/0.png",
        "bad/crack/0.png",
        "bad/crack/1.png",
        "masks/0_mask.png",
        "masks/crack/0.png",
        "masks/crack/7_mask.png",
    )
    split = load_split(
        "folder",
        root=root,
        normal_dir="ok",
        test_dir="test_ok",
        abnormal_dir="bad",
        mask_dir="masks",
    )
    assert ids(split.train) == ["normal/0", "normal/day 2/0"]
    assert ids(split.test) == [
        "test/0",
        "abnormal/0",
        "abnormal/crack/0",
        "abnormal/crack/1",
    ]
    assert [s.defect_type for s in split.test] == ["good", "defect", "crack", "crack"]
    assert [s.mask and s.mask.name for s in split.test] == [None, "0_mask.png", "0.png", None]
    assert split.unknown_masks == 1
    assert split.notes == (
        "defect images without a mask: 1 ('abnormal/crack/1')",
        "masks without an image: 1 ('crack/7_mask.png')",
    )
    assert split.category == root.name


def test_plain_ok_and_nok_folders(images):
    root = images(*NORMALS, "nok/0.png")
    split = load_split(
        "folder", root=root, normal_dir="ok", abnormal_dir="nok", test_fraction=0.25, seed=3
    )
    held_out = [sample for sample in split.test if not sample.label]
    assert len(held_out) == 3
    assert len(split.train) == 7
    assert sorted(ids((*split.train, *held_out))) == [f"normal/{i:02d}" for i in range(10)]
    assert split.unknown_masks == 1


def test_the_held_out_share_depends_on_the_seed_alone(images):
    root = images(*NORMALS, "nok/0.png")

    def test_ids(seed):
        return ids(
            load_split(
                "folder",
                root=root,
                normal_dir="ok",
                abnormal_dir="nok",
                test_fraction=0.3,
                seed=seed,
            ).test
        )

    assert test_ids(0) == test_ids(0)
    assert len({tuple(test_ids(seed)) for seed in range(5)}) > 1


def test_a_fitted_detector_needs_no_train_images(images):
    split = load_split(
        "folder", root=images("ok/0.png", "nok/0.png"), test_dir="ok", abnormal_dir="nok"
    )
    assert split.train == ()
    assert len(split.test) == 2


def test_folders_may_be_absolute(images, monkeypatch, tmp_path):
    root = images("ok/0.png", "nok/0.png")
    split = load_split("folder", test_dir=str(root / "ok"), abnormal_dir=str(root / "nok"))
    assert len(split.test) == 2
    monkeypatch.chdir(root)
    assert len(load_split("folder", test_dir="ok").test) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normal_dir": "ok"}, "nothing to test is given"),
        ({"normal_dir": "ok", "test_dir": "ok"}, r"test_dir .* lies inside normal_dir"),
        ({"normal_dir": ".", "abnormal_dir": "nok"}, r"abnormal_dir .* lies inside normal_dir"),
        ({"abnormal_dir": "gone"}, "abnormal_dir: .*gone does not exist"),
        ({"abnormal_dir": "empty"}, "abnormal_dir: no image in .*empty"),
        ({"test_dir": "empty"}, "test images: no image in .*empty"),
        ({"abnormal_dir": "ok/00.png"}, "abnormal_dir: .* is a file, not a folder"),
        ({"test_dir": "ok", "mask_dir": "nok"}, "mask_dir holds the masks of abnormal_dir"),
        ({"normal_dir": "ok", "test_dir": "nok", "test_fraction": 0.1}, "not both"),
        ({"abnormal_dir": "nok", "test_fraction": 0.1}, "share of normal_dir, which is not given"),
        ({"normal_dir": "ok", "test_fraction": 1.5}, "lies between 0 and 1, not 1.5"),
        ({"normal_dir": "nok", "test_fraction": 0.5}, "at least two normal images"),
        ({"abnormal_dri": "nok"}, "no option 'abnormal_dri'; did you mean 'abnormal_dir'"),
    ],
)
def test_folders_that_make_no_split_are_explained(images, options, message):
    root = images(*NORMALS, "nok/0.png")
    (root / "empty").mkdir()
    with pytest.raises(DatasetError, match=message):
        load_split("folder", root=root, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"normal_dir": "okk", "abnormal_dir": "nok"},
        {"test_dir": "ok", "abnormal_dir": "nokk"},
        {"abnormal_dir": "nok", "mask_dir": "maskss"},
    ],
)
def test_one_folder_that_is_missing_is_a_mistake(images, options):
    root = images(*NORMALS, "nok/0.png")
    with pytest.raises(DatasetError, match="does not exist") as caught:
        load_split("folder", root=root, **options)
    assert not isinstance(caught.value, MissingDataError)


@pytest.mark.parametrize("root", [".", "nowhere"])
def test_data_that_are_not_here_at_all_are_missing(tmp_path, root):
    options = {"normal_dir": "/nowhere/ok", "abnormal_dir": "nok", "mask_dir": "masks"}
    with pytest.raises(MissingDataError, match="does not exist"):
        load_split("folder", root=tmp_path / root, **options)


def test_image_folder_lists_everything_below(images):
    root = images("b/1.png", "a.JPG", ".trash/0.png")
    samples = image_folder(root, "calibration")
    assert ids(samples) == ["calibration/a", "calibration/b/1"]
    assert {sample.label for sample in samples} == {0}


def test_image_folder_needs_images(tmp_path):
    with pytest.raises(DatasetError, match=r"calibration images: no image in"):
        image_folder(tmp_path, "calibration")
    with pytest.raises(DatasetError, match=r"calibration images: .*none does not exist") as caught:
        image_folder(tmp_path / "none", "calibration")
    assert not isinstance(caught.value, MissingDataError)
