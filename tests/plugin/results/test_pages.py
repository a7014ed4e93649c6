"""What people read beside the JSON: report.html, summary.md, conditions.csv, JUnit."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import pytest_robustbench.reports.pages.html.page
from pytest_robustbench.reports.pages import formats, write
from pytest_robustbench.reports.pages.extras import Extra
from tests.plugin.robustness_project import (
    WITH_PAGE,
    Project,
    condition,
    only_messages,
    outcomes,
)

LIMITS = """\
all: {pixel_segf1: {min: 0.001}, bg_fpr: {max: 0.99}}
lighting:
  severity_3: {pixel_segf1: {min: 0.99}}
"""


class Page(HTMLParser):
    """Verdicts, commands, pictures and texts of a report.html."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.commands: dict[str, str] = {}
        self.pictures: list[dict[str, str | None]] = []
        self.texts: list[str] = []
        self._condition = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._condition = found.get("data-command") or ""
        if tag == "img":
            self.pictures.append(found)

    def handle_data(self, data: str) -> None:
        if self._condition:
            self.commands[self._condition] = self.commands.get(self._condition, "") + data
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def page_of(project: Project) -> Page:
    return Page((project.reports / "report.html").read_text(encoding="utf-8"))


def title_of(project: Project) -> str:
    text = (project.reports / "report.html").read_text(encoding="utf-8")
    found = re.search("<title>(.*?)</title>", text)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def _with_page(project: Project) -> None:
    project.write("pytest.ini", WITH_PAGE)


@pytest.fixture
def gated(project: Project) -> Project:
    project.yaml(LIMITS)
    return project


@pytest.fixture(scope="module")
def kept() -> dict[Path, pytest.RunResult]:
    """What a run of `gated` has left, once it was asked for, and its result."""
    return {}


@pytest.fixture
def ran(
    gated: Project, kept: dict[Path, pytest.RunResult], tmp_path_factory: pytest.TempPathFactory
) -> pytest.RunResult:
    """The result of a run of `gated`, whose files lie where it has written them."""
    if not kept:
        result = gated.run("-m", "robustness", "--junitxml=robustness-report/junit.xml")
        folder = tmp_path_factory.mktemp("kept")
        shutil.copytree(gated.reports, folder, dirs_exist_ok=True)
        kept[folder] = result
    for folder in kept:
        shutil.copytree(folder, gated.reports, dirs_exist_ok=True)
    return next(iter(kept.values()))


def test_a_run_writes_pages_and_says_where(gated: Project, ran: pytest.RunResult) -> None:
    ran.stdout.fnmatch_lines(
        ["page: robustness-report/report.html (beside it summary.md and conditions.csv)"]
    )
    assert title_of(gated).startswith("hazelnut: FAIL")
    summary = (gated.reports / "summary.md").read_text(encoding="utf-8")
    assert "hazelnut: FAIL" in summary
    assert "lighting-severity\\_3" in summary
    only_messages(ran)


