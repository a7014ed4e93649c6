"""Which folders decide for a module, and where the reports of a file go."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_robustbench.plugin.yaml_files import decides, nearby, place_of

ROOT = Path("/no/such/root")


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("packages/b", "packages/b"),
        (".", "root"),
        ("journal/rerun/x", "journal_/rerun_/x"),
        ("odd\n\\name", "odd__name"),
        (".venv/site-packages/checks/tests", "checks/tests"),
        ("../elsewhere/tests", "tests"),
    ],
)
def test_reports_go_where_the_file_lies(folder: str, place: str) -> None:
    path = Path(*((ROOT / folder).parts)) / "robustness.yaml"
    path = ROOT.parent / "elsewhere/tests/robustness.yaml" if ".." in path.parts else path
    assert place_of(path, ROOT) == place


def test_above_a_module_decides_what_lies_in_its_own_project(tmp_path: Path) -> None:
    rootdir, other = tmp_path / "here", tmp_path / "other"
    (other / "tests").mkdir(parents=True)
    (other / "pyproject.toml").touch()
    assert decides(rootdir / "a/b", rootdir) == (rootdir / "a/b", rootdir / "a", rootdir)
    assert decides(other / "tests", rootdir) == (other / "tests", other)
    installed = rootdir / "lib/site-packages/checks"
    assert decides(installed / "tests", rootdir) == (installed / "tests", installed)


def test_nearby_are_files_of_another_ending_and_those_above_in_the_checkout(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "robustness.yaml").touch()
    rootdir = tmp_path / "a"
    (rootdir / "conf").mkdir(parents=True)
    (rootdir / "conf/robustness.yml").touch()
    assert nearby(rootdir) == [rootdir / "conf/robustness.yml", tmp_path / "robustness.yaml"]
