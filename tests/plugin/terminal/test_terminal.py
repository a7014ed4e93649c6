"""What stands on the screen."""

from __future__ import annotations

import os
import re
import sys
from itertools import takewhile

import pytest

from pytest_robustbench.metrics.catalogue import BUILT_IN, bound_of
from tests.plugin.robustness_project import OTHERS_OFF, Project, only_messages

FLOORED = tuple(m.name for m in BUILT_IN if m.more_is_better)
FPRS = ("bg_fpr", "normal_fpr", "latency_ms_per_image", "latency_relative")
AFTER = ("  note:", "  ~ holds", "  report:", "  1 of", "  2 of")
TWO = {"corruptions": "[lighting, blur]", "severities": "[1, 3]"}


@pytest.fixture
def gated(project: Project) -> Project:
    project.yaml("all: {pixel_segf1: {min: 0.3}, one_sided: misses}", **TWO)
    return project


def table_of(result: pytest.RunResult) -> list[str]:
    """Return the lines between the calibration and the note or path that follow the table."""
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if line.startswith("  calibrated on"))
    return list(takewhile(lambda line: not line.startswith(AFTER), lines[start + 1 :]))


def test_header_and_table_with_the_worst_first(gated: Project) -> None:
    result = gated.run()
    result.stdout.fnmatch_lines(
        [
            "robustness: robustness.yaml",
            "*= robustness =*",
            "hazelnut: *pixel threshold *image threshold *",
            "  calibrated on 3 held-out train images: expect 25.0% of good parts rejected, *",
            "*- pixel_segf1 -*",
            "  worst by margin: * value * limit * margin",
            "  lighting-severity_3 *! 0.* >= 0.3 *-0.*",
            "  others:",
            "*report: robustness-report/hazelnut.json",
            "*short test summary*",
        ]
    )
    only_messages(result)
    rows = [line.split() for line in table_of(result)]
    first, others = rows.index(["others:"]), ("clean", "lighting", "blur")
    assert first == 2 + 3
    margins = [float(row[-1]) for row in rows[2:first]]
    assert margins == sorted(margins)
    left = [others.index(row[0].partition("-")[0]) for row in rows[first + 1 :]]
    assert left == sorted(left)


LONG = "very_long_name_of_a_corruption_that_somebody_in_quality_called_so"
DRIFT = f"""
    def {LONG}(image, mask, severity, rng):
        return image, mask

    def broken(image, mask, severity, rng):
        raise ValueError("no lens")
"""


