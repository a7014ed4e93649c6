"""Every verdict of a run on a condition carries its interval and its waiver, also in the report."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import jsonschema
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.gates.intervals import bound_on, interval_of
from pytest_robustbench.gates.limits import Demand, Limit, Verdict, Waiver
from pytest_robustbench.gates.summary_intervals import summary_interval_of
from pytest_robustbench.metrics.catalogue import bound_of, metric_called
from pytest_robustbench.reports.compare.evidence import numbers_of
from pytest_robustbench.reports.file.record import condition_record, outcomes_of
from pytest_robustbench.reports.file.report import verdict_from_dict, verdict_to_dict
from pytest_robustbench.reports.file.schema import report_schema
from tests.reports.report_samples import small_benchmark
from tests.reports.stored_reports import recorded_set

METRICS = ("pixel_segf1", "bg_fpr", "normal_fpr", "miss_rate", "false_reject_rate")
LIMITS = tuple(
    Limit(metric, bound_of(metric), 0.5, f"r.yaml:{line}") for line, metric in enumerate(METRICS, 3)
)
UNMET = Limit("pixel_segf1", "min", 1.0, "r.yaml:9")
LAST = date(2026, 3, 31)
WAIVERS = (
    Waiver("clean", "pixel_segf1", "new lamp", "Ada", LAST, "r.yaml:20"),
    Waiver("summary", "mean_drop_auroc", "new lamp", "Ada", LAST, "r.yaml:21"),
)


@pytest.fixture(scope="module")
def measured():
    """A benchmark with a set of its own images, and its records."""
    drawn = load_split("synthetic", n_train=0, n_test_good=1, n_defect=2, size=32, seed=7)
    recorded = {"led": replace(drawn, train=())}
    benchmark = small_benchmark(corruptions=["blur"], severities=[3], recorded=recorded)
    records = {c: condition_record(benchmark.evaluate(c)) for c in benchmark.conditions}
    benchmark.gate = Gate({c.id: LIMITS for c in benchmark.conditions})
    return benchmark, records


def columns_of(labels):
    return {"label": labels, "group": [None] * len(labels)}


def labels_of(benchmark, condition):
    return np.array([sample.label for sample in benchmark.evaluator.samples(condition)])


def test_every_verdict_has_the_interval_of_its_own_images(measured):
    benchmark, records = measured
    seen = 0
    for condition, record in records.items():
        labels = labels_of(benchmark, condition)
        for verdict in benchmark.judge(condition, record):
            expected = interval_of(
                metric_called(verdict.limit.metric), outcomes_of(record, columns_of(labels))
            )
            assert verdict.interval == expected
            seen += expected is not None
    assert seen >= len(records) * (len(METRICS) - 1)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_every_verdict_has_the_bound_on_the_side_of_its_limit(measured, confidence):
    benchmark, records = measured
    gate = replace(benchmark.gate, demand=Demand(confidence))
    for condition, record in records.items():
        labels = labels_of(benchmark, condition)
        outcomes = outcomes_of(record, columns_of(labels))
        for verdict in gate.judge(condition.id, record, columns_of(labels)):
            side = "lower" if verdict.limit.bound == "min" else "upper"
            bound = bound_on(side, metric_called(verdict.limit.metric), outcomes, confidence)
            assert verdict.at_worst == bound
            assert verdict.confidence == confidence
            kept = verdict.limit.holds(verdict.value)
            shown = bound is not None and verdict.limit.holds(bound)
            expected = "fail" if not kept else "pass" if shown else "not shown"
            assert verdict.outcome == expected


def test_the_images_are_those_the_metric_speaks_of(measured):
    benchmark, records = measured
    for condition, record in records.items():
        labels = labels_of(benchmark, condition)
        outcomes = outcomes_of(record, columns_of(labels))
        n_defect, n_normal = int((labels == 1).sum()), int((labels == 0).sum())
        assert numbers_of(metric_called("miss_rate"), outcomes)[0] == n_defect
        assert numbers_of(metric_called("pixel_segf1"), outcomes)[0] == n_defect
        assert numbers_of(metric_called("false_reject_rate"), outcomes)[0] == n_normal
        assert numbers_of(metric_called("bg_fpr"), outcomes)[0] == len(labels)


def test_images_that_count_nowhere_are_not_counted(measured):
    benchmark, records = measured
    condition = benchmark.conditions[0]
    record = json.loads(json.dumps(records[condition]))
    labels = labels_of(benchmark, condition)
    (defect, *_), columns = np.flatnonzero(labels == 1), record["per_image"]
    for name in ("tp", "fp", "fn", "tn"):
        columns[name][defect] = None
    outcomes = outcomes_of(record, columns_of(labels))
    assert numbers_of(metric_called("pixel_segf1"), outcomes)[0] == (labels == 1).sum() - 1
    assert numbers_of(metric_called("miss_rate"), outcomes)[0] == (labels == 1).sum()


def test_without_labels_or_without_a_value_there_is_no_interval(measured):
    benchmark, records = measured
    condition = benchmark.conditions[0]
    verdicts = benchmark.gate.judge(condition.id, records[condition])
    assert {verdict.interval for verdict in verdicts} == {None}
    verdicts = benchmark.judge(condition, {"error": "no light"})
    assert {(v.outcome, v.interval) for v in verdicts} == {("error", None)}


@pytest.mark.parametrize(("day", "passed"), [(LAST, True), (date(2026, 4, 1), False)])
def test_a_run_passes_with_what_is_waived_until_the_day_after(day, passed):
    summary = (Limit("mean_drop_auroc", "max", -1.0, "r.yaml:10"),)
    gate = Gate({"clean": (UNMET,)}, summary, WAIVERS, day, one_sided={"clean": "misses"})
    report = small_benchmark(corruptions=["blur"], severities=[3], gate=gate).run()
    assert [v.outcome for v in report.verdicts] == ["fail", "fail"]
    assert report.passed == passed
    assert [v.waived for v in report.verdicts] == [passed, passed]
    stored = json.loads(json.dumps(report.to_dict()))["verdicts"]
    assert ["waiver" in verdict for verdict in stored] == [passed, passed]
    assert tuple(map(verdict_from_dict, stored)) == report.verdicts


def test_a_verdict_with_all_it_can_hold_crosses_process_borders():
    verdict = Verdict(
        *("clean", UNMET, 0.4, "fail"),
        waiver=WAIVERS[0],
        interval=(0.31, 0.52),
        n_images=17,
        at_worst=0.33,
        confidence=0.9,
    )
    plain = json.loads(json.dumps(verdict_to_dict(verdict)))
    assert verdict_from_dict(plain) == verdict
    assert plain["waiver"]["until"] == "2026-03-31"
    unshown = Verdict("clean", UNMET, 1.0, "not shown", "no bound", confidence=0.9, unsure="skip")
    assert verdict_from_dict(json.loads(json.dumps(verdict_to_dict(unshown)))) == unshown
    bare = verdict_to_dict(Verdict("clean", UNMET, 0.4, "fail"))
    optional = {
        "interval",
        "n_images",
        "waiver",
        "at_worst",
        "confidence",
        "images_needed",
        "unsure",
    }
    assert not optional & set(bare)


def test_a_verdict_on_the_summary_has_its_interval_in_the_report_too():
    summary = tuple(
        Limit(metric, bound, 0.5, "r.yaml:10")
        for metric, bound in (
            ("mean_corruption_pixel_segf1", "min"),
            ("worst_drop_bg_fpr", "max"),
            ("worst_corruption_auroc", "min"),
        )
    )
    report = small_benchmark(
        corruptions=["blur"], gate=Gate(summary=summary, one_sided={"summary": "misses"})
    ).run()
    found = [(v.interval is not None, v.n_images) for v in report.verdicts]
    n_images = len(report.header.samples.label)
    n_defect = sum(report.header.samples.label)
    assert found == [(True, n_defect), (True, n_images), (False, None)]
    for verdict in report.verdicts[:2]:
        assert verdict.interval[0] <= verdict.value <= verdict.interval[1]
        assert min(verdict.interval) <= verdict.at_worst <= max(verdict.interval)
    stored = json.loads(json.dumps(report.to_dict()))
    assert tuple(map(verdict_from_dict, stored["verdicts"])) == report.verdicts
    jsonschema.validate(stored, report_schema(), jsonschema.Draft202012Validator)


def fading(image, mask, severity, rng):
    """Some defects leave the frame."""
    gone = mask is not None and mask.any() and rng.random() < 0.5
    return image ^ 1, mask & False if gone else mask


def test_a_verdict_on_the_summary_rests_on_clean_and_corruptions_alone():
    """Not on images of their own; and on no more than the condition that has fewest."""
    limits = tuple(
        Limit(metric, "max", 0.9, "r.yaml:10")
        for metric in ("worst_drop_bg_fpr", "mean_corruption_miss_rate")
    )
    report = small_benchmark(
        corruptions=[rb.Corruption("fading", fading, moves_pixels=True)],
        severities=[3],
        recorded={"led": recorded_set()},
        gate=Gate(summary=limits, one_sided={"summary": "misses"}, demand=Demand(0.9)),
    ).run()
    columns = report.header.samples.to_dict()
    pooled = {
        condition.id: outcomes_of(report.records[condition.id], columns)
        for condition in report.declared
        if not condition.recorded
    }
    numbers = [numbers_of(metric_called("miss_rate"), each) for each in pooled.values()]
    assert len(set(numbers)) == 2
    for verdict in report.verdicts:
        metric = verdict.limit.metric
        assert verdict.interval == summary_interval_of(metric, pooled)
        assert verdict.at_worst == summary_interval_of(metric, pooled, level=0.8)[1]
    assert (report.verdicts[1].n_images, report.verdicts[1].n_parts) == min(numbers)
