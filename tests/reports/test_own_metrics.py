"""A metric of one's own goes the whole way: report, intervals, verdicts, comparison, page, CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.compare.acceptance import differences
from pytest_robustbench.reports.compare.proposal import propose_limits
from pytest_robustbench.reports.compare.regression import Match, judge_matches
from pytest_robustbench.reports.file.integrity import read_comparable
from pytest_robustbench.reports.file.stored import StoredReport
from pytest_robustbench.reports.pages.conditions_csv import conditions_csv
from pytest_robustbench.reports.pages.source import Edition, Source
from tests.reports.report_samples import contrast, scores_only, small_benchmark
from tests.reports.stored_reports import edit

SOURCE = "robustness.yaml:3"
LIMITS = {"clean": (Limit("lit_parts", "max", 0.0, SOURCE), Limit("odd_parts", "min", 0.5, SOURCE))}

MEANT = {"clean": "false_alarms"}


def registered():
    """Two metrics: of good parts by their pixels, and of image decisions."""
    lit = rb.register_metric(
        more_is_better=False,
        meaning="good parts that light up",
        level="pixel",
        rests_on="normal",
        sees=("false alarms",),
    )

    def lit_parts(outcomes):
        return outcomes.fp > 0.002 * (outcomes.fp + outcomes.tn), outcomes.tn >= 0

    odd = rb.register_metric(more_is_better=True, meaning="no name", largest=float("inf"))

    def odd_parts(outcomes):
        return 3.0 * outcomes.image_tp, outcomes.image_tp + outcomes.image_fn

    return lit(lit_parts), odd(odd_parts)


def measured(detector=contrast, **options):
    return small_benchmark(
        detector, metrics=registered(), gate=Gate(LIMITS, one_sided=MEANT), **options
    ).run()


@pytest.fixture(scope="module")
def report():
    return measured()


@pytest.fixture
def path(report, tmp_path):
    report.write(tmp_path / "r.json")
    return tmp_path / "r.json"


def test_its_values_verdicts_and_intervals_stand_in_the_report(report, path, registered):
    registered.clear()  # a reader without the code
    stored = read_comparable(path)

    for condition, record in stored.records.items():
        values = stored.metrics[condition]
        fp, tn = (np.array(record["per_image"][n], float) for n in ("fp", "tn"))
        good = np.array(stored.samples(condition)["label"]) == 0
        lit = (fp > 0.002 * (fp + tn))[good & np.isfinite(tn)]
        assert values["lit_parts"] == pytest.approx(lit.mean())
        assert values["odd_parts"] == pytest.approx(3 * values["recall"])
    assert stored.metrics["clean"]["lit_parts"] == pytest.approx(2 / 3)
    first, second = stored.verdicts
    assert (first.limit.metric, second.limit.metric) == ("lit_parts", "odd_parts")
    assert first.n_images == 3
    assert first.interval[0] <= first.value <= first.interval[1] <= 1
    summary = stored.plain["robustness_summary"]
    levels = [v["lit_parts"] for c, v in stored.metrics.items() if c != "clean"]
    assert summary["worst_corruption_lit_parts"] == max(levels)
    assert {"lit_parts", "odd_parts"} <= registered.keys()


def test_without_maps_it_is_undefined_with_a_reason(tmp_path):
    report = measured(scores_only)
    record = report.records["clean"]

    assert record["own_metrics"]["lit_parts"]["value"] is None
    assert record["undefined"]["lit_parts"] == "the detector gives no maps"
    assert record["own_metrics"]["odd_parts"]["value"] is not None
    assert [v.outcome for v in report.verdicts if v.limit.metric == "lit_parts"] == ["error"]
    report.write(tmp_path / "r.json")
    assert read_comparable(tmp_path / "r.json").metrics["clean"]["lit_parts"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: own(p)["lit_parts"].update(value=0.7), "lit_parts is 0.7, but its columns give"),
        (lambda p: own(p).pop("lit_parts"), "has not the metrics that the report defines"),
        (lambda p: own(p)["lit_parts"]["numerator"].pop(), "columns differ in length"),
        (lambda p: own(p)["odd_parts"].update(numerator=[-1.0] * 8), "greater than or equal to 0"),
        (lambda p: p["own_metrics"]["lit_parts"].update(level="latency"), "level must be one of"),
        (lambda p: p["own_metrics"]["lit_parts"].update(more_is_better=True), "registered already"),
        (lambda p: p["own_metrics"].update(miss_rate=p["own_metrics"]["lit_parts"]), "taken"),
        (lambda p: p["own_metrics"].update(lit_parts=3), "own_metrics|MetricDefinition"),
    ],
)
def test_an_edited_one_is_refused(path, change, message):
    registered()
    edit(path, change)

    with pytest.raises(ReportError, match=message):
        read_comparable(path)


def own(plain):
    return plain["robustness"]["clean"]["own_metrics"]


def allowed(metric="lit_parts", bound="max_rise", value=0.3):
    return AllowedChange(metric, bound, value, False, "robustness.yaml:9")


def compared(candidate, baseline, change):
    match = Match("nuts", candidate, baseline, (change,))
    (judged,) = judge_matches([match])
    return judged


def test_it_is_compared_like_any_other(report, path, tmp_path):
    earlier = replace(report, header=report.header.changed(started="2025-01-31T12:00:00+00:00"))
    earlier.write(tmp_path / "b.json")
    same = compared(read_comparable(path), tmp_path / "b.json", allowed())
    assert {v.outcome for v in same.verdicts} == {"pass"}
    assert {v.identical for v in same.verdicts} == {True}

    def duller(images):
        return [0.2 * plane for plane in contrast(images)]

    worse = measured(duller, operating_point=None)
    worse.write(tmp_path / "w.json")
    other = compared(read_comparable(tmp_path / "w.json"), path, allowed("odd_parts", "max_drop"))
    assert {v.change.metric for v in other.verdicts} == {"odd_parts"}
    assert not any(v.outcome == "error" for v in other.verdicts), other.problems


def test_a_baseline_without_it_is_no_pass(path, tmp_path):
    small_benchmark().run().write(tmp_path / "old.json")

    judged = compared(read_comparable(path), tmp_path / "old.json", allowed())

    assert judged.outcome == "error"
    assert "the baseline has no value of lit_parts" in {v.reason for v in judged.verdicts}


def test_a_baseline_of_another_version_is_no_damage_and_no_pass(path, tmp_path):
    older = tmp_path / "old.json"
    older.write_text(path.read_text("utf-8"), "utf-8")
    edit(older, lambda p: p["own_metrics"]["lit_parts"].update(version=0, meaning="before"))

    judged = compared(read_comparable(path), older, allowed())

    assert judged.outcome == "error"
    (reason,) = {v.reason for v in judged.verdicts}
    assert "lit_parts is version 0 in the baseline and 1 in the candidate" in reason
    other = compared(read_comparable(path), older, allowed("odd_parts", "max_drop"))
    assert "error" not in {v.outcome for v in other.verdicts}


def test_a_baseline_may_be_replaced_where_a_metric_comes_or_goes(report, path, tmp_path):
    before = tmp_path / "b.json"
    small_benchmark().run().write(before)
    for new, old in ((path, before), (before, path)):
        changes = list(differences(read_comparable(old), read_comparable(new)))
        assert any("lit_parts" in line for line in changes)


def test_what_was_changed_in_memory_is_not_compared(report, path, tmp_path):
    plain = json.loads(path.read_text("utf-8"))
    plain["robustness"]["clean"]["results"]["metrics"]["miss_rate"] = 0.0
    del plain["content_sha256"]
    earlier = replace(report, header=report.header.changed(started="2025-01-31T12:00:00+00:00"))
    earlier.write(tmp_path / "b.json")

    judged = compared(StoredReport(sealed(plain), path), tmp_path / "b.json", allowed())

    assert judged.outcome == "error"
    assert "miss_rate is 0.0, but its columns give" in judged.problems[0]


def test_limits_on_it_are_proposed(path):
    proposed = propose_limits(read_comparable(path), 0.5).limits

    assert {limit.bound for limit in proposed if limit.metric == "odd_parts"} == {"min"}


def test_spreadsheet_and_page_show_it(path):
    source = Source(json.loads(path.read_text("utf-8")), path)
    registered()
    rows = list(csv.DictReader(io.StringIO(conditions_csv(Edition([source], Path())))))

    assert float(rows[0]["lit_parts"]) == source.metrics["clean"]["lit_parts"]
    assert {"lit_parts", "odd_parts"} <= set(source.metric_names)
    pytest.importorskip("jinja2")
    from pytest_robustbench.reports.pages.html.page import report_html

    text = report_html(Edition([source], Path()))
    assert "good parts that light up; less is better" in text


def test_a_formula_that_raises_is_an_error_of_its_condition():
    def broken(_):
        raise ZeroDivisionError("by nothing")

    metric = rb.register_metric(more_is_better=True, meaning="never")(broken)
    report = small_benchmark(metrics=[metric], gate=Gate()).run()

    assert "raised ZeroDivisionError: by nothing" in report.records[CLEAN.id]["error"]
    assert replace(report, verdicts=()).passed is False
