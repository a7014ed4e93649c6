"""Whatever ends a run, what it has finished is on disk, and nothing ends as a success."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pytest_robustbench.cli.main import main as cli_main
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.plugin.workers.presence import Presence, may_be_alive
from pytest_robustbench.plugin.workers.run_context import (
    _home,
    new_run,
    private_folder,
    remove_private_folder,
)
from pytest_robustbench.reports.file import journal
from pytest_robustbench.reports.file.journal import ConditionEntry, read_journal
from tests.plugin.robustness_project import OTHERS_OFF, Project, text_of

KILLS = int(os.environ.get("ROBUSTBENCH_TEST_KILLS", "2"))
"""How often the run is killed that is killed at random times."""
TIMING = ("latency", "memory")
TOLD = ("name", "complete", "missing", "operating_point", "samples", "verdicts")
SLOW = """\
import time
from pathlib import Path
from tests.plugin.line_models import MeanDetector

class Slow(MeanDetector):
    def predict(self, images):
        time.sleep(0.02)
        while Path("wait").exists():
            time.sleep(0.02)
        return super().predict(images)

    def description(self):
        return {"class": "Slow", "speed": 0.02}
"""


@pytest.fixture
def slow(project: Project) -> Project:
    project.write("slow.py", SLOW)
    # At the last severities it finds nothing.
    accept = "all: {bg_fpr: {max: 0.9999}, one_sided: false_alarms}"
    project.yaml(
        accept,
        corruptions="[{lighting: {severity_3: {ev: 0.2}}}, blur]",
        detector='{name: "slow:Slow"}',
        severities="[1, 2, 3, 4, 5]",
    )
    return project


def started(project: Project, *args: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *OTHERS_OFF, "-p", "no:randomly"]
    return subprocess.Popen(
        [*command, *args],
        cwd=project.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def finished(project: Project) -> list[str]:
    """Return the conditions that the journals hold."""
    entries = [e for path in journals(project) for e in read_journal(path)]
    return sorted({e.condition for e in entries if isinstance(e, ConditionEntry)})


def journals(project: Project) -> list[Path]:
    return sorted((project.reports / "journal").glob("*/*.jsonl"))


def wait_for(project: Project, process: subprocess.Popen[bytes], conditions: int) -> None:
    """Wait until so many are on disk; fail where the run ends before."""
    deadline = time.monotonic() + 120
    while len(finished(project)) < conditions:
        assert process.poll() is None, "the run has ended too early"
        assert time.monotonic() < deadline, "nothing was finished"
        time.sleep(0.05)


def merge(project: Project, *places: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from pytest_robustbench.cli.main import main; sys.exit(main())",
    ]
    arguments = ["merge", *map(str, places), "--output-dir", "merged"]
    return subprocess.run(
        [*command, *arguments], cwd=project.path, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_a_run_that_is_killed_leaves_what_it_has_finished(
    slow: Project, workers: list[str]
) -> None:
    process = started(slow, *workers)
    wait_for(slow, process, 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    assert not (slow.reports / "hazelnut.json").exists()
    found = finished(slow)
    assert 3 <= len(found) < 11
    result = merge(slow, slow.reports)
    assert result.returncode == 1, result.stderr
    merged = json.loads((slow.path / "merged" / "hazelnut.json").read_text())
    assert merged["complete"] is False
    assert sorted(merged["missing"]) == sorted(set(ALL) - set(found))


ALL = ["clean", *(f"{c}-severity_{s}" for c in ("lighting", "blur") for s in range(1, 6))]


def test_an_interrupted_run_has_what_it_finished_in_its_report(slow: Project) -> None:
    process = started(slow, "-n", "2")
    wait_for(slow, process, 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == pytest.ExitCode.INTERRUPTED
    report = slow.report()
    assert report["complete"] is False
    assert 0 < len(report["missing"]) < len(ALL)
    assert set(report["missing"]) | set(finished(slow)) >= set(ALL)


def test_a_killed_run_is_resumed_and_merged_results_are_those_of_a_whole_one(
    slow: Project,
) -> None:
    process = started(slow)
    wait_for(slow, process, 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(slow)

    result = slow.run_apart("--robustness-resume")

    assert result.ret == 0
    assert f"taken over from an earlier run: {len(before)} of 11 conditions" in text_of(result)
    report = slow.report()
    assert report["complete"] is True
    (note,) = [n for n in report["notes"] if n.startswith("taken over from an earlier run")]
    assert all(condition in note for condition in before)
    assert sorted(measured_by_the_last_run(slow)) == sorted(set(ALL) - set(before))


def told(project: Project) -> dict[str, Any]:
    """Return what the report tells, without the times and bytes that no two runs share."""
    report = project.report()
    return {
        name: _without_timing(report[name]) for name in (*TOLD, "robustness", "robustness_summary")
    }


def _without_timing(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not any(word in k for word in TIMING)}
        return {key: _without_timing(inner) for key, inner in kept.items()}
    return [_without_timing(inner) for inner in value] if isinstance(value, list) else value


def test_a_run_that_is_killed_at_random_times_ends_as_if_undisturbed(slow: Project) -> None:
    began = time.monotonic()
    assert started(slow).wait() == pytest.ExitCode.OK
    longest, undisturbed = time.monotonic() - began, told(slow)
    rng, kills, ended = Random(0), 0, 0
    while kills < KILLS or not ended:
        slow.forget()
        workers = rng.choice(([], ["-n", "2"]))
        while True:
            process = started(slow, "--robustness-resume", *workers)
            if kills < KILLS and is_killed(process, rng.uniform(0, longest)):
                kills += 1
                continue
            assert process.wait() == pytest.ExitCode.OK
            break
        ended += 1
        assert told(slow) == undisturbed


def is_killed(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a run and its workers after a while, unless it has ended before."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def measured_by_the_last_run(project: Project) -> list[str]:
    entries = read_journal(journals(project)[-1])
    return [e.condition for e in entries if isinstance(e, ConditionEntry) and not e.reused]


def test_a_second_interruption_loses_no_report(slow: Project) -> None:
    """It may come before the reports are written, and then they are written at the very end."""
    slow.write(
        "conftest.py",
        """\
        from pytest_robustbench.plugin.results import course

        def interrupted(_):
            raise KeyboardInterrupt

        course.write_reports = interrupted
        """,
    )
    slow.yaml(detector="pixel_gaussian", **ONE)
    assert slow.run_apart().ret == pytest.ExitCode.INTERRUPTED
    assert slow.report()["complete"] is True
    assert slow.session()["exit_status"] == pytest.ExitCode.INTERRUPTED


# ---- resume ------------------------------------------------------------------------------------


ONE = {"corruptions": "[blur]", "severities": "[1, 3]"}
THREE = {"clean", "blur-severity_1", "blur-severity_3"}


@pytest.fixture
def measured(project: Project) -> Project:
    project.yaml(detector="pixel_gaussian", **ONE)
    assert project.run().ret == 0
    return project


def reused(project: Project) -> set[str]:
    result = project.run("--robustness-resume")
    assert result.ret == 0, text_of(result)
    notes = [n for n in project.report()["notes"] if n.startswith("taken over")]
    return {c for c in THREE for n in notes if c in n}


def test_what_is_unchanged_is_taken_over(measured: Project) -> None:
    first = measured.report()
    assert reused(measured) == THREE
    again = measured.report()
    assert again["robustness"] == first["robustness"]
    assert measured_by_the_last_run(measured) == []


@pytest.mark.parametrize("option", ["--junitxml=results.xml", "--benchmark-json=times.json"])
def test_what_pytest_itself_writes_beside_the_yaml_changes_nothing(
    project: Project, option: str
) -> None:
    project.yaml(detector="pixel_gaussian", **ONE)
    written = project.path / option.partition("=")[2]
    assert project.run(option, "--junitxml=results.xml").ret == 0
    written.write_text("{}", encoding="utf-8")  # the benchmarks write it where there are any
    assert project.run(option, "--junitxml=results.xml", "--robustness-resume").ret == 0
    assert measured_by_the_last_run(project) == []


def test_other_limits_are_judged_on_what_was_measured_before(measured: Project) -> None:
    measured.yaml(
        "all: {pixel_segf1: {min: 1.0}, one_sided: misses}", detector="pixel_gaussian", **ONE
    )
    result = measured.run("--robustness-resume")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "below the floor 1" in text_of(result)
    assert measured_by_the_last_run(measured) == []


def test_the_reports_of_a_merge_below_the_yaml_change_nothing(measured: Project) -> None:
    journal, merged = measured.reports / "journal", measured.path / "recovered"
    assert cli_main(["merge", str(journal), "--output-dir", str(merged)]) == 0
    assert (merged / "session.json").exists()
    assert reused(measured) == THREE


def test_that_something_else_has_changed_is_told(measured: Project) -> None:
    measured.write("settings.json", "{}")
    result = measured.run("--robustness-resume")
    assert {*measured_by_the_last_run(measured)} == THREE
    assert text_of(result).count("measured is of other circumstances, and measured anew: code") == 1


def test_another_setting_of_the_detector_is_measured_again(measured: Project) -> None:
    detector = "{name: pixel_gaussian, kwargs: {smoothing: 3.0}}"
    measured.yaml(detector=detector, **ONE)
    assert reused(measured) == set()


def test_another_corruption_is_measured_again_and_the_others_are_not(measured: Project) -> None:
    other = {"corruptions": "[{blur: {severity_3: {sigma_px: 2}}}]", "severities": "[1, 3]"}
    measured.yaml(detector="pixel_gaussian", **other)
    assert reused(measured) == {"clean"}


def test_another_version_is_measured_again(
    measured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_robustbench.version.__version__", "9.9.9")
    assert reused(measured) == set()


def test_a_detector_whose_code_has_changed_is_measured_again(project: Project) -> None:
    """Its description is the same, and so are its thresholds."""
    code = """\
    from tests.plugin.line_models import MeanDetector

    class Told(MeanDetector):
        def description(self):
            return {"class": "Told"}
    """
    project.write("told.py", code)
    extra = "operating_point: {pixel_threshold: 20.0, image_threshold: 30.0}\n"
    project.yaml(detector='{name: "told:Told"}', extra=extra, **ONE)
    assert project.run_apart().ret == 0
    assert project.run_apart("--robustness-resume").ret == 0
    assert measured_by_the_last_run(project) == []
    project.write("told.py", code + "\n    # another version\n")
    assert project.run_apart("--robustness-resume").ret == 0
    assert set(measured_by_the_last_run(project)) == THREE


def test_what_could_not_be_measured_is_tried_again(project: Project) -> None:
    broken = '{name: "line_models:FaultyDetector", kwargs: {fault: raise}}'
    whole = '{name: "line_models:FaultyDetector", kwargs: {fault: none}}'
    project.yaml(detector=broken, **ONE)
    assert project.run().ret == pytest.ExitCode.TESTS_FAILED
    project.yaml(detector=whole, **ONE)
    assert reused(project) == set()


def test_a_detector_nobody_can_tell_apart_is_measured_again(project: Project) -> None:
    """It does not describe itself, and its thresholds are given: nothing tells what changed."""
    extra = "operating_point: {pixel_threshold: 20.0, image_threshold: 30.0}\n"
    project.yaml(extra=extra, **ONE)
    assert project.run().ret == 0
    assert reused(project) == set()


def test_a_file_that_cannot_be_read_is_no_traceback_and_nothing_is_taken_over(
    measured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell whether it decides a result, nor whether it has changed."""
    (measured.path / "locked.bin").write_bytes(b"1")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "locked.bin":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert measured.run().ret == 0
    assert reused(measured) == set()


