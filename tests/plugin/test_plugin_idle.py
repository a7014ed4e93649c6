"""Without robustness items the plugin costs and says nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from robustness_project import Project

HEAVY = ("numpy", "cv2", "sklearn", "torch", "yaml", "pydantic")
RUNNER = f"""
import json, sys
import pytest

status = pytest.main(sys.argv[2:])
heavy = [name for name in {HEAVY!r} if name in sys.modules]
ours = sorted(name for name in sys.modules if name.startswith("pytest_robustbench"))
with open(sys.argv[1], "w") as file:
    json.dump({{"status": int(status), "heavy": heavy, "ours": ours}}, file)
"""
OTHERS_OFF = ("-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:benchmark")


def run_and_look(project: Project, *options: str) -> tuple[dict, str]:
    runner = project.write("runner.py", RUNNER)
    answer = project.path / "answer.json"
    done = subprocess.run(
        [sys.executable, str(runner), str(answer), *OTHERS_OFF, *options],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.read_text()), done.stdout + done.stderr


def files(path: Path) -> set[str]:
    return {
        str(p.relative_to(path)) for p in path.rglob("*") if "cache" not in str(p.relative_to(path))
    }


def test_a_plain_project_pays_nothing(project: Project) -> None:
    project.write("test_line.py", "def test_unit():\n    assert True\n")
    before = files(project.path)
    seen, text = run_and_look(project)
    assert seen["status"] == 0
    assert seen["heavy"] == []
    assert "pytest_robustbench.plugin" in seen["ours"]
    assert files(project.path) - before == {"runner.py", "answer.json"}
    assert "robustness" not in text.replace("no:robustness", "")
    without, _ = run_and_look(project, "-p", "no:robustbench")
    assert without["heavy"] == []
    assert without["ours"] == []


def test_a_yaml_alone_is_not_read(project: Project) -> None:
    project.yaml()
    project.write("test_line.py", "def test_unit():\n    assert True\n")
    seen, text = run_and_look(project)
    assert seen["heavy"] == []
    assert "robustness: robustness.yaml" in text
    assert not project.reports.exists()


def test_collecting_imports_nothing_that_computes(project: Project) -> None:
    project.yaml()
    seen, _ = run_and_look(project, "--collect-only")
    assert seen["status"] == 0
    assert not {"numpy", "cv2", "sklearn", "torch"} & set(seen["heavy"])
    project.write("test_unit.py", "def test_unit():\n    assert True\n")
    seen, _ = run_and_look(project, "-m", "not robustness")
    assert seen["status"] == 0
    assert not {"numpy", "cv2", "sklearn", "torch"} & set(seen["heavy"])
