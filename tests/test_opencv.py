"""An OpenCV that is broken, or there twice, is told in one line, wherever it is first needed."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytest_robustbench import opencv
from pytest_robustbench.errors import InstallationError
from pytest_robustbench.reports.file.environment import environment

SLIM = "raise ImportError('libGL.so.1: cannot open shared object file')"
TOLD = (
    "OpenCV cannot be imported (libGL.so.1: cannot open shared object file); uninstall every "
    "OpenCV that `pip list` shows, then: pip install --force-reinstall opencv-python-headless"
)
YAML = """\
schema_version: 1
name: cloth
dataset: {{format: {}}}
detector: pixel_gaussian
corruptions: [blur]
severities: [1]
accept: {{all: {{miss_rate: {{max: 0.9}}, one_sided: misses}}}}
"""
DRAWN = "synthetic, category: woven_fabric, n_train: 8, n_test_good: 3, n_defect: 3"
PYTEST = ("-m", "pytest", "-p", "no:cacheprovider")
RUN = ("-m", "pytest_robustbench", "run", "--config", "robustness.yaml")
PREVIEW = ("-m", "pytest_robustbench", "preview", "--config", "robustness.yaml")


def test_what_is_missing_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InstallationError, match=r"cannot be imported \(.*opencv-python-headless"):
        opencv.load()


def test_a_folder_that_another_distribution_has_left_is_no_opencv(tmp_path, monkeypatch):
    (tmp_path / "cv2").mkdir()
    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(InstallationError, match="two distributions share it, and one was unin"):
        opencv.load()


def test_threads_that_wait_for_an_import_that_fails_all_tell_why(tmp_path, monkeypatch):
    slow = "import time\ntime.sleep(0.2)\n"  # long enough for all to wait for the first
    (tmp_path / "cv2.py").write_text(slow + SLIM)
    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.syspath_prepend(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        failed = [each.exception() for each in [threads.submit(opencv.load) for _ in range(4)]]
    assert all("libGL.so.1" in str(each) for each in failed), failed


@pytest.fixture
def slim(tmp_path: Path) -> Path:
    """A project, and an OpenCV that cannot be imported."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/cv2.py").write_text(SLIM)
    (tmp_path / "test_cloth.py").write_text(
        "from pytest_robustbench.suite import test_robustness\n"
    )
    for part in ("train/good", "test/good", "test/hole"):
        folder = tmp_path / "data/cloth" / part
        folder.mkdir(parents=True)
        for i in range(12):
            pixels = np.random.default_rng([i, len(part)]).integers(0, 255, (24, 24, 3), np.uint8)
            cv2.imencode(".png", pixels)[1].tofile(folder / f"{i}.png")
    return tmp_path


@pytest.mark.parametrize("command", [PYTEST, RUN, PREVIEW], ids=["pytest", "run", "preview"])
@pytest.mark.parametrize("dataset", [DRAWN, "mvtec, root: data, category: cloth"])
def test_it_is_told_in_one_line_and_as_nobody_elses_fault(slim, command, dataset):
    (slim / "robustness.yaml").write_text(YAML.format(dataset))
    path = os.pathsep.join([str(slim / "broken"), *sys.path])
    done = subprocess.run(
        [sys.executable, *command],
        cwd=slim,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode in (1, 2), text
    assert TOLD in text.replace("\n", " ").replace("E   ", ""), text
    for wrong in ("Traceback", "raised", "not foreseen", ".png"):
        assert wrong not in text, text


def test_collecting_needs_none(slim):
    (slim / "robustness.yaml").write_text(YAML.format(DRAWN))
    path = os.pathsep.join([str(slim / "broken"), *sys.path])
    done = subprocess.run(
        [sys.executable, *PYTEST, "--collect-only", "-q"],
        cwd=slim,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "[cloth-clean]" in done.stdout


def installed(folder: Path, *names: str, files: bool = True) -> None:
    """Lay down what pip writes about distributions that bring OpenCV."""
    for name in names:
        described = folder / f"{name.replace('-', '_')}-4.13.0.92.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Name: {name}\nVersion: 4.13.0.92\n")
        (described / "top_level.txt").write_text("cv2\n")
        if files:
            (described / "RECORD").write_text("cv2/__init__.py,sha256=0,0\n")


BOTH = ("opencv-python", "opencv-python-headless")


@pytest.mark.parametrize(
    ("names", "files", "told"),
    [
        (BOTH, True, "opencv-python 4.13.0.92 and opencv-python-headless 4.13.0.92 share"),
        (BOTH, False, ""),  # conda's, which only tell pip that it is there
        (BOTH[1:], True, ""),
    ],
)
def test_two_that_share_a_folder_are_told(tmp_path, monkeypatch, names, files, told):
    installed(tmp_path, *names, files=files)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert opencv.shared().startswith(told)
    assert bool(opencv.shared()) == bool(told)


def test_the_report_says_what_was_loaded_and_who_brings_it(tmp_path, monkeypatch):
    installed(tmp_path, "opencv-contrib-python-headless")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    packages = environment()["packages"]
    assert packages == {
        "opencv-contrib-python-headless": "4.13.0.92",
        "cv2": opencv.load().__version__,
    }
