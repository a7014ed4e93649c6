"""Projects that use the plugin, made and run by the tests."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

HERE = Path(__file__).parent
SUITE = "from pytest_robustbench.suite import test_robustness\n"
LENIENT = "{pixel_segf1: {min: 0.001}, bg_fpr: {max: 0.99}}"
WITH_PAGE = """\
[pytest]
addopts = --strict-markers --strict-config
filterwarnings = error
"""
INI = f"{WITH_PAGE}robustness_html = off\n"
"""Without report.html: drawing it is most of what a small run takes."""
OTHERS_OFF = ("-p", "no:hypothesispytest", "-p", "no:anyio")
"""Plugins that the tests are not about, and that take long to import, in every process anew."""

BROUGHT_BY = {"-n": "xdist", "--reruns": "pytest_rerunfailures", "randomly": "pytest_randomly"}
"""Options, and the package of the extra `test` that brings each."""


@dataclass
class Project:
    """A folder with robustness.yaml, a test module and data, and ways to run pytest in it."""

    pytester: pytest.Pytester
    data: Path

    @property
    def path(self) -> Path:
        return self.pytester.path

    @property
    def reports(self) -> Path:
        return self.path / "robustness-report"

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def yaml(
        self,
        accept: str = f"all: {LENIENT}",
        *,
        corruptions: str = "[lighting, blur]",
        severities: str = "[1, 3]",
        detector: str = '{name: "line_models:MeanDetector"}',
        dataset: str | None = None,
        extra: str = "",
        name: str = "hazelnut",
        folder: str = ".",
    ) -> Path:
        """Write robustness.yaml of one benchmark."""
        dataset = dataset or f"{{format: mvtec, root: '{self.data}', category: brushed_metal}}"
        head = (
            f"schema_version: 1\nname: {name}\ndataset: {dataset}\ndetector: {detector}\n"
            f"corruptions: {corruptions}\nseverities: {severities}\n"
        )
        section = "accept:\n" + indent(dedent(accept), "  ").rstrip() + "\n"
        return self.write(f"{folder}/robustness.yaml", head + section + dedent(extra))

    def run(self, *args: str) -> pytest.RunResult:
        """Run pytest in this process, quietly about the plugins the tests are not about."""
        return self.pytester.runpytest_inprocess(*self._arguments(args))

    def run_apart(self, *args: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess(*self._arguments(args))

    def judged(self, *args: str) -> dict[str, str]:
        """Run pytest in this process; return the outcome of every item by its id in brackets."""
        return outcomes(self.run("-v", *args))

    @staticmethod
    def _arguments(args: tuple[str, ...]) -> tuple[str, ...]:
        for option, package in BROUGHT_BY.items():
            if any(arg.partition("=")[0] == option for arg in args) and find_spec(package) is None:
                pytest.skip(f"{package} of the extra test is not installed")
        shuffled = any("randomly" in arg for arg in args)
        order = () if shuffled else ("-p", "no:randomly")
        return (*OTHERS_OFF, *order, *args)

    def report(self, name: str = "hazelnut", folder: Path | None = None) -> dict[str, Any]:
        path = (folder or self.reports) / f"{name}.json"
        content: dict[str, Any] = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_refuse
        )
        return content

    def session(self) -> dict[str, Any]:
        path = self.reports / "session.json"
        content: dict[str, Any] = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_refuse
        )
        return content

    def forget(self) -> None:
        """Remove the reports of earlier runs."""
        shutil.rmtree(self.reports, ignore_errors=True)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def condition(report: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one condition's record."""
    corruption, _, severity = name.partition("-")
    robustness = report["robustness"]
    record: dict[str, Any] = (
        robustness["corruptions"][corruption][severity] if severity else robustness["clean"]
    )
    return record


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """Return the outcome of every item of a verbose run, in order; by id where it has one."""
    found: dict[str, str] = {}
    for line in result.outlines:
        nodeid, _, rest = line.partition(" ")
        word = rest.partition(" ")[0]
        if "::" in nodeid and word in ("PASSED", "FAILED", "SKIPPED", "ERROR"):
            found[nodeid.partition("[")[2].rstrip("]") or nodeid.partition("::")[2]] = word.lower()
    return found


def text_of(result: pytest.RunResult) -> str:
    return f"{result.stdout.str()}\n{result.stderr.str()}"


def only_messages(result: pytest.RunResult) -> str:
    """Assert that the user sees messages and no traceback; return what is seen."""
    text = text_of(result)
    for sign in ("Traceback", "During handling", "INTERNALERROR", "direct cause", "Warning"):
        assert sign not in text, text
    return text
