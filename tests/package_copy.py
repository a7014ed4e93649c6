"""A copy of the package with one file and one row more, to show that it takes no more than that."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest_robustbench


def extended_package(folder: Path, *, file: str, text: str, table: str, row: str, above: str):
    """Copy the package into `folder`, with `file` added and `row` in `table` above `above`."""
    package = folder / "pytest_robustbench"
    shutil.copytree(Path(pytest_robustbench.__file__).parent, package)
    (package / file).write_text(text, encoding="utf-8")
    rows = (package / table).read_text(encoding="utf-8")
    assert rows.count(above) == 1
    (package / table).write_text(rows.replace(above, row + above), encoding="utf-8")


def answers(folder: Path, program: str) -> str:
    """Return what `program` prints when it is run beside the copy."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout
