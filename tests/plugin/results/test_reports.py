"""What a session leaves behind, however it ends."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.plugin.robustness_project import Project, condition, only_messages, outcomes

TWO = {"corruptions": "[lighting, blur]", "severities": "[1, 3]"}
ONE = {"corruptions": "[blur]", "severities": "[3]"}
OPEN = "all: {miss_rate: {max: 0.99}, one_sided: misses}"
NAMES = [
    "clean",
    "lighting-severity_1",
    "lighting-severity_3",
    "blur-severity_1",
    "blur-severity_3",
]


def numbers(report: dict[str, Any], name: str) -> dict[str, Any]:
    record = condition(report, name)
    return {key: record[key] for key in ("data_digest", "per_image", "results", "specification")}


def test_numbers_depend_on_nothing_but_the_declaration(project: Project) -> None:
    """Twice, in subsets and backwards."""
    project.yaml(OPEN, **TWO)
    assert project.run().ret == 0
    whole = project.report()
    assert project.run().ret == 0
    again = project.report()
    assert {n: numbers(again, n) for n in NAMES} == {n: numbers(whole, n) for n in NAMES}
    assert again["operating_point"] == whole["operating_point"]
    assert again["sha256"] == whole["sha256"]

    assert project.run("-k", "lighting and severity_3").ret == 0
    only = project.report()
    assert numbers(only, "lighting-severity_3") == numbers(whole, "lighting-severity_3")

    project.write(
        "backwards.py",
        """
        def pytest_collection_modifyitems(items):
            items.reverse()
        """,
    )
    project.pytester.syspathinsert()
    result = project.run("-v", "-p", "backwards")
    assert next(iter(outcomes(result))) == "hazelnut-blur-severity_3"
    backwards = project.report()
    assert {n: numbers(backwards, n) for n in NAMES} == {n: numbers(whole, n) for n in NAMES}


def test_the_session_file_lists_reports_with_their_hashes(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nblur: {pixel_segf1: {min: 1.0}}", **ONE
    )
    result = project.run()
    session = project.session()
    assert session["exit_status"] == result.ret == pytest.ExitCode.TESTS_FAILED
    entry = session["benchmarks"]["hazelnut"]
    content = (project.reports / "hazelnut.json").read_bytes()
    assert entry["report"] == "hazelnut.json"
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["complete"]
    assert entry["outcomes"] == {"complete": "passed"}
    counts = {"pass": 2, "fail": 1, "error": 0, "not_shown": 0}
    assert counts.items() <= entry["verdicts"].items()
    assert not list(project.reports.glob(".*"))


def test_an_interrupted_run_leaves_a_report(project: Project) -> None:
    project.yaml(OPEN, detector="{name: 'line_models:MeanDetector', kwargs: {pause: 0.03}}", **TWO)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:randomly"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        cwd=project.path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if "lighting-severity_1] PASSED" in line:
                process.send_signal(signal.SIGINT)
                break
        seen += process.stdout.read()
    assert process.returncode == pytest.ExitCode.INTERRUPTED, seen
    report = project.report()
    assert not report["complete"]
    assert set(report["missing"]) < set(NAMES)
    assert "blur-severity_3" in report["missing"]
    assert condition(report, "lighting-severity_1")["results"]
    assert project.session()["exit_status"] == pytest.ExitCode.INTERRUPTED
    assert "test_line.py::test_robustness[hazelnut-complete] FAILED" in seen
    assert "hazelnut.json" in seen


def test_an_unwritable_report_folder_fails_clearly(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nblur: {pixel_segf1: {min: 1.0}}", **ONE
    )
    project.write("robustness-report", "a file, not a folder")
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result) == {
        "hazelnut-clean": "passed",
        "hazelnut-blur-severity_3": "failed",
        "hazelnut-complete": "failed",
    }
    text = only_messages(result)
    assert "cannot write" in text
    assert "pixel_segf1 = " in text
    assert "1 passed" in text


def test_a_session_file_that_cannot_be_written_is_no_success(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    (project.reports / "session.json").mkdir(parents=True)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert set(outcomes(result).values()) == {"passed"}
    assert "session.json" in only_messages(result)


def test_an_old_report_is_replaced_whole(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    project.run()
    first = project.report()
    time.sleep(1.1)
    project.run("-k", "clean")
    second = project.report()
    assert second["started"] != first["started"]
    assert second["missing"] == ["blur-severity_3"]
    assert json.loads((project.reports / "hazelnut.json").read_text()) == second
