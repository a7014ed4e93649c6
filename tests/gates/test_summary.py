"""Means, worst values and drops are what a naive computation gives, or undefined with a reason."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.gates.judgement import judge
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.summary import summarize
from pytest_robustbench.metrics.catalogue import METRICS, SUMMARY_METRICS, bound_of, metric_called

numbers = st.floats(0, 1e3, allow_subnormal=False)
metric_name = st.sampled_from(METRICS)


def over_one_metric(metric, clean, levels):
    blurred = {f"blur-severity_{i}": {metric: level} for i, level in enumerate(levels, start=1)}
    return summarize({"clean": {metric: clean}, **blurred}, {})


@given(metric_name, numbers, st.lists(numbers, min_size=1, max_size=6))
@settings(deadline=None)
def test_it_is_what_a_naive_computation_gives(metric, clean, levels):
    found = over_one_metric(metric, clean, levels).metrics
    better_high = metric_called(metric).more_is_better
    losses = [clean - v if better_high else v - clean for v in levels]

    assert found[f"clean_{metric}"] == clean
    assert found[f"mean_corruption_{metric}"] == pytest.approx(sum(levels) / len(levels))
    assert found[f"worst_corruption_{metric}"] == (min(levels) if better_high else max(levels))
    assert found[f"mean_drop_{metric}"] == pytest.approx(sum(losses) / len(losses), abs=1e-9)
    assert found[f"worst_drop_{metric}"] == max(losses)


@given(metric_name, numbers, st.floats(1e-3, 1))
@settings(deadline=None)
def test_a_drop_is_positive_where_it_got_worse(metric, clean, change):
    worse = clean - change if metric_called(metric).more_is_better else clean + change

    found = over_one_metric(metric, clean, [worse]).metrics
    assert found[f"mean_drop_{metric}"] == found[f"worst_drop_{metric}"] > 0
    assert over_one_metric(metric, worse, [clean]).metrics[f"worst_drop_{metric}"] < 0


@pytest.mark.parametrize("metric", METRICS)
def test_no_drop_is_a_plain_zero(metric):
    assert math.copysign(1, over_one_metric(metric, 0.5, [0.5]).metrics[f"mean_drop_{metric}"]) > 0


def test_every_name_is_there_and_exactly_the_undefined_ones_have_reasons():
    found = over_one_metric("auroc", 0.9, [0.8])

    assert set(found.metrics) == {f"clean_{m}" for m in METRICS} | set(SUMMARY_METRICS)
    assert set(found.undefined) == {n for n, value in found.metrics.items() if value is None}
    assert "mean_drop_auroc" not in found.undefined


@given(
    metric_name,
    st.lists(numbers, min_size=1, max_size=5),
    st.integers(0, 4),
    st.sampled_from([None, math.nan, math.inf, -math.inf]),
)
@settings(deadline=None)
def test_one_undefined_condition_makes_the_summary_undefined(metric, levels, index, nothing):
    index %= len(levels)
    levels = [*levels[:index], nothing, *levels[index + 1 :]]
    found = over_one_metric(metric, 0.5, levels)
    names = [name for name in SUMMARY_METRICS if name in _names_of(metric)]

    assert [found.metrics[name] for name in names] == [None] * 4
    assert all(f"blur-severity_{index + 1}: " in found.undefined[name] for name in names)
    assert found.metrics[f"clean_{metric}"] == 0.5


def _names_of(metric):
    return {
        f"{each}_{what}_{metric}" for each in ("mean", "worst") for what in ("corruption", "drop")
    }


@given(metric_name, st.lists(numbers, min_size=1, max_size=5), st.sampled_from([None, math.nan]))
@settings(deadline=None)
def test_without_clean_there_is_no_drop_but_a_mean(metric, levels, nothing):
    found = over_one_metric(metric, nothing, levels)

    assert found.metrics[f"clean_{metric}"] is None
    assert found.metrics[f"mean_drop_{metric}"] is found.metrics[f"worst_drop_{metric}"] is None
    assert found.undefined[f"mean_drop_{metric}"].startswith("clean: ")
    assert found.metrics[f"mean_corruption_{metric}"] == pytest.approx(sum(levels) / len(levels))


def test_reasons_name_the_first_condition_and_what_it_lacks():
    metrics = {"clean": {"f1": 0.5}, "blur-severity_1": {"f1": None}, "blur-severity_2": {}}
    reasons = {"blur-severity_1": {"f1": "no image is called defective"}}
    found = summarize(metrics, reasons)

    assert found.undefined["worst_corruption_f1"] == "blur-severity_1: no image is called defective"
    assert found.undefined["clean_auroc"] == "clean: not measured"


@pytest.mark.parametrize("metrics", [{}, {"clean": {"auroc": 0.9}}], ids=["nothing", "clean"])
def test_without_corruptions_nothing_is_summarized(metrics):
    found = summarize(metrics, {})

    assert found.metrics["mean_corruption_auroc"] is None
    assert found.undefined["worst_drop_auroc"] == "no corrupted condition was measured"
    assert found.metrics["clean_auroc"] == metrics.get("clean", {}).get("auroc")


@given(metric_name, st.sampled_from(["mean_corruption_", "worst_drop_"]))
@settings(deadline=None)
def test_a_limit_on_an_undefined_summary_never_passes(metric, prefix):
    found = over_one_metric(metric, 0.5, [0.5, None])
    name = prefix + metric
    loosest = -math.inf if bound_of(name) == "min" else math.inf
    limit = Limit(name, bound_of(name), loosest, "robustness.yaml:9")
    (verdict,) = judge("summary", [limit], found.metrics, found.undefined)

    assert verdict.outcome == "error"
    assert verdict.reason == "blur-severity_2: not measured"


@given(
    st.sampled_from([m for m in METRICS if metric_called(m).more_is_better]),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.1), st.floats(-1, 1)), min_size=2),
)
@settings(deadline=None)
def test_errors_of_the_summary_hold_wherever_the_truth_lies(metric, found):
    corrupted = (f"{('blur', 'noise')[i % 2]}-severity_{i}" for i in range(1, len(found)))
    names = ["clean", *corrupted]  # some before clean in the alphabet, some behind it
    measured = {n: {metric: value} for n, (value, _, _) in zip(names, found, strict=True)}
    errors = {n: {metric: error} for n, (_, error, _) in zip(names, found, strict=True)}
    truth = {n: {metric: v + e * place} for n, (v, e, place) in zip(names, found, strict=True)}

    summary, exact = summarize(measured, {}, errors), summarize(truth, {})

    assert summary.error
    for name, bound in summary.error.items():
        assert abs(summary.metrics[name] - exact.metrics[name]) <= bound + 1e-12
    assert summarize(measured, {}).error == {}
