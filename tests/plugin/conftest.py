"""Tiny data, and projects that use it.

What a run imports is imported here: a run inside this process forgets what it imported, would
compile it anew, and extension modules cannot be imported twice.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import cv2  # noqa: F401
import numpy as np  # noqa: F401
import pytest
import sklearn.metrics  # noqa: F401

import pytest_robustbench.detectors.pixel_gaussian
import pytest_robustbench.suite  # noqa: F401
from tests.plugin import robustness_project
from tests.plugin.robustness_project import INI, SUITE, Project
from tests.synthetic_tree import write_mvtec_tree

for folder in ("config", "corruptions", "datasets", "evaluation", "plugin", "reports"):
    room = import_module(f"pytest_robustbench.{folder}")
    for module in walk_packages(room.__path__, f"{room.__name__}."):
        with suppress(ModuleNotFoundError):  # of an extra that is not installed
            import_module(module.name)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of 48 x 48 images in MVTec layout."""
    root = tmp_path_factory.mktemp("data")
    write_mvtec_tree(root, n_train=15, n_test_good=3, n_defect=6, size=48)
    return root


@pytest.fixture
def project(pytester: pytest.Pytester, data: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a detector and a test module, and no YAML yet."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # many processes, the same code
    monkeypatch.setattr("sys.argv", ["pytest"])  # whatever program runs this suite
    shutil.copy(robustness_project.HERE / "line_models.py", pytester.path / "line_models.py")
    made = Project(pytester, data)
    made.write("pytest.ini", INI)
    made.write("test_line.py", SUITE)
    return made