def edited(project: Project, change: Callable[[dict[str, Any]], object], *, seal: bool) -> str:
    """Change the records in the journal of the last run; return its path as messages show it."""
    path = journals(project)[-1]
    lines = [json.loads(line) for line in path.read_text().splitlines() if line]
    for line in lines:
        if line["kind"] == "condition":
            change(line["record"])
    lines = [sealed(line) if seal else line for line in lines]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return str(path)


def better(record: dict[str, Any]) -> None:
    record["results"]["pixel_metrics"]["pixel_segf1"] = 0.97


def elsewhere(record: dict[str, Any]) -> None:
    record["results"]["threshold"] += 1


def milder(record: dict[str, Any]) -> None:
    record["specification"] = {"parameters": {}}


@pytest.mark.parametrize("seal", [False, True], ids=["edited", "edited and sealed"])
@pytest.mark.parametrize("change", [better, elsewhere, milder])
def test_an_edited_record_is_measured_anew_with_a_note_that_names_it(
    measured: Project, change: Callable[[dict[str, Any]], None], seal: bool
) -> None:
    first = measured.report()
    path = edited(measured, change, seal=seal)
    result = measured.run("--robustness-resume")
    assert result.ret == 0
    report = measured.report()
    assert set(measured_by_the_last_run(measured)) == THREE
    assert report["robustness"]["clean"]["results"] == first["robustness"]["clean"]["results"]
    for line in (2, 3, 4):
        (note,) = [n for n in report["notes"] if f"{path}:{line}" in n]
        assert note.endswith(": measured anew")
        assert f"{path}:{line}" in text_of(result)


