"""A copy of the package with a row or a file more, to show that it takes no more than that."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest_robustbench


def copied_package(folder: Path) -> Path:
    """Copy the package into `folder`."""
    package = folder / "pytest_robustbench"
    shutil.copytree(Path(pytest_robustbench.__file__).parent, package)
    return package


def insert(table: Path, row: str, *, above: str) -> None:
    """Write `row` into a file, above the only place that reads `above`."""
    rows = table.read_text(encoding="utf-8")
    assert rows.count(above) == 1
    table.write_text(rows.replace(above, row + above), encoding="utf-8")


def answers(folder: Path, program: str) -> str:
    """Return what `program` prints when it is run beside the copy."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0), done.stderr
    return done.stdout
