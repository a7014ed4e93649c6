"""Many workers: the same results as one process, each condition once, and nothing lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import execnet
import pytest

from pytest_robustbench.plugin.workers.run_context import _home
from pytest_robustbench.reports.file.journal import ConditionEntry, read_journal
from tests.plugin.robustness_project import INI, SUITE, Project, text_of

TIMED = ("latency", "memory", "started", "command", "rerun", "content_sha256")
SAVABLE = "pixel_gaussian"
PER_WORKER = '{name: "line_models:MeanDetector"}'


def untimed(plain: Any) -> Any:
    """Leave out what two runs of the same thing do not share."""
    if isinstance(plain, dict):
        kept = {k: v for k, v in plain.items() if not any(t in k for t in TIMED)}
        return {k: untimed(v) for k, v in kept.items()}
    return [untimed(v) for v in plain] if isinstance(plain, list) else plain


def journal(project: Project) -> list[dict[str, Any]]:
    """Return what the processes that measured have written, in no order."""
    files = (project.reports / "journal").glob("*/gw*.jsonl")
    lines = [line for path in files for line in path.read_text("utf-8").splitlines() if line]
    return [json.loads(line) for line in lines]


def evaluated(entries: list[dict[str, Any]]) -> list[str]:
    return sorted(e["condition"] for e in entries if e["kind"] == "condition")


def n_fits(entries: list[dict[str, Any]]) -> int:
    return sum(e["fitted"] for e in entries if e["kind"] == "benchmark")


@pytest.fixture
def line(project: Project) -> Project:
    project.yaml(detector=SAVABLE, corruptions="[lighting, geo_jitter]")
    return project


DECLARED = sorted(
    ["clean", *(f"{c}-severity_{s}" for c in ("lighting", "geo_jitter") for s in (1, 3))]
)


@pytest.fixture(scope="module")
def measured_alone() -> dict[str, Any]:
    """The report of one process on `line`, once it was asked for."""
    return {}


@pytest.fixture
def alone(line: Project, measured_alone: dict[str, Any]) -> dict[str, Any]:
    """What one process finds."""
    if not measured_alone:
        assert line.run().ret == 0
        measured_alone.update(untimed(line.report()))
        line.forget()
    return measured_alone


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadgroup", "loadscope"])
def test_workers_find_what_one_process_finds_and_leave_nothing_they_shared(
    line: Project,
    alone: dict[str, Any],
    dist: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where no other run shares anything
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = line.run("-n", "2", "--dist", dist)

    result.assert_outcomes(passed=6)
    assert result.ret == 0
    assert untimed(line.report()) == alone
    assert "pytest" in line.report()["command"]
    entries = journal(line)
    assert n_fits(entries) == 1
    assert evaluated(entries) == DECLARED
    assert line.session()["benchmarks"]["hazelnut"]["complete"] is True
    assert _home().is_dir()
    assert list(_home().iterdir()) == []


def test_latency_is_judged_by_a_recorded_sample_of_the_images(project: Project) -> None:
    project.yaml(
        "all: {latency_ms_per_image: {max: 100000}, bg_fpr: {max: 0.99}, one_sided: false_alarms}",
        detector=SAVABLE,
    )
    assert project.run("-n", "2").ret == 0
    report = project.report()
    assert {v["verdict"] for v in report["verdicts"]} == {"pass"}
    latency = report["robustness"]["clean"]["latency"]
    assert latency["count"] * latency["batch_size"] == 1  # of 9 images


def test_a_test_of_ones_own_on_another_worker_measures_nothing_again(line: Project) -> None:
    line.write(
        "test_own.py",
        """\
        def test_own(robustness_result):
            assert robustness_result.metrics["pixel_segf1"] is not None
            assert robustness_result.per_image.score.dtype == "float64"
        """,
    )
    result = line.run("-n", "2")
    assert result.ret == 0
    assert evaluated(journal(line)) == DECLARED


def test_a_detector_that_cannot_be_saved_is_fitted_in_every_worker(project: Project) -> None:
    project.yaml(detector=PER_WORKER)
    assert project.run().ret == 0
    alone = untimed(project.report())
    project.forget()
    assert project.run("-n", "2", "--dist", "load").ret == 0
    assert untimed(project.report()) == alone
    assert n_fits(journal(project)) == 2


def test_a_detector_that_is_not_deterministic_fails_the_run(project: Project) -> None:
    project.write(
        "wild.py",
        """\
        import os
        from tests.plugin.line_models import MeanDetector

        class Wild(MeanDetector):
            def fit(self, images):
                super().fit(images)
                self._mean += int.from_bytes(os.urandom(1), "big")
        """,
    )
    project.yaml(detector='{name: "wild:Wild"}')
    result = project.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "is not deterministic" in text_of(result)
    assert project.report()["complete"] is False


def test_each_is_refused_for_robustness_items_alone(line: Project) -> None:
    line.write("test_unit.py", "def test_unit():\n    pass\n")
    result = line.run("--dist", "each", "--tx", "2*popen")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "--dist each would run every condition in every worker" in text_of(result)
    unit = line.run("--dist", "each", "--tx", "2*popen", "-m", "not robustness")
    assert unit.ret == 0


def test_unit_tests_on_workers_write_nothing(line: Project) -> None:
    line.write("test_unit.py", "def test_unit():\n    pass\n")
    result = line.run("-n", "2", "-m", "not robustness")
    assert result.ret == 0
    assert not line.reports.exists()
    result.stdout.no_fnmatch_line("*= robustness =*")


def test_deselected_conditions_are_not_missing(line: Project) -> None:
    result = line.run("-n", "2", "-k", "lighting")
    assert result.ret == 0
    report = line.report()
    assert report["complete"] is False
    assert line.session()["benchmarks"]["hazelnut"]["missing"] == []


def test_a_violated_limit_fails_its_item_on_a_worker_and_reruns_measure_nothing_again(
    project: Project,
) -> None:
    project.yaml("all: {pixel_segf1: {min: 1.0}, one_sided: misses}", detector=SAVABLE)
    result = project.run("-n", "2", "--reruns", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "below the floor 1 (robustness.yaml:8)" in text_of(result)
    assert list((project.reports / "hazelnut").rglob("*.png"))
    assert len(evaluated(journal(project))) == 5


def test_workers_that_read_different_pixels_are_no_success(project: Project) -> None:
    project.yaml(dataset="fixture")
    project.write(
        "conftest.py",
        f"""\
        import os
        from dataclasses import replace
        import cv2
        import pytest
        import pytest_robustbench as rb

        @pytest.fixture(scope="session")
        def robustness_dataset():
            split = rb.load_split("mvtec", root={str(project.data)!r}, category="brushed_metal")
            *others, last = split.test
            pixels = cv2.imread(str(last.image))
            pixels[0, 0] = os.environ["PYTEST_XDIST_WORKER"] == "gw1"
            return replace(split, test=(*others, replace(last, image=lambda: pixels)))
        """,
    )
    result = project.run("-n", "2", "--dist", "load")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "test images: source_digest.test/" in text_of(result)


def test_workers_with_different_overrides_are_no_success(project: Project) -> None:
    project.yaml(detector="fixture")
    (project.path / "test_line.py").unlink()
    for name, by in (("a", 1.0), ("b", 1.0000001)):
        project.write(
            f"{name}/conftest.py",
            f"""\
            import pytest
            from tests.plugin.line_models import MeanDetector

            class Other(MeanDetector):
                def _map(self, image):
                    return super()._map(image) * {by}

            @pytest.fixture(scope="session")
            def robustness_detector():
                return Other()
            """,
        )
        project.write(f"{name}/test_{name}.py", SUITE)
    result = project.run("-n", "2", "--dist", "loadfile")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "different overrides" in text_of(result) or "not deterministic" in text_of(result)
    assert project.report()["complete"] is False


def test_an_interrupted_fit_leaves_no_older_report_that_looks_whole(line: Project) -> None:
    assert line.run().ret == 0
    line.write(
        "conftest.py",
        """\
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item):
            raise KeyboardInterrupt
        """,
    )
    assert line.run_apart("-n", "2").ret != 0
    assert line.report()["complete"] is False
    assert len(line.report()["missing"]) == 5


def test_stopping_at_the_first_failure_leaves_the_rest_missing(project: Project) -> None:
    project.yaml("all: {pixel_segf1: {min: 1.0}, one_sided: misses}", detector=SAVABLE)
    result = project.run("-n", "2", "-x")
    assert result.ret != 0
    session = project.session()["benchmarks"]["hazelnut"]
    assert session["outcomes"]["complete"] == "failed"
    assert session["missing"]


def test_a_broken_yaml_is_one_failing_item(line: Project) -> None:
    line.write("robustness.yaml", "schema_version: 1\nname: [\n")
    result = line.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "not valid YAML" in text_of(result)
    assert line.session()["problem"]


def test_the_controller_holds_the_whole_against_the_baseline(project: Project) -> None:
    extra = (
        "regression: {baseline: 'b/{name}.json', pixel_segf1: {max_drop: 0.1}, one_sided: misses}\n"
    )
    project.yaml(detector=SAVABLE, extra=extra)
    first = project.run("-n", "2", "--robustness-update-baseline")
    assert first.ret == 0
    assert (project.path / "b" / "hazelnut.json").is_file()
    assert project.run("-n", "2").ret == 0
    assert project.session()["benchmarks"]["hazelnut"]["outcomes"]["regression"] == "passed"
    assert project.run().ret == 0


@pytest.mark.skipif(os.name == "nt", reason="folders have other permissions there")
def test_a_folder_that_others_can_look_into_is_not_shared(
    line: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / f"pytest-robustbench-{os.getuid()}").mkdir(mode=0o755)
    result = line.run_apart("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "is not this user's alone: remove it" in text_of(result)
    assert "Traceback" not in text_of(result)


CRASH = """\
import os, pytest

