"""What a real pytest run leaves in its report folder is what the schemas say."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import entry_points

import jsonschema
import pytest

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.file.schema import report_schema, session_schema
from pytest_robustbench.reports.file.session import SessionFile, write_session
from pytest_robustbench.reports.file.stored import read_stored

MODEL = """
import numpy as np

def contrast(images):
    gray = [image.mean(axis=2, dtype=np.float32) for image in images]
    return [np.abs(plane - np.median(plane)) for plane in gray]

def load():
    return contrast

def broken():
    raise RuntimeError("the weights are not there")
"""

YAML = """
schema_version: 1
name: metal
dataset: {format: synthetic, size: 32, n_train: 0, n_test_good: 2, n_defect: 3}
detector: {name: "line_model:load", fitted: true}
operating_point: {pixel_threshold: 20.0, image_threshold: 30.0}
corruptions: [blur]
severities: [1, 3]
accept:
  all: {bg_fpr: {max: 0.5}, recall: {min: 1.5e-9}, one_sided: misses}
  summary: {worst_corruption_auroc: {min: 0.999999}}
"""


def run(pytester, yaml, *options):
    pytester.makepyfile(line_model=MODEL)
    pytester.makepyfile(test_line="from pytest_robustbench.suite import test_robustness")
    (pytester.path / "robustness.yaml").write_text(yaml, encoding="utf-8")
    installed = any(e.name == "robustbench" for e in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", "pytest_robustbench.plugin")
    return pytester.runpytest_subprocess(*plugin, "-p", "no:randomly", *options)


def written(pytester):
    folder = pytester.path / "robustness-report"
    session = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    jsonschema.validate(session, session_schema(), jsonschema.Draft202012Validator)
    found = session["benchmarks"]["metal"]
    if found["report"] is None:
        return session, None
    path = folder / found["report"]
    report = dict(read_stored(path).plain)
    jsonschema.validate(report, report_schema(), jsonschema.Draft202012Validator)
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    return session, report


def test_a_whole_run(pytester):
    result = run(pytester, YAML)
    session, report = written(pytester)

    assert session["exit_status"] == int(result.ret) == 1
    assert session["benchmarks"]["metal"]["outcomes"] == {
        "summary": "failed",
        "complete": "passed",
    }
    counts = dict(session["benchmarks"]["metal"]["verdicts"])
    assert counts.pop("shown") == sum(verdict["shown"] for verdict in report["verdicts"])
    assert sum(counts.values()) == 7 == len(report["verdicts"])
    assert report["complete"]
    assert report["verdicts"][-1]["condition"] == "summary"
    assert report["config"]["corruptions"] == {"blur": "blur"}


def test_a_run_of_a_part(pytester):
    result = run(pytester, YAML, "-k", "severity_3")
    session, report = written(pytester)

    assert session["exit_status"] == int(result.ret) == 0
    assert session["benchmarks"]["metal"]["deselected"] == ["clean", "blur-severity_1"]
    assert report["robustness"]["clean"] is None
    assert report["missing"] == ["clean", "blur-severity_1"]
    assert not report["complete"]


def test_a_narrowed_run(pytester):
    run(pytester, YAML, "--robustness-severities=1", "--robustness-limit-test=4")
    _, report = written(pytester)

    assert report["narrowed"] != []
    assert not report["complete"]


def test_a_run_that_cannot_be_prepared(pytester):
    result = run(pytester, YAML.replace("line_model:load", "line_model:broken"))
    session, report = written(pytester)

    assert session["exit_status"] == int(result.ret) == 1
    assert session["benchmarks"]["metal"]["verdicts"]["error"] > 0
    assert "the weights are not there" in report["robustness"]["clean"]["error"]
    assert report["operating_point"] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("[]", "it holds a list"),
        ("{}", "it lacks schema_version"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_session_is_one_message(tmp_path, text, said):
    (tmp_path / "session.json").write_text(text, "utf-8")

    with pytest.raises(ReportError, match=rf"session\.json: {said}.*; take the file as the run"):
        list(SessionFile(tmp_path).unreported())


def test_a_session_that_was_edited_is_refused(tmp_path):
    write_session(tmp_path, {"exit_status": 1, "problem": "no YAML", "benchmarks": {}})
    assert list(SessionFile(tmp_path).unreported()) == []
    path = tmp_path / "session.json"
    path.write_text(path.read_text("utf-8").replace('"exit_status": 1', '"exit_status": 0'))

    with pytest.raises(ReportError, match="was edited: content_sha256 contradicts its content"):
        list(SessionFile(tmp_path).unreported())


def test_a_folder_without_a_session_tells_nothing(tmp_path):
    assert list(SessionFile(tmp_path).unreported()) == []
