"""Every snippet of the pages in docs/ runs, in the order of its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_robustbench.config.loader import load_config
from tests.synthetic_tree import write_mvtec_tree

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("datasets.md", "detectors.md", "corruptions.md", "metrics.md", "coming_from.md")
BLOCK = re.compile(
    r"^(?P<not_run><!-- not run: .+ -->\n)?```(?P<language>\w+)\n(?P<body>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
MOST_NOT_RUN = 4
"""Of one page: they need a model file or a device that nobody has here."""

PREAMBLE = """\
import sys, types
# Only where torchvision was built for another torch, as on machines of the tests.
sys.modules["torchvision._meta_registrations"] = types.ModuleType("stand-in")
"""


def snippets(page: str, language: str, *, run: bool = True) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = (m for m in BLOCK.finditer(text) if m["language"] == language)
    return [m["body"] for m in found if bool(m["not_run"]) is not run]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds data/bottle, a small category in MVTec's layout."""
    tree = write_mvtec_tree(
        tmp_path / "drawn", category="brushed_metal", n_train=14, n_test_good=4, n_defect=4, size=64
    )
    (tmp_path / "data").mkdir()
    tree.rename(tmp_path / "data" / "bottle")
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_python_runs(page: str, folder: Path) -> None:
    pytest.importorskip("torch")
    bodies = snippets(page, "python")
    script = folder / "page.py"
    script.write_text(PREAMBLE + "\n\n".join(bodies), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert bodies
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_yaml_files_are_valid(page: str, folder: Path) -> None:
    bodies = [body for body in snippets(page, "yaml") if body.startswith("# robustness.yaml")]
    for module in snippets(page, "python"):
        if module.startswith("# line_metrics.py"):
            (folder / "line_metrics.py").write_text(module, encoding="utf-8")
    for body in bodies:
        (folder / "robustness.yaml").write_text(body, encoding="utf-8")

        assert load_config(folder / "robustness.yaml", environ={}).benchmarks
    assert bodies


@pytest.mark.parametrize("page", PAGES)
def test_hardly_any_snippet_is_left_out(page: str) -> None:
    assert len(snippets(page, "python", run=False)) <= MOST_NOT_RUN