@pytest.fixture(autouse=True)
def _crash(request):
    if request.node.name == {name!r}:
        os._exit(9)
"""


def test_a_worker_that_dies_costs_its_condition_and_no_other(line: Project) -> None:
    name = "test_robustness[hazelnut-lighting-severity_3]"
    line.write("conftest.py", CRASH.format(name=name))
    result = line.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "crashed while running" in text_of(result)
    report, session = line.report(), line.session()["benchmarks"]["hazelnut"]
    assert report["complete"] is False
    assert session["missing"] == ["lighting-severity_3"]
    assert "missing, not judged: lighting-severity_3" in text_of(result)
    assert session["outcomes"]["complete"] == "failed"
    others = {c for c in DECLARED if c != "lighting-severity_3"}
    assert others <= set(evaluated(journal(line)))


def test_workers_that_all_die_while_fitting_leave_no_older_report(line: Project) -> None:
    assert line.run().ret == 0
    assert line.report()["complete"] is True
    line.write(
        "dying.py",
        """\
        import os
        from tests.plugin.line_models import MeanDetector

        class Dying(MeanDetector):
            def fit(self, images):
                os._exit(9)

            def save(self, path):
                raise AssertionError("nothing was fitted")

            restore = save
        """,
    )
    line.yaml(detector='{name: "dying:Dying"}')
    result = line.run_apart("-n", "2", "--max-worker-restart", "2")
    assert result.ret not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert text_of(result).count("node down") == 1
    assert "a worker of this run died over this (prepared)" in text_of(result)
    report = line.report()
    assert report["complete"] is False
    assert len(report["missing"]) == 5
    assert line.session()["benchmarks"]["hazelnut"]["outcomes"]["complete"] == "failed"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[str]]:
    """Two machines that share no files, as far as one machine can be two.

    The tests are installed on both: here in a folder of their own.
    """
    package = tmp_path / "site" / "linetests"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "test_line.py").write_text(SUITE)
    ports, processes = [free_port() for _ in range(2)], []
    for number, port in enumerate(ports):
        folder = tmp_path / f"machine{number}"
        folder.mkdir()
        script = Path(execnet.__file__).parent / "script" / "socketserver.py"
        command = [sys.executable, str(script), f"127.0.0.1:{port}"]
        environment = {
            **os.environ,
            "TMPDIR": str(folder),
            "PYTHONPATH": python_path(tmp_path / "site"),
        }
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        processes.append(subprocess.Popen(command, cwd=folder, env=environment, **quiet))
    deadline = time.monotonic() + 30
    while not all(map(listens, ports)):
        assert time.monotonic() < deadline, "no server came up"
        time.sleep(0.1)
    yield [f"socket=127.0.0.1:{port}" for port in ports]
    for process in processes:
        process.kill()
        process.wait()


def python_path(folder: Path) -> str:
    """Return the folders of modules with one more before them."""
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def listens(port: int) -> bool:
    """Look without connecting: the server would take that for its controller."""
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def test_two_machines_without_common_files_find_what_one_process_finds(
    line: Project,
    alone: dict[str, Any],
    servers: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (line.path / "test_line.py").unlink()
    monkeypatch.setenv("PYTHONPATH", python_path(tmp_path / "site"))

    tx = [option for spec in servers for option in ("--tx", spec)]
    result = line.run_apart("--dist", "load", *tx, "--pyargs", "linetests.test_line")

    assert result.ret == 0, text_of(result)
    assert untimed(line.report()) == alone
    # Whatever the machines keep for themselves, the controller has it on its own disk.
    kept = [read_journal(path) for path in (line.reports / "journal").glob("*/*.jsonl")]
    found = {e.condition for entries in kept for e in entries if isinstance(e, ConditionEntry)}
    assert found == set(DECLARED)


def test_a_worker_elsewhere_needs_no_yaml_of_its_own(line: Project, tmp_path: Path) -> None:
    """It runs where the files of the controller are not, and is told what they say."""
    package = line.path / "site" / "linetests"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "test_line.py").write_text(SUITE)
    line.write("pytest.ini", INI + f"pythonpath = {line.path / 'site'}\n")
    spec = f"popen//chdir={tmp_path}//env:PYTHONPATH={python_path(line.path / 'site')}"
    result = line.run_apart(
        "--dist", "load", "--tx", spec, "--tx", spec, "--pyargs", "linetests.test_line"
    )
    assert result.ret == 0, text_of(result)
    assert line.report()["complete"] is True