def test_the_table_for_spreadsheets_has_the_numbers_of_the_report(
    gated: Project, ran: pytest.RunResult
) -> None:
    with (gated.reports / "conditions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["condition"]: row for row in csv.DictReader(file)}
    assert list(rows) == [
        "clean",
        "lighting-severity_1",
        "lighting-severity_3",
        "blur-severity_1",
        "blur-severity_3",
    ]
    report = gated.report()
    for name, row in rows.items():
        pixels = condition(report, name)["results"]["pixel_metrics"]
        assert float(row["pixel_segf1"]) == pixels["pixel_segf1"]
        assert row["verdict"] == ("fail" if name == "lighting-severity_3" else "pass")


def test_every_condition_has_pictures_with_words(gated: Project, ran: pytest.RunResult) -> None:
    page = page_of(gated)
    assert set(page.commands) == {c["condition"] for c in _limits(gated)}
    assert len(page.pictures) >= 5
    assert all((p["alt"] or "").startswith("test/") for p in page.pictures)
    assert all((p["src"] or "").startswith("data:image/jpeg;base64,") for p in page.pictures)


def _limits(project: Project) -> list[dict[str, Any]]:
    return list(project.report()["verdicts"])


def test_workers_send_their_pictures(gated: Project, ran: pytest.RunResult) -> None:
    alone = page_of(gated)
    gated.forget()
    gated.run("-m", "robustness", "-n", "2")

    assert [p["src"] for p in page_of(gated).pictures] == [p["src"] for p in alone.pictures]


def test_pictures_of_earlier_runs_do_not_pile_up(gated: Project, ran: pytest.RunResult) -> None:
    folder = gated.reports / "hazelnut" / "thumbnails"
    (folder / f"{'0' * 16}-{'1' * 16}.jpg").write_bytes(b"old")
    gated.run("-m", "robustness")

    kept = {path.name for path in folder.iterdir()}
    assert f"{'0' * 16}-{'1' * 16}.jpg" not in kept
    assert len(kept) == len({p["src"] for p in page_of(gated).pictures})


def test_the_command_of_a_condition_measures_it_alone_and_alike(
    gated: Project, ran: pytest.RunResult
) -> None:
    words = shlex.split(page_of(gated).commands["lighting-severity_3"])
    assert words[0] == "pytest"
    whole = condition(gated.report(), "lighting-severity_3")
    result = gated.run(*words[1:])

    result.assert_outcomes(failed=1, skipped=1)
    again = condition(gated.report(folder=gated.reports / "rerun"), "lighting-severity_3")
    assert again["results"] == whole["results"]
    assert again["per_image"] == whole["per_image"]


def test_the_command_reruns_one_item_where_a_name_holds_another(gated: Project) -> None:
    one = (
        f"dataset: {{format: mvtec, root: '{gated.data}', category: brushed_metal}}, "
        "detector: {name: 'line_models:MeanDetector'}, corruptions: none, "
        "accept: {clean: {false_reject_rate: {max: 0.99}, miss_rate: {max: 0.99}}}"
    )
    declared = f"benchmarks: {{nuts: {{{one}}}, hazelnuts: {{{one}}}}}"
    gated.write("robustness.yaml", f"schema_version: 1\n{declared}\n")
    gated.run()
    chapters = (gated.reports / "report.html").read_text("utf-8").split("<h2")
    nuts = next(each for each in chapters if "[nuts-clean]" in each)
    words = shlex.split(Page(nuts).commands["clean"])
    result = gated.run("-v", *words[1:])

    assert outcomes(result) == {"nuts-clean": "passed", "nuts-complete": "skipped"}


@pytest.mark.parametrize("folder", ["two words", "ü", "a'b"])
def test_the_command_leads_to_a_test_of_any_name(gated: Project, folder: str) -> None:
    own = """\
        import pytest

        @pytest.mark.parametrize("line", ["a b", "[x]"])
        def test_of_mine(robustness_result, robustness_judge, line):
            robustness_judge(robustness_result)
        """
    gated.write(f"{folder}/test_own.py", own)
    gated.run("-m", "robustness", folder)
    words = shlex.split(page_of(gated).commands["clean"])
    result = gated.run("-v", *words[1:])

    result.assert_outcomes(passed=1, skipped=1)
    assert words[:3] == ["pytest", "-p", "no:hypothesispytest"]
    assert folder not in words


def test_off_leaves_the_page_and_its_pictures_out(gated: Project) -> None:
    result = gated.run("-m", "robustness", "--robustness-html=off")

    assert not (gated.reports / "report.html").exists()
    assert not (gated.reports / "hazelnut" / "thumbnails").exists()
    assert (gated.reports / "summary.md").exists()
    result.stdout.no_fnmatch_line("*jinja2*")


def test_another_word_than_on_or_off_is_refused(gated: Project) -> None:
    result = gated.run("-m", "robustness", "--robustness-html=yes")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--robustness-html must be on or off, not 'yes'*"])


def test_without_the_extra_a_hint_and_everything_else(
    gated: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(formats.HTML, extra=Extra("report", ("jinja2", "no_such_package")))
    monkeypatch.setattr(write, "FORMATS", (row, *formats.FORMATS[1:]))
    result = gated.run("-m", "robustness")

    text = result.stdout.str()
    assert text.count("no_such_package is not installed") == 1
    assert 'pip install "pytest-robustbench[report]"' in text
    assert not (gated.reports / "report.html").exists()
    assert list((gated.reports / "hazelnut" / "thumbnails").iterdir()), "for a page made later"
    for name in ("hazelnut.json", "session.json", "summary.md", "conditions.csv"):
        assert (gated.reports / name).exists()
    result.assert_outcomes(failed=1, passed=5)
    only_messages(result)


def test_pages_of_an_earlier_run_do_not_survive_one_that_dies(
    gated: Project, ran: pytest.RunResult
) -> None:
    gated.write(
        "test_line.py",
        """
        import os

        def test_crash(robustness_result):
            os._exit(3)
        """,
    )
    gated.run_apart("-m", "robustness")

    for name in ("report.html", "summary.md", "conditions.csv", "session.json"):
        assert not (gated.reports / name).exists()


def test_a_page_that_cannot_be_rendered_fails_the_session_alone(
    gated: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(pytest_robustbench.reports.pages.html.page, "report_html", broken)
    gated.yaml()
    result = gated.run("-m", "robustness")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*pages of this run cannot be written: not foreseen*no ink*"])
    assert gated.report()["complete"]
    assert not (gated.reports / "report.html").exists()


def test_a_crashed_condition_is_told_on_the_page(project: Project) -> None:
    project.yaml()
    project.write(
        "conftest.py",
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                if "blur-severity_3" in item.name:
                    item.add_marker(pytest.mark.skip(reason="vanished"))
        """,
    )
    project.run("-m", "robustness")

    assert title_of(project).startswith("hazelnut: FAIL")
    assert "selected, but ended without a verdict: blur-severity_3" in page_of(project).text


def test_a_deselected_run_never_says_pass(project: Project) -> None:
    project.yaml()
    result = project.run("-m", "robustness", "-k", "clean")

    assert result.ret == 0
    assert title_of(project).startswith("hazelnut: INCOMPLETE")


def test_a_comparison_that_fails_for_want_of_a_baseline_is_no_pass(project: Project) -> None:
    project.yaml(
        extra="regression: {baseline: 'baselines/{name}.json', pixel_segf1: {max_drop: 0.1}, "
        "one_sided: misses}\n"
    )
    result = project.run("-m", "robustness")

    assert result.ret == 1
    assert title_of(project).startswith("hazelnut: FAIL")
    assert "no baseline at" in page_of(project).text


def test_benchmarks_that_were_left_out_are_named(project: Project) -> None:
    project.write(
        "robustness.yaml",
        f"""
        schema_version: 1
        defaults:
          dataset: {{format: mvtec, root: '{project.data}', category: brushed_metal}}
          detector: {{name: "line_models:MeanDetector"}}
          corruptions: [blur]
          severities: [1]
          accept: {{all: {{miss_rate: {{max: 0.99}}, one_sided: misses}}}}
        benchmarks: {{first: {{}}, second: {{}}}}
        """,
    )
    result = project.run("-m", "robustness", "-k", "first")

    assert result.ret == 0
    assert title_of(project).startswith("second: NOT JUDGED, first: PASS")


def test_the_step_summary_of_a_ci_is_appended_to(
    gated: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = gated.write("step.md", "# Earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    gated.run("-m", "robustness")

    text = step.read_text(encoding="utf-8")
    assert text.startswith("# Earlier step\n")
    assert text.count("hazelnut: FAIL") == 1


def test_junit_failures_begin_with_metric_value_and_limit(
    gated: Project, ran: pytest.RunResult
) -> None:
    (failure,) = ET.parse(gated.reports / "junit.xml").getroot().iter("failure")
    first = (failure.get("message") or "").splitlines()[0]
    value = condition(gated.report(), "lighting-severity_3")["results"]["pixel_metrics"]
    shown = f"{value['pixel_segf1']:.3g}"
    assert re.fullmatch(
        rf"Failed: pixel_segf1 = {shown} is [\d.]+ below the floor 0.99 \(robustness.yaml:\d+\).*",
        first,
    )


def test_resuming_shows_the_pictures_of_the_run_before(gated: Project) -> None:
    gated.yaml(LIMITS, detector="pixel_gaussian")
    gated.run("-m", "robustness", "-k", "not blur-severity_3")
    result = gated.run("-m", "robustness", "--robustness-resume", "-vv")

    assert "taken over from an earlier run: 4 of 5" in result.stdout.str()
    assert "it was not kept beside the report" not in page_of(gated).text


def test_a_test_of_ones_own_that_fails_keeps_the_page_from_passing(project: Project) -> None:
    project.yaml()
    project.write(
        "test_own.py",
        """
        def test_own(robustness_result, robustness_judge):
            robustness_judge(robustness_result)
            assert robustness_result.condition.severity != 3, "my own gate"
        """,
    )
    result = project.run("-m", "robustness", "test_own.py")

    assert result.ret == 1
    assert title_of(project).startswith("hazelnut: FAIL")
    told = "a test failed for another reason than a limit: lighting-severity_3, blur-severity_3"
    assert told in page_of(project).text
    assert project.session()["benchmarks"]["hazelnut"]["problems"] == [told]
    assert all(v["verdict"] == "pass" for v in _limits(project))


def test_pictures_of_another_model_at_the_same_thresholds_are_not_shown(
    project: Project,
) -> None:
    point = "operating_point: {pixel_threshold: 60, image_threshold: 60}\n"
    project.yaml(LIMITS, extra=point)
    project.run("-m", "robustness")
    assert list((project.reports / "hazelnut" / "thumbnails").iterdir())

    project.yaml(LIMITS, extra=point, detector="pixel_gaussian")
    project.run("-m", "robustness", "--robustness-html=off")

    assert not list((project.reports / "hazelnut" / "thumbnails").iterdir())


def test_the_page_has_the_notes_of_the_terminal(project: Project) -> None:
    project.yaml("all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}")
    result = project.run("-m", "robustness")

    note = "no limit would fail a detector that never fires"
    assert note in result.stdout.str()
    assert note in page_of(project).text
    assert note in (project.reports / "summary.md").read_text(encoding="utf-8")


def test_a_step_summary_that_cannot_be_written_costs_a_line_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.yaml()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "not" / "there"))
    result = project.run("-m", "robustness")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*GITHUB_STEP_SUMMARY names cannot be written: No such file*"])
    assert title_of(project).startswith("hazelnut: PASS")
