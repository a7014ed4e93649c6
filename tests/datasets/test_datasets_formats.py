from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_robustbench import opencv
from pytest_robustbench.datasets.formats import ALIASES, FORMATS, load_split
from pytest_robustbench.errors import DatasetError, RobustbenchError
from pytest_robustbench.importing import import_object


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_loader(name):
    assert callable(import_object(FORMATS[name]))


def test_aliases_name_formats():
    assert set(ALIASES.values()) <= set(FORMATS)
    assert not set(ALIASES) & set(FORMATS)


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
    "module",
    ["formats", "recognition", "sequences", "manifest", "visa", "btad", "kolektor", "folder"],
)
def test_listing_imports_nothing_heavy(module):
    code = (
        f"import sys, pytest_robustbench.datasets.{module}; "
        "print([m for m in ('numpy', 'cv2', 'sklearn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_system_library_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(RobustbenchError, match=r"opencv-python-headless .* libgl1"):
        opencv.load()
