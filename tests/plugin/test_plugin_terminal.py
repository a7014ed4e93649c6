"""What stands on the screen."""

from __future__ import annotations

import os
import re
import sys

import pytest
from robustness_project import Project, only_messages

TWO = {"corruptions": "[lighting, blur]", "severities": "[1, 3]"}


@pytest.fixture
def gated(project: Project) -> Project:
    project.yaml("all: {pixel_segf1: {min: 0.3}}", **TWO)
    return project


def test_header_and_table_with_the_worst_first(gated: Project) -> None:
    result = gated.run()
    result.stdout.fnmatch_lines(
        [
            "robustness: robustness.yaml",
            "*= robustness =*",
            "hazelnut: *pixel threshold *image threshold *",
            "  calibrated on 3 held-out train images",
            "*pixel_segf1*",
            "  lighting-severity_3 *! 0.* >= 0.3*",
            "*clean*",
            "*report: robustness-report/hazelnut.json",
            "*short test summary*",
        ]
    )
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if line.split() == ["pixel_segf1"])
    shown = [line.replace("!", "").split() for line in lines[start + 1 : start + 6]]
    values = [float(words[1]) for words in shown]
    assert values == sorted(values)
    only_messages(result)


def test_nothing_flickers_in_a_log(gated: Project) -> None:
    result = gated.run("-q")
    assert "\x1b[K" not in result.stdout.str()
    assert "\r" not in result.stdout.str()


def test_quiet_keeps_verdicts_and_report(gated: Project) -> None:
    result = gated.run("-q")
    result.stdout.fnmatch_lines(["*report: robustness-report/hazelnut.json"])
    result.stdout.no_fnmatch_line("*! 0.*")
    result.stdout.fnmatch_lines(["FAILED *lighting-severity_3*"])


def test_without_a_terminal_reporter(gated: Project) -> None:
    gated.yaml("all: {miss_rate: {max: 1.0}}", **TWO)
    assert gated.run("-p", "no:terminalreporter", "-p", "no:terminal").ret == 0
    assert gated.report()["complete"]


def test_a_set_of_limits_that_a_silent_detector_meets_is_noted(project: Project) -> None:
    project.yaml("all: {bg_fpr: {max: 1.0}}", **TWO)
    project.run().stdout.fnmatch_lines(["*note: no limit would fail a detector that never fires*"])


def test_frozen_thresholds_are_shown_beside_what_calibrating_would_give(project: Project) -> None:
    point = "operating_point: {pixel_threshold: 60, image_threshold: 60}\n"
    project.yaml(extra=point, **TWO)
    result = project.run("-q")

    result.stdout.fnmatch_lines(
        [
            "  at thresholds that were given",
            "  recalibrated: pixel threshold 60 -> *, clean pixel_segf1 0* -> 0.*",
            "  the frozen pixel threshold calls *% of the calibration images*0.10%",
        ]
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_is_cleared(gated: Project) -> None:
    import pty

    gated.yaml(
        "all: {miss_rate: {max: 1.0}}",
        detector="{name: 'line_models:MeanDetector', kwargs: {pause: 0.1}}",
        corruptions="[blur]",
        severities="[3]",
    )
    pid, descriptor = pty.fork()
    if pid == 0:  # pragma: no cover
        os.chdir(gated.path)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", "-p", "no:randomly"])
    seen = b""
    try:
        while chunk := os.read(descriptor, 4096):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, seen.decode()
    text = seen.decode()
    assert "calibrate " in text
    shown = list(re.finditer(r"\r\x1b\[K[a-z_3-]+ \d+/\d+ images", text))
    assert shown
    assert text[shown[-1].end() :].startswith("\r\x1b[K")