@pytest.mark.parametrize("record", [None, [], "x", {"error": None}, {}])
def test_a_record_of_another_kind_is_measured_anew(measured: Project, record: object) -> None:
    path = journals(measured)[-1]
    lines = [json.loads(line) for line in path.read_text().splitlines() if line]
    lines[1]["record"] = record
    path.write_text("".join(f"{json.dumps(sealed(line))}\n" for line in lines))
    assert reused(measured) == THREE - {lines[1]["condition"]}
    assert any(f"{path}:2 is no line of a journal" in note for note in measured.report()["notes"])


def test_broken_lines_are_counted_and_named_and_the_others_taken_over(measured: Project) -> None:
    path = journals(measured)[-1]
    whole = path.read_bytes()
    path.write_bytes(b"{\n" + whole + b"[" * 100_000 + b"\n" + whole[:20])
    assert reused(measured) == THREE
    notes = "\n".join(measured.report()["notes"])
    assert f"2 lines that are no JSON, left out: '{path}:1', '{path}:" in notes
    assert "was cut short when its run ended" in notes


def test_without_the_option_everything_is_measured(measured: Project) -> None:
    assert measured.run().ret == 0
    assert set(measured_by_the_last_run(measured)) == THREE


# ---- several runs in one folder ----------------------------------------------------------------


