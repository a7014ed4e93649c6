"""Tiny data, and projects that use it.

The heavy modules are imported here, because a run inside this process forgets what it imported,
and extension modules cannot be imported twice.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2  # noqa: F401
import numpy as np  # noqa: F401
import pytest
import sklearn.metrics  # noqa: F401

import pytest_robustbench.benchmark
import pytest_robustbench.config.benchmarks
import pytest_robustbench.config.loader
import pytest_robustbench.config.narrowing
import pytest_robustbench.reports.pages.pictures  # noqa: F401
from tests.plugin import robustness_project
from tests.plugin.robustness_project import INI, SUITE, Project
from tests.synthetic_tree import write_mvtec_tree


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of 48 x 48 images in MVTec layout."""
    root = tmp_path_factory.mktemp("data")
    write_mvtec_tree(root, n_train=15, n_test_good=3, n_defect=6, size=48)
    return root


@pytest.fixture
def project(pytester: pytest.Pytester, data: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a detector and a test module, and no YAML yet."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr("sys.argv", ["pytest"])  # whatever program runs this suite
    shutil.copy(robustness_project.HERE / "line_models.py", pytester.path / "line_models.py")
    made = Project(pytester, data)
    made.write("pytest.ini", INI)
    made.write("test_line.py", SUITE)
    return made
