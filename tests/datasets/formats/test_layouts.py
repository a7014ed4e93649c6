"""Every format on a tree built to its published layout, and on trees of every other format."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from pytest_robustbench.datasets.catalogue import FORMATS
from pytest_robustbench.datasets.formats.recognition import recognised_format
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.errors import DatasetError, MissingDataError
from tests.datasets.dataset_trees import (
    TREES,
    defect_mask,
    write,
    write_loco_config,
    write_manifest,
    write_pictures,
    write_visa_table,
)
from tests.datasets.dataset_trees import kolektor as kolektor_tree
from tests.datasets.dataset_trees import kolektor2 as kolektor2_tree
from tests.datasets.dataset_trees import manifest as manifest_tree
from tests.datasets.dataset_trees import mvtec as mvtec_tree
from tests.datasets.dataset_trees import mvtec_ad2 as ad2_tree
from tests.datasets.dataset_trees import mvtec_loco as loco_tree
from tests.datasets.dataset_trees import visa as visa_tree
from tests.datasets.dataset_trees import visa_pytorch as visa_pytorch_tree

EVERY_TREE = pytest.mark.parametrize("layout", TREES)


def ids(samples):
    return [sample.id for sample in samples]


def load(tree, **more):
    return load_split(tree.format, **{**tree.options, **more})


@EVERY_TREE
def test_a_published_layout_is_read(tmp_path, layout):
    tree = TREES[layout](tmp_path)
    split = load(tree)
    labels = Counter(sample.label for sample in split.test)
    assert (split.dataset, len(split.train)) == (tree.format, tree.counts["train"])
    assert (labels[0], labels[1]) == (tree.counts["good"], tree.counts["bad"])
    assert len(split.calibration) == (2 if layout in ("mvtec_3d", "mvtec_ad2", "mvtec_loco") else 0)
    for sample in (*split.train, *split.test, *split.calibration):
        read = read_picture(sample)
        assert read.mask is not None
        assert np.count_nonzero(read.mask) == (15 if sample.label else 0)
    assert len({sample.id for sample in (*split.train, *split.test)}) == sum(tree.counts.values())


@EVERY_TREE
def test_a_bit_depth_is_that_of_every_image(tmp_path, layout):
    split = load(TREES[layout](tmp_path), bit_depth=12)
    samples = (*split.train, *split.test, *split.calibration)
    assert {sample.bit_depth for sample in samples} == {12}


@EVERY_TREE
def test_a_layout_is_recognised_by_its_marks(tmp_path, layout):
    tree = TREES[layout](tmp_path)
    found = recognised_format(tmp_path)
    assert found is not None
    assert found.format == tree.format
    named = {*TREES} - {"kolektor", "kolektor2", "folder"}
    assert found.categories == (("nut",) if layout in named else ())
    options = {name: value for name, value in tree.options.items() if name in found.options}
    if layout == "manifest":
        options["manifest"] = "parts.jsonl"
    assert dict(found.options) == options
    loaded = load_split(
        found.format, root=tmp_path, category=next(iter(found.categories), None), **found.options
    )
    assert len(loaded.test) == len(load(tree).test)


# These trees hold what the other format asks for, and give the same samples.
READ_AS_WELL = {
    ("mvtec", "mvtec_ad2"),
    ("mvtec", "mvtec_loco"),
}


PAIRS = [
    (asked, layout)
    for asked in sorted(set(FORMATS) - {"synthetic"})
    for layout in TREES
    if asked != {"visa_pytorch": "visa", "kolektor2": "kolektor"}.get(layout, layout)
]


@pytest.mark.parametrize(("asked", "layout"), PAIRS)
def test_the_right_format_is_named_for_a_wrong_one(tmp_path, asked, layout):
    tree = TREES[layout](tmp_path)
    advice = rf"this folder looks like {tree.format}: say format: {tree.format}"
    if (asked, tree.format) in READ_AS_WELL:
        split = load_split(asked, root=tmp_path, category="nut")
        assert split.notes[-1].startswith("read as mvtec; this folder looks like")
        assert len(split.test) == len(load(tree).test)
        return
    with pytest.raises(DatasetError, match=advice) as caught:
        load_split(asked, root=tmp_path, category="nut")
    assert not isinstance(caught.value, MissingDataError)


def test_no_other_format_is_named_for_a_fault_within_the_right_one(tmp_path):
    tree = mvtec_tree(tmp_path)
    for image in tree.train_folder.iterdir():
        image.unlink()
    with pytest.raises(DatasetError) as caught:
        load(tree)
    assert "looks like" not in str(caught.value)


def test_data_that_are_not_here_stay_missing(tmp_path):
    (tmp_path / "notes").mkdir()
    with pytest.raises(MissingDataError):
        load_split("btad", root=tmp_path, category="01")
    with pytest.raises(MissingDataError):
        load_split("kolektor", root=tmp_path / "nowhere")
    assert recognised_format(tmp_path) is None
    assert recognised_format(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("folders", "options"),
    [
        (
            ("good", "bad"),
            {"normal_dir": "good", "abnormal_dir": "bad", "test_fraction": 0.2},
        ),
        (
            ("images/OK", "images/NG", "images/Masks"),
            {
                "normal_dir": "images/OK",
                "abnormal_dir": "images/NG",
                "mask_dir": "images/Masks",
                "test_fraction": 0.2,
            },
        ),
        (
            ("normal", "test_good", "defects"),
            {"normal_dir": "normal", "test_dir": "test_good", "abnormal_dir": "defects"},
        ),
        (("good", "other"), None),
        (("pictures",), None),
    ],
)
def test_plain_folders_are_proposed(tmp_path, folders, options):
    for name in folders:
        write_pictures(tmp_path / name, 3)
    found = recognised_format(tmp_path)
    assert (found and dict(found.options)) == options


def test_of_several_pairs_of_plain_folders_none_is_guessed(tmp_path):
    for name in ("a/good", "a/bad", "b/good", "b/bad"):
        write_pictures(tmp_path / name, 3)
    found = recognised_format(tmp_path)
    assert (found.format, dict(found.options), found.categories) == ("folder", {}, ("a", "b"))
    with pytest.raises(DatasetError, match=r"several data sets \(a, b\): .* one of them as root"):
        load_split("mvtec", root=tmp_path)
    one = recognised_format(tmp_path, "b")
    split = load_split("folder", root=tmp_path, category="b", **one.options)
    assert {sample.image.parent.parent.name for sample in split.test} == {"b"}


def test_an_empty_folder_is_no_proposal(tmp_path):
    write_pictures(tmp_path / "good", 2)
    (tmp_path / "bad").mkdir()
    assert recognised_format(tmp_path) is None


@pytest.mark.parametrize("form", ["mvtec", "mvtec_loco"])
def test_real_loco(test_data, form):
    split = load_split(form, root=test_data / "mvtec_loco", category="juice_bottle")
    assert (len(split.train), len(split.calibration), len(split.test)) == (6, 4, 6)
    assert read_picture(split.test[0]).mask.any()
    assert any("metrics that need both are not defined" in note for note in split.notes)


@pytest.mark.parametrize("category", ["hazelnut_toy", "grid", "magnetic_tile", "kolektor"])
@pytest.mark.parametrize("form", ["mvtec_ad2", "mvtec_loco", "btad", "visa", "kolektor", "folder"])
def test_real_mvtec_trees_are_not_taken_for_another_format(test_data, form, category):
    with pytest.raises(DatasetError, match="this folder looks like mvtec: say format: mvtec"):
        load_split(form, root=test_data / "mvtec_layout", category=category)


def test_real_trees_are_recognised(test_data):
    mvtec = recognised_format(test_data / "mvtec_layout")
    assert (mvtec.format, len(mvtec.categories)) == ("mvtec", 4)
    assert recognised_format(test_data / "mvtec_loco").format == "mvtec_loco"
    assert recognised_format(test_data / "mvtec_missing_masks", "leather").format == "mvtec"


def test_a_real_tree_as_plain_folders(test_data):
    split = load_split(
        "folder",
        root=test_data / "mvtec_missing_masks/leather",
        normal_dir="train/good",
        test_dir="test/good",
        abnormal_dir="test/cut",
        mask_dir="ground_truth/cut",
    )
    assert (len(split.train), len(split.test), split.unknown_masks) == (4, 8, 2)
    assert len(split.notes) == 2


def test_a_real_tree_as_a_manifest(test_data, tmp_path):
    root = test_data / "mvtec_layout/hazelnut_toy"
    paths = [p.relative_to(root).as_posix() for p in sorted(root.glob("t*/*/*.jpg"))]
    records = [
        {
            "image_path": path,
            "split": path.split("/")[0],
            "label": "good" if "/good/" in path else "defect",
            "mask_path": None,
        }
        for path in paths
    ]
    file = write_manifest(tmp_path / "nuts.jsonl", *records)
    split = load_split("manifest", root=root, manifest=file)
    assert (len(split.train), len(split.test), split.unknown_masks) == (28, 23, 17)
    assert not read_picture(split.test[-1]).gray


# AD 2 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["test_private", "test_private_mixed"])
def test_private_parts_of_ad2_are_refused_with_the_reason(tmp_path, part):
    with pytest.raises(DatasetError, match=f"{part} cannot be measured here: .* withholds"):
        load(ad2_tree(tmp_path), test_part=part)


def test_ad2_with_nothing_but_private_parts_is_refused(tmp_path):
    tree = ad2_tree(tmp_path)
    (tmp_path / "nut/test_public").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="test_private cannot be measured here"):
        load(tree)
    with pytest.raises(DatasetError, match="no test part 'public'; did you mean 'test_public'"):
        load(tree, test_part="public")


# LOCO ---------------------------------------------------------------------------------------


def test_loco_says_that_saturation_is_not_applied(tmp_path):
    assert load(loco_tree(tmp_path)).notes == (
        (
            "every pixel of a marked region counts: the saturation of MVTec LOCO (metric sPRO) "
            "is not applied"
        ),
    )


def test_a_loco_mask_of_a_value_nobody_listed_is_an_error(tmp_path):
    tree = loco_tree(tmp_path)
    write(tree.mask.with_name("001.png"), defect_mask(4))
    with pytest.raises(DatasetError, match=r"000/001\.png holds the pixel value 4, which defects"):
        read_picture(load(tree).test[2])
    write_loco_config(tmp_path / "nut/defects_config.json", 3, 4)
    assert read_picture(load(tree).test[2]).mask.any()
    (tmp_path / "nut/defects_config.json").unlink()
    assert read_picture(load(tree).test[2]).mask.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("{}", "expected a list of defects"),
        ("[3]", "entry 0: expected an object"),
        ({"pixel_value": "3"}, "entry 0: pixel_value is an integer, not '3'"),
        ({"pixel_value": 0}, "pixel_value lies between 1 and 255, not 0"),
        ({"pixel_value": True}, "pixel_value is an integer, not True"),
        ({"saturation_threshold": None}, "saturation_threshold is a number, not None"),
        ({"relative_saturation": 1}, "relative_saturation is true or false, not 1"),
    ],
)
def test_a_malformed_defects_config_is_explained(tmp_path, change, message):
    tree = loco_tree(tmp_path)
    config = tmp_path / "nut/defects_config.json"
    if isinstance(change, dict):
        change = json.dumps([{**json.loads(config.read_text())[0], **change}])
    config.write_text(change)
    with pytest.raises(DatasetError, match=rf"defects_config\.json.*{message}"):
        load(tree)


# VisA ---------------------------------------------------------------------------------------


def test_visa_ids_name_part_and_class(tmp_path):
    split = load(visa_tree(tmp_path))
    assert ids(split.train) == [f"train/Normal/00{i}" for i in range(3)]
    assert ids(split.test)[-1] == "test/Anomaly/001"


def test_another_table_of_visa_may_be_chosen(tmp_path):
    tree = visa_tree(tmp_path)
    rows = [
        ("train", "anomaly", tree.bad, tree.mask),
        ("train", "normal", tree.good, None),
        ("test", "normal", tree.good.with_name("000.png"), None),
    ]
    write_visa_table(tmp_path, rows, "2cls_fewshot")
    split = load(tree, split_csv="2cls_fewshot")
    assert (ids(split.train), ids(split.test)) == (["train/Normal/003"], ["test/Normal/000"])
    assert split.notes[0] == ("defect images of the train part left out: 1 ('train/Anomaly/000')")
    with pytest.raises(DatasetError, match=r"no '2cls_highsho' in .*split_csv; did you mean"):
        load(tree, split_csv="2cls_highsho")


def test_a_visa_category_may_be_the_root(tmp_path):
    tree = visa_tree(tmp_path)
    split = load_split("visa", root=tmp_path / "nut")
    assert (split.category, ids(split.test)) == ("nut", ids(load(tree).test))


@pytest.mark.parametrize("place", [".", "visa_pytorch", "visa_pytorch/1cls"])
def test_converted_visa_is_found_where_people_keep_it(tmp_path, place):
    tree = visa_pytorch_tree(tmp_path)
    split = load_split("visa", root=tmp_path / place, category="nut")
    assert ids(split.test) == ids(load(tree).test)
    with pytest.raises(DatasetError, match="split_csv chooses a table of VisA's published layout"):
        load(tree, split_csv="1cls")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nut,train,normal,gone.png,", r"1cls\.csv:9: .*gone\.png does not exist"),
        ("nut,val,normal,a.png,", r"1cls\.csv:9: split is train or test, not 'val'"),
        ("nut,test,defect,a.png,", r"1cls\.csv:9: label is normal or anomaly, not 'defect'"),
        ("nut,test,normal,a.png,,,", r"1cls\.csv:9: a row has 5 cells"),
        ("nut,test,normal,../../etc/passwd,", r"1cls\.csv:9: .* leaves the root"),
    ],
)
def test_a_row_of_visa_that_is_wrong_is_named(tmp_path, line, message):
    tree = visa_tree(tmp_path)
    with (tmp_path / "split_csv/1cls.csv").open("a") as table:
        table.write(line + "\n")
    with pytest.raises(DatasetError, match=message):
        load(tree)


def test_a_table_of_visa_needs_its_columns(tmp_path):
    tree = visa_tree(tmp_path)
    (tmp_path / "split_csv/1cls.csv").write_text("image,label\n")
    with pytest.raises(DatasetError, match=r"1cls\.csv:1: the columns are object,split"):
        load(tree)


def test_a_visa_category_misspelt_is_no_missing_data(tmp_path):
    visa_tree(tmp_path)
    with pytest.raises(
        DatasetError, match=r"lists no image of 'nutt'; did you mean 'nut'"
    ) as error:
        load_split("visa", root=tmp_path, category="nutt")
    assert not isinstance(error.value, MissingDataError)


def test_a_visa_category_that_no_table_lists_is_named(tmp_path):
    write_pictures(tmp_path / "pin/Data/Images/Normal", 1)
    visa_tree(tmp_path)
    with pytest.raises(DatasetError, match=r"lists no image of 'pin'; .*nut"):
        load_split("visa", root=tmp_path, category="pin")


@pytest.mark.parametrize("other", ["nut/./Data/Images/Normal/000.png", "link/000.png"])
def test_an_image_that_visa_lists_twice_is_an_error(tmp_path, other):
    tree = visa_tree(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "nut/Data/Images/Normal")
    with (tmp_path / "split_csv/1cls.csv").open("a") as table:
        table.write(f"nut,test,normal,{other},\n")
    with pytest.raises(DatasetError, match=r"1cls\.csv:9: .* stands at .*1cls\.csv:2 already"):
        load(tree)


# BTAD ---------------------------------------------------------------------------------------


def test_btad_mixes_suffixes_and_may_lack_masks(tmp_path):
    folder = tmp_path / "02"
    for name in ("train/ok/0.bmp", "train/ok/1.png", "test/ok/0.jpg", "test/ko/0.bmp"):
        write(folder / name, defect_mask(90))
    write(folder / "test/ko/1.png", defect_mask(90))
    write(folder / "ground_truth/ko/0.png", defect_mask())
    split = load_split("btad", root=tmp_path, category="02")
    assert ids(split.train) == ["train/ok/0", "train/ok/1"]
    assert [(s.id, s.label, s.defect_type) for s in split.test] == [
        ("test/ko/0", 1, "ko"),
        ("test/ko/1", 1, "ko"),
        ("test/ok/0", 0, "good"),
    ]
    assert split.notes == ("defect images without a mask: 1 ('test/ko/1')",)


# Kolektor -----------------------------------------------------------------------------------


def test_kolektor_draws_normal_images_by_item(tmp_path):
    tree = kolektor_tree(tmp_path)
    for seed in range(4):
        split = load(tree, seed=seed)
        normals = {s.group for s in split.test if not s.label}
        assert not normals & {s.group for s in split.train}
        assert [s.id for s in split.test if s.label] == ["kos01/Part0", "kos02/Part0"]
    assert ids(load(tree, seed=1).test) == ids(load(tree, seed=1).test)
    assert len({tuple(ids(load(tree, seed=seed).train)) for seed in range(6)}) > 1
    assert len(load(tree, test_fraction=0.7).test) > len(load(tree).test)
    with pytest.raises(DatasetError, match="test_fraction lies between 0 and 1, not 2"):
        load(tree, test_fraction=2)


def test_kolektor_says_which_items_are_on_both_sides(tmp_path):
    split = load(kolektor_tree(tmp_path))
    shared = {s.group for s in split.train} & {s.group for s in split.test}
    note = f"items with normal train images and defect test images: {len(shared)}"
    assert (note in split.notes) is bool(shared)


def test_kolektor_needs_two_items(tmp_path):
    write(tmp_path / "kos01/Part0.jpg", defect_mask())
    write(tmp_path / "kos01/Part0_label.bmp", defect_mask(0))
    with pytest.raises(DatasetError, match="drawn by item, which needs normal images of two"):
        load_split("kolektor", root=tmp_path)


def test_kolektor2_leaves_train_defects_and_stray_copies_out(tmp_path):
    tree = kolektor2_tree(tmp_path)
    write(tmp_path / "train/10009.png", defect_mask())
    write(tmp_path / "train/10009_GT.png", defect_mask())
    write(tmp_path / "train/10301 (copy).png", defect_mask())
    write(tmp_path / "train/10301_GT (copy).png", defect_mask())
    split = load(tree)
    assert ids(split.train) == ["train/10000", "train/10001", "train/10002"]
    assert split.notes == ("defect images of the train part left out: 1 ('train/10009')",)
    with pytest.raises(DatasetError, match="has a published test part"):
        load(tree, test_fraction=0.2)


def test_a_category_of_kolektor_may_be_a_folder_or_only_a_name(tmp_path):
    kolektor2_tree(tmp_path / "ksdd2")
    inside = load_split("kolektor", root=tmp_path, category="ksdd2")
    named = load_split("kolektor", root=tmp_path / "ksdd2", category="commutators")
    assert ids(inside.test) == ids(named.test)
    assert (inside.category, named.category) == ("ksdd2", "commutators")


# Sets without masks, and with one class only ------------------------------------------------


@pytest.mark.parametrize("layout", sorted(set(TREES) - {"kolektor", "kolektor2"}))
@pytest.mark.parametrize("missing", ["masks", "normal", "defect"])
def test_incomplete_sets_load_with_a_note(tmp_path, layout, missing):
    tree = TREES[layout](tmp_path)
    _take_away(tree, layout, missing)
    split = load(tree)
    note = {
        "masks": "defect images without a mask: 2",
        "normal": "the test part has no normal image",
        "defect": "the test part has no defect image",
    }[missing]
    assert any(text.startswith(note) for text in split.notes)
    assert all(read_picture(sample).image.any() for sample in split.test)


def _take_away(tree, layout, missing):
    if layout in ("visa", "manifest"):
        table = tree.root / ("split_csv/1cls.csv" if layout == "visa" else "parts.jsonl")
        lines = table.read_text().splitlines()
        word = {
            ("visa", "normal"): "test,normal",
            ("visa", "defect"): "anomaly",
            ("manifest", "normal"): '"label": 0',
            ("manifest", "defect"): '"label": 1',
        }.get((layout, missing))
        lines = [line for line in lines if word is None or word not in line]
        if missing == "masks":
            lines = [_without_mask(line, layout) for line in lines]
        table.write_text("\n".join(lines))
        return
    folder = {"masks": tree.mask, "normal": tree.good, "defect": tree.bad}[missing].parent
    if layout == "folder" and missing != "masks":
        tree.options.pop("test_dir" if missing == "normal" else "abnormal_dir")
        if missing == "defect":
            tree.options.pop("mask_dir")
        return
    if layout == "mvtec_loco" and missing == "masks":
        folder = folder.parent
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()


def _without_mask(line, layout):
    if layout == "visa":
        return line if line.startswith("object") else line.rpartition(",")[0] + ","
    return json.dumps({**json.loads(line), "mask_path": None})


def test_a_manifest_is_found_by_itself(tmp_path):
    tree = manifest_tree(tmp_path)
    whole = ids(load(tree).test)
    assert ids(load_split("manifest", root=tmp_path).test) == whole
    assert ids(load_split("manifest", root=tmp_path / "parts.jsonl").test) == whole
    assert ids(load_split("manifest", manifest=tmp_path / "parts.jsonl").test) == whole