def test_a_run_that_ends_leaves_the_journal_of_one_that_is_going(slow: Project) -> None:
    process = started(slow)
    wait_for(slow, process, 2)
    slow.write("wait", "")
    (going,) = journals(slow)
    slow.yaml(detector="pixel_gaussian", **ONE)
    assert slow.run_apart().ret == 0
    assert going.exists()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert slow.run_apart().ret == 0
    assert not going.exists()


def test_a_run_that_ends_leaves_what_a_dead_one_has_measured_of_another_benchmark(
    slow: Project,
) -> None:
    slow.write("first.yaml", (slow.path / "robustness.yaml").read_text())
    process = started(slow, "--robustness-config=first.yaml")
    wait_for(slow, process, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(slow)
    slow.yaml(detector="pixel_gaussian", name="other", **ONE)
    assert slow.run_apart().ret == 0
    result = slow.run_apart("--robustness-config=first.yaml", "--robustness-resume")
    assert f"taken over from an earlier run: {len(before)} of 11 conditions" in text_of(result)


def test_the_later_of_two_runs_replaces_no_report_unnoticed(slow: Project) -> None:
    """The first to end has its report; the other ends red, and its journal holds what it found."""
    process = started(slow, "--junitxml=first.xml")
    wait_for(slow, process, 2)
    slow.write("wait", "")
    yaml = (slow.path / "robustness.yaml").read_text()
    slow.yaml(detector="pixel_gaussian", **ONE)
    assert slow.run_apart().ret == 0
    report = slow.report()
    slow.write("robustness.yaml", yaml)
    (slow.path / "wait").unlink()
    assert process.wait(timeout=120) == pytest.ExitCode.TESTS_FAILED
    assert slow.report() == report
    assert "was written by another run while this one was going" in (
        slow.path / "first.xml"
    ).read_text(encoding="utf-8")
    result = slow.run_apart("--robustness-resume", "--junitxml=first.xml")
    assert result.ret == 0
    assert "taken over from an earlier run: 11 of 11" in text_of(result)


def test_it_is_said_that_pages_of_another_run_were_replaced(project: Project) -> None:
    project.yaml(detector="pixel_gaussian", **ONE)
    project.write(
        "conftest.py",
        """\
        from pathlib import Path

        def pytest_runtest_teardown(item):
            Path("robustness-report").mkdir(exist_ok=True)
            Path("robustness-report", "session.json").write_text("{}")
        """,
    )
    result = project.run()
    assert result.ret == 0
    assert "another run has ended in robustness-report meanwhile" in text_of(result)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    path = tmp_path / new_run()
    path.mkdir()
    (path / "main.jsonl").write_text("")
    return path


def test_a_run_is_alive_while_its_process_is(run_folder: Path) -> None:
    presence = Presence()
    presence.begin(run_folder / "main.jsonl")
    assert may_be_alive(run_folder)
    presence.end()
    assert not may_be_alive(run_folder)


@pytest.mark.parametrize("lock", ["main-0123abcd.lock", None], ids=["of another host", "none"])
def test_what_no_lock_decides_is_decided_by_its_age(run_folder: Path, lock: str | None) -> None:
    if lock:
        (run_folder / lock).touch()
    assert may_be_alive(run_folder)
    for path in (run_folder, *run_folder.iterdir()):
        os.utime(path, (0, 0))
    assert not may_be_alive(run_folder)


def test_where_there_are_no_locks_a_run_goes_on_and_its_journal_stays_for_a_day(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", unknown)
    presence = Presence()
    presence.begin(run_folder / "main.jsonl")
    presence.end()
    assert may_be_alive(run_folder)


# ---- disks -------------------------------------------------------------------------------------


def full(_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_journal_that_cannot_be_written_is_no_success(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.yaml(detector="pixel_gaussian", **ONE)
    monkeypatch.setattr(journal.os, "fsync", full)
    result = project.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "No space left on device" in text_of(result)


def test_the_names_of_later_runs_sort_behind() -> None:
    names = [new_run() for _ in range(200)]
    assert [name.partition("-")[0] for name in names] == sorted(n.partition("-")[0] for n in names)
    assert len({name.partition("-")[0] for name in names}) > 100


def test_nothing_is_removed_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names in the temporary folder may be another user's, and lead elsewhere."""
    run, home = new_run(), tmp_path / "home"
    (home / run).mkdir(parents=True)
    (home / "old_docs").mkdir()
    link = tmp_path / "tmp" / _home().name
    link.parent.mkdir()
    link.symlink_to(home)
    monkeypatch.setattr("tempfile.tempdir", str(link.parent))
    remove_private_folder(run)
    assert (home / run).is_dir()
    assert (home / "old_docs").is_dir()


def test_what_a_run_has_shared_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run, other = new_run(), new_run()
    stale = "20200101T000000000000-0123abcd"
    for name in (run, other, stale, "old_docs"):
        private_folder(name)
    for name in (stale, "old_docs"):
        os.utime(_home() / name, (0, 0))
    remove_private_folder(run)
    assert {path.name for path in _home().iterdir()} == {other, "old_docs"}
