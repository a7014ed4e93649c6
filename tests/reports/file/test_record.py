"""A record holds what was measured, where it is looked for, and enough to measure it again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.gates.limits import Limit, Verdict
from pytest_robustbench.metrics.catalogue import BUILT_IN, METRICS, metric_called
from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.measured import value_of
from pytest_robustbench.metrics.outcomes import COLUMNS, COUNTS
from pytest_robustbench.reports.file.fields import error_record, metrics_of, undefined_of
from pytest_robustbench.reports.file.record import condition_record, outcomes_of, shortest
from pytest_robustbench.reports.file.report import verdict_from_dict, verdict_to_dict
from tests.reports.report_samples import GATE, drawn_report, drawn_result

floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
shares, times = st.none() | st.floats(0, 1), st.floats(0, 100)


@given(hnp.arrays(np.float32, st.integers(0, 30), elements=floats32))
@settings(deadline=None)
def test_scores_survive_the_decimals_exactly(values):
    read = np.array(json.loads(json.dumps(shortest(values))), np.float64).astype(np.float32)

    assert read.tobytes() == values.tobytes()


@given(st.integers(0, 0x7F7FFFFF))
@settings(deadline=None, max_examples=300)
def test_any_bits_of_a_finite_float32_survive(bits):
    value = np.array([bits], np.uint32).view(np.float32)
    read = np.array(json.loads(json.dumps(shortest(value))), np.float64).astype(np.float32)

    assert read.tobytes() == value.tobytes()


def test_scores_are_short():
    assert json.dumps(shortest(np.array([0.1, 1 / 3, 12.345, 5], np.float32))) == (
        "[0.1, 0.33333334, 12.345, 5.0]"
    )


@given(
    st.fixed_dictionaries({m: times if metric_called(m).is_latency else shares for m in METRICS})
)
@settings(deadline=None, max_examples=30)
def test_metrics_of_is_the_inverse_of_the_record(metrics):
    undefined = {name: "for a reason" for name, value in metrics.items() if value is None}
    result = drawn_result(CLEAN, np.random.default_rng(0))
    record = condition_record(replace(result, metrics=metrics, undefined=undefined))
    latency = {"latency_p95_ms": result.latency.p95, "latency_relative": result.latency.relative}

    assert metrics_of(json.loads(json.dumps(record))) == metrics | latency
    assert undefined_of(record) == undefined


def test_an_error_has_every_metric_undefined():
    record = error_record("000.png: cannot be decoded")

    assert metrics_of(record) == dict.fromkeys(METRICS)
    assert undefined_of(record) == dict.fromkeys(METRICS, "000.png: cannot be decoded")


def test_zero_is_a_value():
    result = drawn_result(CLEAN, np.random.default_rng(0))
    still = replace(result.latency, p95=0.0, median=0.0)
    zeros = dict.fromkeys(METRICS, 0.0)

    assert metrics_of(condition_record(replace(result, metrics=zeros, latency=still))) == zeros


def test_an_image_left_out_is_null_in_every_column():
    result = drawn_result(CLEAN, np.random.default_rng(0))
    left_out = {n: np.array(getattr(result.per_image, n)) for n in COLUMNS}
    for column in left_out.values():
        column[2] = np.nan
    digests = tuple("" if i == 2 else d for i, d in enumerate(result.digests))
    columns = replace(result.per_image, **left_out)
    per_image = condition_record(replace(result, per_image=columns, digests=digests))["per_image"]

    assert {name: column[2] for name, column in per_image.items()} == dict.fromkeys(per_image)
    assert all(column.count(None) == 1 for column in per_image.values())


@pytest.mark.parametrize("condition", ["clean", "blur-severity_3", "geo_jitter-severity_5"])
def test_metrics_can_be_computed_again_from_the_columns(real_report, condition):
    plain = json.loads(json.dumps(real_report.to_dict()))
    corruption, _, severity = condition.partition("-")
    record = plain["robustness"]["clean"]
    if severity:
        record = plain["robustness"]["corruptions"][corruption][severity]
    reported, labels = metrics_of(record), np.array(plain["samples"]["label"])
    outcomes = outcomes_of(record, {"label": labels, "group": [None] * len(labels)})
    scores = outcomes.score[outcomes.measured].astype(np.float32)
    labels = labels[outcomes.measured]
    best, ranking = best_f1(scores, labels), rank_images(scores, labels)
    results, everything = record["results"], outcomes.all_called()

    for metric in BUILT_IN:
        if metric.formula:
            assert reported[metric.name] == value_of(metric, outcomes), metric.name
    pixels = results["pixel_metrics"]
    for name in ("segf1", "segf1_per_image"):
        trivial = value_of(metric_called(f"pixel_{name}"), everything)
        assert pixels[f"trivial_{name}"] == trivial
    assert (reported["auroc"], reported["average_precision"]) == (
        ranking.auroc,
        ranking.average_precision,
    )
    for name in COUNTS:
        assert results["metrics"][name] == getattr(outcomes, f"image_{name}").sum(), name
    assert results["best_f1"] == {"f1": best.f1, "threshold": best.threshold}
    assert outcomes.counted.sum() > 0


def test_the_real_report_is_no_trivial_one(real_report):
    """So that the test above compares numbers that mean something."""
    clean = metrics_of(real_report.records["clean"])

    assert 0 < clean["pixel_segf1"] < 1
    assert 0 < clean["bg_fpr"] < 1
    assert real_report.records["clean"]["latency"]["count"] == 8


def test_verdicts_of_the_real_report(real_report):
    found = {(v.condition, v.limit.metric): v.outcome for v in real_report.verdicts}
    limits = [("clean", "bg_fpr"), ("blur-severity_3", "bg_fpr"), ("summary", "worst_drop_recall")]

    declared = [*GATE.limits.values(), GATE.summary]
    assert sum(map(len, declared)) == len(found)
    assert found == dict(zip(limits, ("pass", "fail", "pass"), strict=True))


@pytest.mark.parametrize("value", [0.5, None])
def test_a_verdict_crosses_process_borders(value):
    limit = Limit("auroc", "min", 0.9, "line é.yaml:3")
    verdict = Verdict("clean", limit, value, "error", "no normal image in the test set")

    assert verdict_from_dict(json.loads(json.dumps(verdict_to_dict(verdict)))) == verdict


def test_conditions_stand_by_corruption_and_severity_in_declared_order():
    report = drawn_report(corruptions=("jpeg", "blur"))
    corruptions = report.to_dict()["robustness"]["corruptions"]

    assert list(corruptions) == ["jpeg", "blur"]
    assert list(corruptions["blur"]) == [f"severity_{s}" for s in range(1, 6)]
    assert corruptions["blur"]["severity_2"] == report.records["blur-severity_2"]


def test_the_summary_is_over_declared_conditions_only():
    report = drawn_report()
    foreign = replace(report, declared=(CLEAN, Condition("blur", 1)))
    expected = metrics_of(report.records["blur-severity_1"])["bg_fpr"]

    assert foreign.summary().metrics["worst_corruption_bg_fpr"] == expected
