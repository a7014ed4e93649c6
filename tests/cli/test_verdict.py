"""``verdict``: green only for what a run has measured, judged, to the end, and what holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_robustbench.cli.main import main
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.earlier import forget_session, put_aside, put_back
from pytest_robustbench.reports.file.session import report_digest, write_session

YAML = """\
schema_version: 1
defaults:
  dataset: {format: synthetic, size: 32, n_train: 24, n_test_good: 3, n_defect: 3}
  detector: pixel_gaussian
  corruptions: [blur]
  severities: [3]
  accept: {all: {bg_fpr: {max: 0.9}, false_reject_rate: {max: 0.9}, one_sided: false_alarms}}
benchmarks: {metal: {dataset: {category: brushed_metal}}, tin: {dataset: {category: granite}}}
"""
HOLDS, FAILS, UNKNOWN = 0, 1, 3


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A folder with robustness.yaml and a run of it under ./runs, measured once."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "robustness.yaml").write_text(YAML, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        patch.chdir(folder)
        assert main(["run", "--config", "robustness.yaml", "--output-dir", "runs"]) == 0
    return folder


@pytest.fixture
def runs(measured, tmp_path, monkeypatch):
    """A copy of that run, as runs/ in the working directory."""
    shutil.copytree(measured / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return Path("runs")


@pytest.fixture
def verdict(capsys):
    """Call the command; return its exit code and what it says."""

    def call(*arguments):
        code = main(["verdict", "runs", *arguments])
        captured = capsys.readouterr()
        assert captured.err == ""
        first, *reasons = captured.out.splitlines()
        words = {HOLDS: "PASS", FAILS: "FAIL", UNKNOWN: "CANNOT BE TOLD"}
        assert first == f"{words[code]}: runs"
        assert all(line.startswith("  ") for line in reasons)
        return code, "\n".join(line.strip() for line in reasons)

    return call


def edit_session(change):
    path = Path("runs/session.json")
    plain = json.loads(path.read_text("utf-8"))
    change(plain)
    path.write_text(json.dumps(sealed(plain)), "utf-8")


def edit_report(change, name="metal"):
    """Change a report, and let session.json speak of it as it is then."""
    path = Path(f"runs/{name}.json")
    plain = json.loads(path.read_text("utf-8"))
    change(plain)
    path.write_text(json.dumps(sealed(plain)), "utf-8")
    edit_session(lambda s: s["benchmarks"][name].update(sha256=report_digest(path)))


def of_metal(**changes):
    edit_session(lambda session: session["benchmarks"]["metal"].update(changes))


def test_what_was_judged_to_the_end_and_holds_is_a_pass(runs, verdict):
    code, text = verdict()

    assert code == HOLDS
    started = {
        n: json.loads(Path(f"runs/{n}.json").read_text())["started"] for n in ("metal", "tin")
    }
    for line, (name, begun) in zip(text.splitlines(), started.items(), strict=True):
        assert line.startswith(f"{name}, begun {begun}; 4 of 4 limits hold on 2 conditions")


@pytest.mark.parametrize(
    ("remove", "said"),
    [
        ("runs", "there is no folder runs"),
        ("runs/session.json", "there is no session.json: no run has come to its end here"),
    ],
)
def test_a_run_that_left_nothing_cannot_be_told(runs, verdict, remove, said):
    shutil.rmtree(remove) if Path(remove).is_dir() else Path(remove).unlink()
    code, text = verdict()
    assert code == UNKNOWN
    assert said in text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("session.json", "", "cannot read runs/session.json"),
        ("session.json", "{}", "lacks schema_version"),
        ("metal.json", "", "metal: cannot read the report runs/metal.json"),
        ("metal.json", None, "metal: cannot read the report runs/metal.json"),
        ("older.json", "{}", "not of this run, in runs: older.json; remove"),
        ("lamps/caps.json", "{}", "not of this run, in runs: lamps/caps.json; remove"),
    ],
)
def test_files_that_are_no_result_of_the_run_cannot_be_told(runs, verdict, name, text, said):
    (runs / name).parent.mkdir(exist_ok=True)
    (runs / name).unlink(missing_ok=True) if text is None else (runs / name).write_text(text)
    code, told = verdict()
    assert code == UNKNOWN
    assert said in told


def test_a_report_of_another_run_cannot_be_told(runs, verdict):
    path = runs / "metal.json"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    code, text = verdict()
    assert (code, "not the report that session.json speaks of" in text) == (UNKNOWN, True)


def test_the_report_of_another_benchmark_cannot_be_told(runs, verdict):
    shutil.copy(runs / "tin.json", runs / "metal.json")
    of_metal(sha256=report_digest(runs / "metal.json"))
    code, text = verdict()
    assert (code, "is the report of 'tin'" in text) == (UNKNOWN, True)


def test_a_report_elsewhere_cannot_be_told(runs, verdict):
    shutil.copytree(runs, "other")
    of_metal(report="../other/metal.json")
    assert verdict()[0] == UNKNOWN


def test_an_edited_report_cannot_be_told(runs, verdict):
    edit_report(lambda plain: plain["verdicts"][0].update(value=0.0123))
    code, text = verdict()
    assert (code, "cannot be relied on" in text) == (UNKNOWN, True)


def test_another_version_cannot_be_told(runs, verdict):
    edit_report(lambda plain: plain["environment"].update(pytest_robustbench="0.0.7"))
    code, text = verdict()
    assert code == UNKNOWN
    assert "written by pytest-robustbench 0.0.7, and this is" in text


@pytest.mark.parametrize(("status", "code"), [(1, FAILS), (2, UNKNOWN), (3, UNKNOWN), (5, UNKNOWN)])
def test_a_run_that_did_not_end_well_is_no_pass(runs, verdict, status, code):
    edit_session(lambda session: session.update(exit_status=status))
    assert verdict()[0] == code


def test_nothing_declared_is_no_pass(runs, verdict):
    write_session(runs, {"exit_status": 0, "problem": None, "benchmarks": {}})
    for name in ("metal", "tin"):
        (runs / f"{name}.json").unlink()
    assert verdict() == (UNKNOWN, "no benchmark is declared")


def test_a_broken_yaml_is_no_pass(runs, verdict):
    edit_session(lambda session: session.update(problem="unknown key 'colour'", benchmarks={}))
    code, text = verdict()
    assert code == UNKNOWN
    assert "unknown key 'colour'" in text


def test_what_was_not_asked_for_is_no_pass(runs, verdict):
    of_metal(deselected=["blur-severity_3"])
    code, text = verdict()
    assert code == UNKNOWN
    assert "metal: 1 condition was not asked for: run everything, or merge the shards" in text


def test_a_narrowed_run_is_no_pass(runs, verdict):
    edit_report(lambda plain: plain.update(complete=False, narrowed=["--robustness-limit-test"]))
    of_metal(complete=False)
    code, text = verdict()
    assert code == UNKNOWN
    assert "metal: the run was narrowed by --robustness-limit-test" in text


def test_a_benchmark_without_a_report_is_no_pass(runs, verdict):
    (runs / "metal.json").unlink()
    of_metal(report=None, sha256=None, outcomes={})
    assert verdict() == (UNKNOWN, "metal: it has no report")
    of_metal(outcomes={"complete": "failed"}, problems=["the disk is full"])
    assert verdict() == (FAILS, "metal: the disk is full")


def test_what_failed_in_the_run_fails(runs, verdict):
    of_metal(problems=["a test failed for another reason than a limit: clean"])
    code, text = verdict()
    assert code == FAILS
    assert text == "metal: a test failed for another reason than a limit: clean"
    of_metal(problems=[], outcomes={"complete": "failed"})
    assert verdict() == (FAILS, "metal: [metal-complete] failed: see the log of the run")
    of_metal(outcomes={"complete": "skipped"})
    assert verdict()[0] == UNKNOWN


def test_several_reasons_have_a_line_each_and_the_sure_one_decides(runs, verdict):
    of_metal(problems=["one", "two"])
    (runs / "tin.json").unlink()
    code, text = verdict()
    assert code == FAILS
    assert [line.partition(":")[0] for line in text.splitlines()] == ["metal", "metal", "tin"]


def test_nothing_acts_in_what_is_told(runs, verdict):
    of_metal(problems=["\x1b[2J::error::gone\n::stop-commands::x"])
    code, text = verdict()
    assert code == FAILS
    assert "\x1b" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_comparison_can_be_required(runs, verdict):
    text = "it was not compared with a baseline: none is declared"
    assert verdict("--require-comparison") == (FAILS, f"metal: {text}\ntin: {text}")


# ---- what run and merge leave ------------------------------------------------------------------


REGRESSION = (
    "regression: {baseline: 'stored/{name}.json', bg_fpr: {max_rise: 0.5}, "
    "one_sided: false_alarms}\n"
)


@pytest.fixture
def line(tmp_path, monkeypatch, capsys):
    """Call `run --config` with a YAML of one benchmark."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def call(*arguments, more="", floor=0.01, detector="pixel_gaussian"):
        text = (
            "schema_version: 1\nname: metal\ncorruptions: none\n"
            "dataset: {format: synthetic, size: 32, n_train: 24}\n"
            f"detector: {detector}\n"
            f"accept: {{all: {{false_reject_rate: {{max: 0.9}}, auroc: {{min: {floor}}}, "
            f"one_sided: false_alarms}}}}\n"
        )
        Path("robustness.yaml").write_text(text + more, "utf-8")
        code = main(["run", "--config", "robustness.yaml", "--output-dir", "runs", *arguments])
        return code, capsys.readouterr().err

    return call


