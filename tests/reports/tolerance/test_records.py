"""Records of tolerances: to JSON and back, and edits that their scores contradict."""

from __future__ import annotations

import jsonschema
import numpy as np
import pytest

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.file.integrity import contradictions, incompleteness
from pytest_robustbench.reports.file.model import ReportFile
from pytest_robustbench.reports.file.schema import report_schema
from pytest_robustbench.reports.file.tolerance.record import (
    tolerance_from_record,
    tolerance_record,
)
from tests.reports.tolerance.tolerance_samples import plain, stored, tolerance

NAMES = ("exposure", "jpeg", "geo_jitter")


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_what_it_was_rebuilt_from(name):
    report = plain()
    record = tolerance(report, name)
    condition = condition_of(f"tolerance-{name}")
    rebuilt = tolerance_from_record(condition, record, report["samples"])
    assert tolerance_record(rebuilt) == record
    assert rebuilt.breaks.broken_by == record["broken_by"]


def test_a_report_with_tolerances_is_whole_and_agrees_with_itself():
    report = plain()
    jsonschema.validate(report, report_schema())
    assert report["complete"]
    assert [*incompleteness(stored(report)), *contradictions(stored(report))] == []


def test_what_breaks_nothing_is_null():
    record = tolerance(plain(), "jpeg")
    assert (record["severity"], record["broken_by"], record["level"]) == (None, None, "")
    assert record["interval"] == [None, None]


def test_a_corruption_of_one_quantity_has_its_unit_and_jpeg_has_none():
    report = plain()
    assert (tolerance(report)["unit"], tolerance(report)["middle"]) == ("EV", 0.5)
    assert (tolerance(report, "jpeg")["unit"], tolerance(report, "jpeg")["middle"]) == ("", None)


def test_samples_that_are_left_out_have_no_scores():
    report = plain()
    record = tolerance(report, "geo_jitter")
    left_out = [name in record["left_out"] for name in report["samples"]["id"]]
    columns = [record["ladder"]["clean"], *(d for rung in record["ladder"]["score"] for d in rung)]
    for column in columns:
        assert [score is None for score in column] == left_out


def lower(record):
    record["ladder"]["score"][2][0][-1] += 9.0


EDITS = {
    "severity": lambda r: r.update(severity=4.9),
    "interval": lambda r: r.update(interval=[r["severity"] + 0.2, r["interval"][1]]),
    "severity of false_reject_rate": lambda r: r["sides"]["false_reject_rate"].update(severity=4.9),
    "clean of miss_rate": lambda r: r["sides"]["miss_rate"].update(clean=0.0),
    "limit of miss_rate": lambda r: r["sides"]["miss_rate"].update(limit=0.95),
    "n_parts of miss_rate": lambda r: r["sides"]["miss_rate"].update(n_parts=500),
    "another operating point": lambda r: r.update(threshold=0.4),
    "rungs as severities": lambda r: r["ladder"]["severity"].append(5.0),
    "not those of the samples": lambda r: r["ladder"]["clean"].append(0.1),
    "does not leave out": lambda r: r["left_out"].append("nobody"),
}


@pytest.mark.parametrize("told", EDITS)
def test_an_edit_is_found_by_working_it_out_again(told):
    report = plain()
    EDITS[told](tolerance(report))
    found = list(contradictions(stored(report)))
    assert any(told in problem or "columns are not" in problem for problem in found), found
    assert all("tolerance-exposure" in problem or "verdict" in problem for problem in found)


def test_a_verdict_that_is_not_on_the_tolerance_found_is_told():
    report = plain()
    verdict = next(v for v in report["verdicts"] if v["condition"] == "tolerance-exposure")
    verdict["value"] = 1.9
    (problem,) = contradictions(stored(report))
    assert problem.startswith("the verdict on tolerance of tolerance-exposure is on 1.9")


def test_a_pass_by_value_alone_is_told():
    """A tolerance is shown or it fails: an edit cannot make the value count instead."""
    report = plain()
    verdict = next(v for v in report["verdicts"] if v["condition"] == "tolerance-exposure")
    verdict.update(at_worst=0.05, shown=False, verdict="pass")
    (problem,) = contradictions(stored(report))
    assert "its value says otherwise" in problem


def test_one_that_was_taken_out_is_missing():
    report = plain()
    report["config"] = {"conditions": ["clean", "tolerance-exposure"]}
    del report["robustness"]["tolerance"]["exposure"]
    told = " ".join(incompleteness(stored(report)))
    assert "tolerance-exposure are missing" in told


def test_a_record_of_no_severity_is_none():
    report = plain()
    del tolerance(report)["severity"]
    with pytest.raises(ReportError, match=r"tolerance.exposure.severity|it lacks"):
        ReportFile.from_dict(report)


def test_scores_are_written_as_exactly_as_the_detector_gave_them():
    report = plain()
    record = tolerance(report)
    scores = np.array(record["ladder"]["score"], np.float64)
    assert (scores.astype(np.float32).astype(np.float64) - scores == 0).mean() < 1, "short decimals"
    assert record["ladder"]["clean"] == report["robustness"]["clean"]["per_image"]["score"]
