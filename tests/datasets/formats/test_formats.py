from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_robustbench.datasets.catalogue import FORMATS, part_of
from pytest_robustbench.datasets.loading import load_split, loader_of
from pytest_robustbench.errors import DatasetError


@pytest.mark.parametrize("row", FORMATS.values(), ids=FORMATS.keys())
def test_every_row_is_that_of_its_loader_and_recogniser(row):
    assert callable(loader_of(row))
    assert row.recogniser is None or callable(part_of(row, row.recogniser))
    assert row.required is None or row.required[0] in row.keys
    assert set(row.train_options) <= set(row.keys)
    assert row.read_as is None or row.read_as in FORMATS


def test_an_unknown_format_or_option_is_answered_with_the_nearest_name():
    with pytest.raises(DatasetError, match=r"no dataset format 'mvtek'; did you mean 'mvtec'"):
        load_split("mvtek", root=".")
    with pytest.raises(
        DatasetError, match=r"synthetic format has no option 'n_trian'; did .*n_train"
    ):
        load_split("synthetic", n_trian=3)


def test_the_size_may_be_a_list():
    split = load_split("synthetic", resize=[64, 48], n_train=0, n_test_good=1, n_defect=0)
    assert split.resize == (64, 48)
    with pytest.raises(DatasetError, match=r"resize is \[height, width\]"):
        load_split("synthetic", resize=[64])


@pytest.mark.parametrize(
    ("form", "options", "message"),
    [
        ("folder", {"seed": -1}, "seed is at least 0, not -1"),
        ("folder", {"seed": 1.5}, "seed of the folder format is an integer, not 1.5"),
        ("folder", {"seed": True}, "seed of the folder format is an integer, not True"),
        ("folder", {"normal_dir": 3}, "normal_dir .* is a text or a path or nothing, not 3"),
        ("folder", {"test_fraction": "x"}, "test_fraction .* is a number or nothing, not 'x'"),
        ("mvtec", {"category": 3}, "category of the mvtec format is a text or nothing, not 3"),
        ("mvtec", {"root": 3}, "root of the mvtec format is a text or a path or nothing, not 3"),
        ("visa", {"split_csv": 3}, "split_csv of the visa format is a text or nothing, not 3"),
        ("manifest", {"allow_outside_root": "no"}, "is true or false, not 'no'"),
        ("synthetic", {"size": None}, "size of the synthetic format is an integer, not None"),
        (
            "mvtec",
            {"category": "../nut"},
            r"not '\.\./nut' \(it holds '/'\); a path belongs",
        ),
        ("mvtec", {"category": "/nut"}, "category is the name of one folder, not '/nut'"),
        ("mvtec", {"category": ".."}, "category is the name of one folder"),
        ("mvtec", {"category": ""}, "category is the name of one folder, not ''"),
        ("mvtec", {"bit_depth": 9}, "bit_depth .* is 8, 10, 12, 14 or 16 or nothing, not 9"),
        ("folder", {"bit_depth": "12"}, "bit_depth .* is 8, 10, 12, 14 or 16 or nothing, not '12'"),
        ("mvtec", {"resize": 3}, r"resize is \[height, width\]"),
        (3, {}, "the dataset format is a text such as 'mvtec', not 3"),
    ],
)
def test_an_option_of_the_wrong_type_is_explained(images, form, options, message):
    root = images("train/good/0.png", "test/good/0.png")
    with pytest.raises(DatasetError, match=message):
        load_split(form, **{"root": root, **options})


@pytest.mark.parametrize("name", FORMATS)
def test_every_option_has_a_type_that_can_be_said(name):
    with pytest.raises(
        DatasetError, match=r"root of the \w+ format is a text or a path or nothing"
    ):
        load_split(name, root=object())
    for option in FORMATS[name].arguments:
        with pytest.raises(DatasetError, match=f"{option} of the {name} format is "):
            load_split(name, **{option: object()})


def test_numbers_of_numpy_and_paths_are_options_too(images):
    root = images("ok/0.png", "ok/1.png", "nok/0.png")
    split = load_split(
        "folder",
        root=root,
        normal_dir=Path("ok"),
        abnormal_dir="nok",
        test_fraction=np.float32(0.5),
        seed=np.int64(1),
    )
    assert (len(split.train), len(split.test)) == (1, 2)


def test_listing_imports_nothing_heavy():
    code = (
        "import sys\n"
        "import pytest_robustbench.datasets.formats.sequences\n"
        "from pytest_robustbench.datasets.catalogue import FORMATS\n"
        "from pytest_robustbench.datasets.loading import loader_of\n"
        "assert [loader_of(row) for row in FORMATS.values() if row.has_root]\n"
        "print([m for m in ('numpy', 'cv2', 'sklearn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