def test_a_violated_limit_is_told(line, verdict):
    assert line(floor=1.0)[0] == 1
    code, text = verdict()
    assert (code, text.startswith("metal: 1 of 2 limits is violated; worst: ")) == (FAILS, True)


def test_a_comparison_that_was_made_and_one_that_was_not(line, verdict):
    assert line("--without-baseline", more=REGRESSION)[0] == 0
    assert verdict()[0] == HOLDS
    assert verdict("--require-comparison") == (
        FAILS,
        "metal: it was not compared with a baseline (not_judged)",
    )
    Path("stored").mkdir()
    shutil.copy("runs/metal.json", "stored/metal.json")
    assert line(more=REGRESSION)[0] == 0
    assert verdict("--require-comparison")[0] == HOLDS


def test_a_comparison_that_cannot_be_made_fails(line, verdict):
    line("--without-baseline", more=REGRESSION)
    Path("stored").mkdir()
    Path("stored/metal.json").write_text("{}")
    assert line(more=REGRESSION)[0] == 1
    assert verdict()[0] == FAILS


ENDING = """\
import os, sys

class Ending:
    def fit(self, images):
        pass

    def predict(self, images):
        {}
"""


@pytest.mark.parametrize(("end", "status"), [("os._exit(0)", 0), ("sys.exit(0)", 2)])
def test_a_process_that_ends_while_it_measures_leaves_no_pass(line, verdict, end, status):
    assert line()[0] == 0
    assert verdict()[0] == HOLDS
    Path("ending.py").write_text(ENDING.format(end))
    yaml = Path("robustness.yaml")
    yaml.write_text(yaml.read_text().replace("pixel_gaussian", "'ending:Ending'"))
    command = "from pytest_robustbench.cli.main import main; raise SystemExit(main())"
    done = subprocess.run(
        [sys.executable, "-c", command, "run", "--config=robustness.yaml", "--output-dir=runs"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert verdict()[0] == UNKNOWN


def test_a_run_replaces_no_report_by_none_in_silence(line):
    """What an earlier run measured is gone before a later one measures."""
    assert line()[0] == 0
    assert line(detector="'nowhere:Model'")[0] == 2
    assert not list(Path("runs").glob("*.json"))


# ---- an earlier session.json -------------------------------------------------------------------


def test_a_session_that_was_put_aside_comes_back_unless_another_took_its_place(tmp_path):
    path = tmp_path / "session.json"
    path.write_text("first")
    assert put_aside(tmp_path) == [tmp_path]
    assert not path.exists()
    put_back([tmp_path])
    assert path.read_text() == "first"

    put_aside(tmp_path)
    path.write_text("second")
    put_back([tmp_path])
    assert path.read_text() == "second"


def test_a_session_of_a_run_before_one_that_died_never_comes_back(tmp_path):
    path = tmp_path / "session.json"
    path.write_text("first")
    put_aside(tmp_path)  # and the process dies
    assert put_aside(tmp_path) == []
    put_back([tmp_path])
    assert not path.exists()


def test_what_is_forgotten_is_not_put_back(tmp_path):
    path = tmp_path / "session.json"
    path.write_text("first")
    put_aside(tmp_path)
    forget_session(tmp_path)
    put_back([tmp_path])
    assert list(tmp_path.iterdir()) == []