def test_a_table_never_takes_more_than_80_columns(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    limits = ", ".join(
        f"{metric}: {{{bound_of(metric)}: 0.1234567890123}}" for metric in (*FLOORED, *FPRS)
    )
    project.write("drift.py", DRIFT)
    project.yaml(
        f"all: {{{limits}}}\nsummary: {{worst_corruption_pixel_average_precision: {{min: 0.9}}}}",
        corruptions=f"[lighting, 'drift:{LONG}']",
        severities="[1]",
    )
    table = table_of(project.run())
    assert max(map(len, table)) <= 80
    for metric in (
        *FLOORED,
        *FPRS,
        "worst_corruption_pixel_average_precision",
    ):
        assert any(metric in line.split() for line in table), metric
    for line in table:
        if ">=" in line or "<=" in line:
            assert line.startswith(("  clean", "  lighting-severity_1", "  very", "  worst_"))


def test_what_cannot_be_measured_is_worst(project: Project) -> None:
    project.write("drift.py", DRIFT)
    project.yaml(
        "all: {recall: {min: 0.1}, one_sided: misses}", corruptions="[blur, 'drift:broken']"
    )
    rows = [line.split() for line in table_of(project.run())]
    assert rows[2:4] == [[f"broken-severity_{i}", "!", "-", ">=", "0.1", "?"] for i in (1, 3)]


@pytest.mark.parametrize("color", ["no", "auto", "yes"])
def test_colours_are_for_terminals(gated: Project, color: str) -> None:
    result = gated.run_apart(f"--color={color}")
    text = result.stdout.str()
    assert "\r" not in text
    if color != "yes":
        assert "\x1b" not in text
    else:
        assert re.search(r"\x1b\[31m\x1b\[1m *! 0\.\d+ +>= 0\.3 +-0\.\d+ *\x1b\[0m", text)
        assert not re.search(r"\x1b\[\d*[A-LN-Za-ln-z]", text)  # colours, and no other escape


def test_nothing_flickers_in_a_log(gated: Project) -> None:
    for arguments in ((), ("-q",), ("-v",)):
        text = gated.run(*arguments).stdout.str()
        assert "\x1b" not in text
        assert "\r" not in text
        assert "images/s" not in text


def test_quiet_keeps_verdicts_and_report(gated: Project) -> None:
    result = gated.run("-q")
    result.stdout.fnmatch_lines(["*report: robustness-report/hazelnut.json"])
    result.stdout.no_fnmatch_line("*! 0.*")
    result.stdout.fnmatch_lines(["FAILED *lighting-severity_3*"])


def test_without_a_terminal_reporter(gated: Project) -> None:
    gated.yaml("all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}", **TWO)
    assert gated.run("-p", "no:terminalreporter", "-p", "no:terminal").ret == 0
    assert gated.report()["complete"]


def test_a_set_of_limits_that_a_silent_detector_meets_is_noted(project: Project) -> None:
    project.yaml("all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}", **TWO)
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


def on_a_terminal(project: Project, *arguments: str, ends_with: int = 0, **environment: str) -> str:
    """Run pytest on a pseudo-terminal; return all it wrote."""
    import pty

    known = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER", "COLUMNS")}
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", *OTHERS_OFF, *arguments]
    pid, descriptor = pty.fork()
    if pid == 0:  # pragma: no cover
        os.chdir(project.path)
        os.execve(sys.executable, command, {**known, "TERM": "xterm", **environment})
    seen = b""
    try:
        while chunk := os.read(descriptor, 4096):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == ends_with, seen.decode()
    return seen.decode()


@pytest.fixture
def slow(gated: Project) -> Project:
    gated.yaml(
        "all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}",
        detector="{name: 'line_models:MeanDetector', kwargs: {pause: 0.05}}",
        corruptions="[blur]",
        severities="[3, 5]",
    )
    return gated


SHOWN = re.compile(r"\r?\n\r\x1b\[K([^\x1b]*)\x1b\[1A\r(?:\x1b\[\d+C)?")
"""The line below, and back to where pytest is."""
TASKBAR = re.compile(r"\x1b\]9;4;[^\x1b]*\x1b\\")
"""What pytest 9.0.0 tells the window of the terminal about its own progress."""
needs_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


@needs_a_terminal
def test_progress_on_a_terminal_is_cleared(slow: Project) -> None:
    text = on_a_terminal(slow)
    shown = SHOWN.findall(text)
    assert re.fullmatch(r"fit \d+ images", shown[0])
    phases = [re.match(r"calibrate|condition \d of \d [a-z_3-5-]+", line) for line in shown]
    assert list(dict.fromkeys(found.group() for found in phases if found)) == [
        "calibrate",
        "condition 1 of 3 clean",
        "condition 2 of 3 blur-severity_3",
        "condition 3 of 3 blur-severity_5",
    ]
    assert any(re.search(r" images/s, \d+:\d\d left$", line) for line in shown)
    assert shown[-1] == ""
    assert max(map(len, shown)) < 80
    left = SHOWN.sub("", TASKBAR.sub("", text))
    assert "images/s" not in left
    assert re.search(r"^test_line\.py \.\.\.", left, re.MULTILINE)


@needs_a_terminal
def test_progress_counts_what_was_selected(slow: Project) -> None:
    text = on_a_terminal(slow, "-k", "severity_5")
    assert "condition 1 of 1 blur-severity_5" in text


@needs_a_terminal
def test_progress_of_a_condition_that_breaks_off_is_cleared(slow: Project) -> None:
    slow.write("drift.py", DRIFT)
    slow.yaml(corruptions="['drift:broken']", severities="[3]")
    shown = SHOWN.findall(on_a_terminal(slow, ends_with=1))
    assert shown[-2].startswith("condition 2 of 2 broken-severity_3, ")
    assert shown[-1] == ""


@needs_a_terminal
@pytest.mark.parametrize(
    ("arguments", "environment"), [(["-q"], {}), ([], {"CI": "true"}), ([], {"TERM": "dumb"})]
)
def test_no_progress_where_nobody_looks(
    slow: Project, arguments: list[str], environment: dict[str, str]
) -> None:
    assert not SHOWN.search(on_a_terminal(slow, *arguments, **environment))
