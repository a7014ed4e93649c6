"""``accept.confidence``: what merely holds fails, or is skipped, and everything says the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pytest_robustbench.cli.main import main
from tests.plugin.robustness_project import only_messages, outcomes

if TYPE_CHECKING:
    from tests.plugin.robustness_project import Project

ONE = {
    "corruptions": "[lighting]",
    "severities": "[1]",
    # Few calibration images would leave every limit unshown.
    "extra": "operating_point: {pixel_threshold: 34.0, image_threshold: 38.5}\n",
}
LIMITS = """\
all: {bg_fpr: {max: 0.9}, miss_rate: {max: 0.95}, false_reject_rate: {max: 0.99}}
clean: {miss_rate: {max: 0.2}}
summary: {mean_corruption_miss_rate: {max: 0.2}}
"""
"""On so few defective parts 0.2 holds, and is not shown."""
WAIVERS = """\
waivers:
- {condition: clean, metric: miss_rate, reason: few, by: Ada, until: 2999-01-01}
- {condition: summary, metric: mean_corruption_miss_rate, reason: few, by: Ada, \
until: 2999-01-01}
"""
CLEAN, SUMMARY = "hazelnut-clean", "hazelnut-summary"


def verdict(project: Project, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["verdict", str(project.reports)])
    return code, capsys.readouterr().out


def test_by_value_it_passes_and_says_how_many_limits_are_shown(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.yaml(LIMITS, **ONE)
    result = project.run("--junitxml=junit.xml")
    assert result.ret == 0
    text = only_messages(result)
    verdicts = project.report()["verdicts"]
    n_shown = sum(one["shown"] for one in verdicts)
    assert 0 < n_shown < len(verdicts)
    assert f"{n_shown} of them are shown at 95 %" in text
    assert "hold and are not shown: fresh test images may fail" in text
    assert "~ holds on these images" in text
    assert re.search(r"clean .*~", text)
    assert project.session()["benchmarks"]["hazelnut"]["verdicts"]["shown"] == n_shown
    code, told = verdict(project, capsys)
    assert code == 0
    assert f"{n_shown} of them are shown at 95 %" in told
    properties = ET.parse(project.path / "junit.xml").iter("property")
    told = [one.get("value") for one in properties if one.get("name") == "limits_shown"]
    assert told == ["2 of 3", "3 of 3"]
    table = (project.reports / "conditions.csv").read_text("utf-8-sig").splitlines()
    column = table[0].split(",").index("not_shown")
    assert [row.split(",")[column] for row in table[1:]] == [
        *("miss_rate", "", "mean_corruption_miss_rate"),
    ]
    assert "shown at 95 %" in (project.reports / "summary.md").read_text("utf-8")


def test_where_it_is_demanded_it_fails_and_says_what_would_show_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.yaml(LIMITS + "confidence: 0.95\n", **ONE)
    found = project.run("-v")
    ended = outcomes(found)
    assert {name for name, word in ended.items() if word == "failed"} == {CLEAN, SUMMARY}
    text = only_messages(found)
    assert "keeps the ceiling 0.2 (robustness.yaml:9) and is not shown: at most" in text
    assert "14 defect images with nothing wrong would show it" in text
    assert "FAIL: 2 of 7 limits hold and are not shown; worst:" in text
    code, told = verdict(project, capsys)
    assert code == 1
    assert "not shown" in told
    counts = project.session()["benchmarks"]["hazelnut"]["verdicts"]
    assert counts == {"pass": 5, "fail": 0, "error": 0, "not_shown": 2, "shown": 5}


def test_where_it_is_let_pass_it_is_skipped_and_told(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.yaml(LIMITS + "confidence: 0.95\nunsure: skip\n", **ONE)
    found = project.run("-v", "-rs")
    ended = outcomes(found)
    assert found.ret == 0
    assert {name for name, word in ended.items() if word == "skipped"} == {CLEAN, SUMMARY}
    text = only_messages(found)
    assert "and is not shown: at most" in text
    assert "2 hold and are not shown" in text
    code, told = verdict(project, capsys)
    assert code == 0
    assert "2 hold and are not shown" in told


def test_nothing_but_what_is_not_shown_is_no_verdict(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = "all: {miss_rate: {max: 0.2}, false_reject_rate: {max: 0.7}}\n"
    project.yaml(f"{limits}confidence: 0.95\nunsure: skip\n", **ONE)
    found = project.run("-v")
    assert "NOT JUDGED" in only_messages(found)
    assert verdict(project, capsys)[0] == 3


def test_what_violates_fails_all_the_same(project: Project) -> None:
    project.yaml(
        LIMITS + "lighting: {bg_fpr: {max: 1.0e-9}}\nconfidence: 0.95\nunsure: skip\n", **ONE
    )
    assert project.judged()["hazelnut-lighting-severity_1"] == "failed"


def test_a_waiver_does_not_turn_it_green_in_silence(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.yaml(LIMITS + "confidence: 0.95\n", **{**ONE, "extra": ONE["extra"] + WAIVERS})
    found = project.run("-v")
    assert found.ret == 0
    found.assert_outcomes(passed=2, xfailed=2)
    text = only_messages(found)
    assert text.count("waived: ") >= 2
    assert "2 not shown, and waived for now" in text
    assert "can be removed" not in text
    assert verdict(project, capsys)[0] == 0
    assert project.run("--runxfail").ret == 1


def test_workers_and_the_command_say_what_one_process_says(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.yaml(LIMITS + "confidence: 0.9\n", **ONE)
    project.run()
    alone = project.report()["verdicts"]
    assert "not shown" in {one["verdict"] for one in alone}
    assert {one["confidence"] for one in alone} == {0.9}
    project.forget()
    assert project.run("-n", "2").ret == 1
    assert project.report()["verdicts"] == alone
    monkeypatch.chdir(project.path)
    assert main(["run", "--config", "robustness.yaml", "--output-dir", "again"]) == 1
    again = json.loads((project.path / "again" / "hazelnut.json").read_text("utf-8"))
    assert again["verdicts"] == alone
    counts = json.loads((project.path / "again" / "session.json").read_text("utf-8"))
    own = project.session()["benchmarks"]["hazelnut"]
    assert counts["benchmarks"]["hazelnut"]["verdicts"] == own["verdicts"]
    assert counts["benchmarks"]["hazelnut"]["outcomes"] == own["outcomes"]
