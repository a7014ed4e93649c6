"""JSONL manifests: records, parts, groups and paths."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_robustbench.datasets.formats.groups import drawn_groups
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.errors import DatasetError, MissingDataError
from tests.datasets.dataset_trees import defect_mask, picture, write, write_manifest, write_pictures


def ids(samples):
    return [sample.id for sample in samples]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    write_pictures(folder / "p", 10)
    write(folder / "p/000_mask.png", defect_mask())
    return folder


def record(number, **fields):
    return {"image_path": f"p/{number:03d}.png", **fields}


def load(root, *records, **options):
    write_manifest(root / "m.jsonl", *records)
    return load_split("manifest", root=root, manifest=root / "m.jsonl", **options)


def lines(root, *texts):
    (root / "m.jsonl").write_text("\n".join(texts), encoding="utf-8")
    return load_split("manifest", manifest=root / "m.jsonl")


def test_parts_labels_masks_and_groups_are_read(root):
    split = load(
        root,
        record(0, split="test", label=1, mask_path="p/000_mask.png", meta={"line": [1, None]}),
        record(1, split="train", group_id="a"),
        record(2, split="val", label=0, group_id=7),
        record(3, split="calibration", meta={"group_id": "b"}),
        record(4, split="TEST", label="Good"),
        category="nut",
    )
    assert ids(split.train) == ["p/001.png"]
    assert ids(split.calibration) == ["p/002.png", "p/003.png"]
    assert [(s.id, s.label, s.defect_type) for s in split.test] == [
        ("p/000.png", 1, "defect"),
        ("p/004.png", 0, "good"),
    ]
    assert [s.group for s in (*split.train, *split.calibration)] == ["a", "7", "b"]
    assert (split.dataset, split.category, split.notes) == ("manifest", "nut", ())


def test_comments_blank_lines_and_a_byte_order_mark_are_allowed(root):
    row = json.dumps({**record(0), "category": "nut", "split": "test", "label": 0})
    assert len(lines(root, "\ufeff# a list", "", "   ", "  # more", row, "").test) == 1


@pytest.mark.parametrize(
    ("written", "label"),
    [
        (0, 0),
        (1, 1),
        ("1", 1),
        (True, 1),
        (False, 0),
        (1.0, 1),
        ("anomaly", 1),
        ("OK", 0),
        ("normal", 0),
        ("defect", 1),
        (" good ", 0),
    ],
)
def test_labels_may_be_numbers_or_words(root, written, label):
    assert load(root, record(0, split="test", label=written)).test[0].label == label


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not one line of JSON"),
        ("[]", "expected an object with image_path"),
        ('{"category": "nut"}', "'image_path' is missing or empty"),
        ('{"image_path": "p/000.png"}', "'category' is missing or empty"),
        (
            '{"image_path": "p/000.png", "image_path": "b", "category": "nut"}',
            "the key 'image_path' stands twice",
        ),
        ('{"image_path": "a", "category": "nut", "group_id": NaN}', "NaN is no standard JSON"),
        ('{"image_path": "a", "category": Infinity}', "Infinity is no standard JSON"),
        ('{"image_path": "a", "category": "a/b"}', "category is a name, not a path: 'a/b'"),
        ('{"image_path": "a", "category": ".."}', "category is a name, not a path"),
        ("[" * 100_000, "not one line of JSON: it is nested too deeply"),
        ('{"image_path": ["a"], "category": "nut"}', r"image_path is a text, not \['a'\]"),
        ('{"image_path": "a", "category": "nut", "lable": 1}', "'lable'; did you mean 'label'"),
        ('{"image_path": "a", "category": "nut", "meta": 3}', "meta is an object, not 3"),
        ('{"image_path": "a", "category": "nut", "split": "tset"}', "did you mean 'test'"),
        ('{"image_path": "a", "category": "nut", "label": 2}', "label is 0 .* not 2"),
        ('{"image_path": "a", "category": "nut", "label": [1]}', r"label is 0 .* not \[1\]"),
        ('{"image_path": "a", "category": "nut", "label": "maybe"}', "not 'maybe'"),
        ('{"image_path": "a", "category": "nut", "split": "test"}', "a test image needs a label"),
        ('{"image_path": "a", "category": "nut", "split": "val", "label": 1}', "only normal"),
        (
            '{"image_path": "a", "category": "nut", "group_id": "x", "meta": {"group_id": "y"}}',
            "group_id is 'x', but meta.group_id is 'y'",
        ),
        ('{"image_path": "gone.png", "category": "nut"}', r"gone\.png does not exist"),
        ('{"image_path": "p/000.png", "category": "nut"}', r"stands at .*m\.jsonl:2 already"),
        ('{"image_path": "a\\u0000b", "category": "nut"}', "no usable path"),
    ],
)
def test_an_error_names_file_and_line(root, text, message):
    good = '{"image_path": "p/000.png", "category": "nut", "split": "test", "label": 0}'
    with pytest.raises(DatasetError, match=rf"m\.jsonl:3: .*{message}"):
        lines(root, "# head", good, text)


@pytest.mark.parametrize("written", ["../other/x.png", "p/../../other/x.png", "link/x.png", "/abs"])
def test_paths_stay_inside_the_root_unless_allowed(root, tmp_path, written):
    other = write(tmp_path / "other/x.png", picture(3))
    (root / "link").symlink_to(other.parent)
    path = str(other) if written == "/abs" else written
    row = {"image_path": path, "split": "test", "label": 0}
    with pytest.raises(DatasetError, match=r"m\.jsonl:1: .* leaves the root"):
        load(root, row)
    assert len(load(root, row, allow_outside_root=True).test) == 1


def test_masks_stay_inside_the_root_too(root, tmp_path):
    write(tmp_path / "m.png", defect_mask())
    with pytest.raises(DatasetError, match="leaves the root"):
        load(root, record(0, split="test", label=1, mask_path="../m.png"))


def test_a_path_written_on_windows_is_found(root):
    split = load(root, {"image_path": "p\\000.png", "split": "test", "label": 0})
    assert ids(split.test) == ["p/000.png"]


def test_paths_start_at_the_root_or_at_the_manifest(root, tmp_path):
    row = record(0, split="test", label=0)
    file = write_manifest(tmp_path / "lists/m.jsonl", row)
    assert len(load_split("manifest", root=root, manifest=file).test) == 1
    with pytest.raises(DatasetError, match=r"lists/p/000\.png does not exist"):
        load_split("manifest", manifest=file)


def test_a_manifest_is_looked_for_in_the_root(root, tmp_path, monkeypatch):
    write_manifest(root / "lists/m.jsonl", record(0, split="test", label=0))
    monkeypatch.chdir(tmp_path)
    split = load_split("manifest", root="data", manifest="lists/m.jsonl")
    assert ids(split.test) == ["p/000.png"]
    assert ids(load_split("manifest", root=root, manifest="lists/m.jsonl").test) == ["p/000.png"]


@pytest.mark.parametrize("other", ["p/../p/000.png", "./p/000.png", "link/000.png", "absolute"])
def test_one_file_listed_by_two_paths_is_an_error_that_names_both_lines(root, other):
    (root / "link").symlink_to(root / "p")
    path = str(root / "p/000.png") if other == "absolute" else other
    rows = [record(0, split="train"), {"image_path": path, "split": "test", "label": 0}]
    with pytest.raises(DatasetError, match=r"m\.jsonl:2: .* stands at .*m\.jsonl:1 already"):
        load(root, *rows)


def test_an_absolute_path_inside_the_root_has_the_id_of_a_relative_one(root, monkeypatch):
    row = {"image_path": str(root / "p/000.png"), "split": "test", "label": 0}
    assert ids(load(root, row).test) == ["p/000.png"]
    monkeypatch.chdir(root.parent)
    listed = load_split("manifest", root=root.name, manifest=root / "m.jsonl")
    assert ids(listed.test) == ["p/000.png"]


def test_a_whole_number_names_one_group_and_category_however_it_is_written(root):
    rows = [
        record(0, group_id=1, category=2, split="val"),
        record(1, group_id=1.0, category=2.0),
        record(2, split="test", label=0, category="2"),
    ]
    split = load(root, *rows, category="2")
    assert [sample.group for sample in split.calibration] == ["1", "1"]


def test_what_is_missing_is_named(root, tmp_path):
    with pytest.raises(MissingDataError, match=r"manifest: .*gone\.jsonl does not exist"):
        load_split("manifest", manifest=root / "gone.jsonl")
    with pytest.raises(DatasetError, match="the manifest format needs `manifest`"):
        load_split("manifest")
    with pytest.raises(DatasetError, match="say which `manifest` to read"):
        load_split("manifest", root=tmp_path)
    (root / "m.jsonl").write_text("# nothing\n")
    with pytest.raises(DatasetError, match="lists no image"):
        load_split("manifest", root=root)


def test_categories_are_kept_apart(root):
    rows = [record(0, category="nut", split="test", label=0), record(1, category="pin")]
    assert ids(load(root, *rows, category="nut").test) == ["p/000.png"]
    with pytest.raises(DatasetError, match="several categories: name one of nut, pin"):
        load(root, *rows)
    with pytest.raises(DatasetError, match="no image of 'nuts'; did you mean 'nut'"):
        load(root, *rows, category="nuts")


def test_without_parts_normal_groups_are_drawn_and_defects_are_tested(root):
    rows = [record(i, label=0, group_id=f"g{i // 2}") for i in range(8)]
    rows += [record(8, label=1), record(9, label=1)]
    for seed in range(5):
        split = load(root, *rows, test_fraction=0.25, seed=seed)
        assert Counter(sample.label for sample in split.test) == {0: 2, 1: 2}
        assert not {s.group for s in split.train} & {s.group for s in split.test}
    assert len({tuple(ids(load(root, *rows, seed=seed).train)) for seed in range(8)}) > 1
    with pytest.raises(DatasetError, match="test_fraction lies between 0 and 1, not 1"):
        load(root, *rows, test_fraction=1)


def test_the_order_of_lines_does_not_change_the_draw_of_groups(root):
    rows = [record(i, label=0, group_id=f"g{i // 2}") for i in range(8)] + [record(8, label=1)]
    one, other = load(root, *rows), load(root, *rows[::-1])
    assert set(ids(one.train)) == set(ids(other.train))


def test_a_group_with_a_defect_is_tested_whole(root):
    rows = [record(i, label=0) for i in range(5)]
    rows += [record(5, label=0, group_id="a"), record(6, label=1, group_id="a")]
    assert {"p/005.png", "p/006.png"} <= set(ids(load(root, *rows).test))


def test_a_group_follows_the_part_that_one_of_its_records_names(root):
    rows = [
        record(0, split="val", group_id="a"),
        record(1, group_id="a"),
        record(2, split="test", label=0),
    ]
    assert ids(load(root, *rows).calibration) == ["p/000.png", "p/001.png"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("train", "test"), ("train", "val"), ("calibration", "test")],
)
def test_a_group_in_two_parts_is_an_error_that_names_it(root, first, second):
    rows = [
        record(0, split=first, label=0, group_id="left 7"),
        record(1, split=second, label=0, group_id="left 7"),
    ]
    with pytest.raises(DatasetError, match=r"group_id 'left 7' stands in .*m\.jsonl:\d.* and in"):
        load(root, *rows)


def test_a_defect_in_a_group_that_is_trained_on_is_an_error(root):
    rows = [record(0, split="train", group_id="a"), record(1, label=1, group_id="a")]
    with pytest.raises(DatasetError, match=r"m\.jsonl:2: a defect image of group_id 'a'"):
        load(root, *rows)


def test_an_image_nobody_labelled_is_never_tested(root):
    rows = [record(0, split="test", label=0), *(record(i) for i in range(1, 6))]
    split = load(root, *rows)
    assert (len(split.train), len(split.test)) == (5, 1)
    assert "images with neither split nor label, trained on as normal: 5" in split.notes
    with pytest.raises(DatasetError, match="every image needs a label"):
        load(root, record(0, label=1, group_id="a"), record(1, group_id="a"))


def test_a_manifest_of_pyimgano_loads(root):
    manifest = pytest.importorskip("pyimgano.datasets.manifest")
    rows = [
        record(0, split="test", label=1, mask_path="p/000_mask.png"),
        record(1, split="test", label=0),
        *(record(i, split="train") for i in range(2, 6)),
        record(6, split="val"),
    ]
    split = load(root, *rows)
    theirs = manifest.load_manifest_benchmark_split(
        manifest_path=root / "m.jsonl", root_fallback=None, category="nut", load_masks=False
    )
    assert [str(s.image.resolve()) for s in split.train] == theirs.train_paths
    assert [str(s.image.resolve()) for s in split.calibration] == theirs.calibration_paths
    assert [str(s.image.resolve()) for s in split.test] == theirs.test_paths
    assert [s.label for s in split.test] == theirs.test_labels.tolist()


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_drawn_groups_hold_the_fraction_and_leave_one(groups, fraction, seed):
    drawn = drawn_groups(groups, fraction, seed)
    kept = set(groups) - drawn
    assert kept
    assert drawn == drawn_groups(sorted(groups), fraction, seed)
    if len(set(groups)) == 1:
        assert not drawn
        return
    sizes = Counter(groups)
    held = sum(sizes[group] for group in drawn)
    assert held >= fraction * len(groups) or len(kept) == 1
    # Not more than is needed: without its largest group the fraction would not be reached.
    assert held - max(sizes[group] for group in drawn) < fraction * len(groups)
