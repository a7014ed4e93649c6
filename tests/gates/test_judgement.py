"""A limit is met or it is not, and what cannot be measured never passes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_robustbench as rb
from pytest_robustbench.gates.judgement import (
    judge,
    not_measurable,
    would_fail_a_silent_detector,
)
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.wording import describe
from pytest_robustbench.metrics.catalogue import (
    BUILT_IN,
    METRICS,
    SUMMARY_METRICS,
    bound_of,
    summarized,
)

SOURCE = "robustness.yaml:18"
values = st.floats(-1e6, 1e6)
limited = st.sampled_from((*METRICS, *SUMMARY_METRICS))


def limit(metric, value):
    return Limit(metric, bound_of(metric), value, SOURCE)


def outcome(metric, bound, value):
    (verdict,) = judge("clean", [limit(metric, bound)], {metric: value}, {})
    return verdict.outcome


@given(limited, values)
@settings(deadline=None)
def test_a_value_equal_to_its_limit_passes(metric, value):
    assert outcome(metric, value, value) == "pass"


@given(limited, values)
@settings(deadline=None)
def test_the_least_step_across_decides(metric, value):
    below, above = math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
    met, violated = (below, above) if bound_of(metric) == "min" else (above, below)

    assert outcome(metric, met, value) == "pass"
    assert outcome(metric, violated, value) == "fail"


@given(limited, values, st.sampled_from([None, math.nan, math.inf, -math.inf]))
@settings(deadline=None)
def test_what_is_no_number_is_an_error_with_a_reason(metric, bound, value):
    (verdict,) = judge("clean", [limit(metric, bound)], {metric: value}, {})

    assert verdict.outcome == "error"
    assert verdict.value is None
    assert verdict.reason


def test_an_absent_metric_is_an_error():
    (verdict,) = judge("clean", [limit("auroc", 0.0)], {}, {})

    assert (verdict.outcome, verdict.reason) == ("error", "not measured")


def test_the_reason_is_the_one_that_was_recorded():
    reasons = {"auroc": "no defect image in the test set", "f1": "other"}
    (verdict,) = judge("clean", [limit("auroc", 0.0)], {"auroc": None}, reasons)

    assert verdict.reason == "no defect image in the test set"


def test_every_limit_gets_a_verdict_in_order():
    limits = [limit("auroc", 0.9), limit("bg_fpr", 0.1), limit("f1", 0.5)]
    verdicts = judge("blur-severity_3", limits, {"auroc": 0.8, "bg_fpr": 0.1}, {})

    assert [v.limit for v in verdicts] == limits
    assert [v.outcome for v in verdicts] == ["fail", "pass", "error"]
    assert [v.value for v in verdicts] == [0.8, 0.1, None]
    assert {v.condition for v in verdicts} == {"blur-severity_3"}
    assert judge("clean", [], {"auroc": 1.0}, {}) == ()


def test_a_condition_that_cannot_be_measured_fails_every_limit():
    limits = [limit("auroc", 0.0), limit("latency_ms_per_image", 1e9)]
    verdicts = not_measurable("clean", limits, "the detector raised")

    assert [(v.outcome, v.value, v.reason) for v in verdicts] == [
        ("error", None, "the detector raised")
    ] * 2


@pytest.mark.parametrize("metric", [m.name for m in BUILT_IN if m.more_is_better])
def test_good_things_have_floors(metric):
    assert bound_of(metric) == "min"
    assert bound_of(f"mean_corruption_{metric}") == bound_of(f"worst_corruption_{metric}") == "min"
    assert bound_of(f"mean_drop_{metric}") == bound_of(f"worst_drop_{metric}") == "max"


@pytest.mark.parametrize("metric", [m.name for m in BUILT_IN if not m.more_is_better])
def test_bad_things_have_ceilings(metric):
    assert bound_of(metric) == "max"
    assert bound_of(f"mean_corruption_{metric}") == bound_of(f"worst_corruption_{metric}") == "max"
    assert bound_of(f"mean_drop_{metric}") == bound_of(f"worst_drop_{metric}") == "max"


@pytest.mark.parametrize("metric", [*METRICS, *SUMMARY_METRICS])
def test_every_summary_metric_names_one_of_a_condition(metric):
    assert summarized(metric) in METRICS
    assert metric.endswith(summarized(metric))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "AUROC",
        "iou",
        "clean_auroc",
        "mean_auroc",
        "mean_corruption_",
        "mean_corruption_iou",
        "mean_corruption_worst_corruption_auroc",
        "worst_drop_mean_drop_auroc",
        "mean_corruption_mean_drop_auroc",
    ],
)
def test_other_names_are_no_metrics(name):
    with pytest.raises(KeyError) as caught:
        bound_of(name)

    assert caught.value.args == (name,)


SILENT = {
    **dict.fromkeys(("pixel_segf1", "pixel_segf1_per_image", "f1", "recall"), 0.0),
    **dict.fromkeys(("bg_fpr", "normal_fpr", "false_reject_rate"), 0.0),
    **dict.fromkeys(("miss_rate", "specificity"), 1.0),
    **dict.fromkeys(("pixel_auroc", "pixel_average_precision", "aupro"), 1.0),
    **dict.fromkeys(("auroc", "average_precision"), 1.0),  # only its threshold is out of reach
    **dict.fromkeys(("latency_ms_per_image", "latency_p95_ms", "latency_relative"), 0.0),
    "precision": None,
    "accuracy": 1 - 1e-9,  # among so many good images
}


def silent_value(metric):
    value = SILENT[summarized(metric)]
    return 0.0 if value is not None and "_drop_" in metric else value


@given(limited, st.floats(0.01, 0.99) | st.sampled_from([0.0, 1.0]))
@settings(deadline=None, max_examples=400)
def test_what_notices_a_silent_detector_is_what_fails_it(metric, bound):
    one = limit(metric, bound)
    (verdict,) = judge("x", [one], {metric: silent_value(metric)}, {})
    fails = verdict.outcome != "pass"
    depends_on_the_images = metric.endswith("accuracy") and bound == 1.0

    assert would_fail_a_silent_detector([one]) == (fails and not depends_on_the_images)


def test_one_limit_that_notices_is_enough():
    blind = [limit("bg_fpr", 0.05), limit("latency_ms_per_image", 200)]

    assert not would_fail_a_silent_detector([])
    assert not would_fail_a_silent_detector(blind)
    assert not would_fail_a_silent_detector([*blind, limit("auroc", 0.9)])
    assert would_fail_a_silent_detector([*blind, limit("miss_rate", 0.05)])
    assert would_fail_a_silent_detector([*blind, limit("mean_corruption_pixel_segf1", 0.25)])


@given(limited, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0, 10), st.floats(-1, 1))
@settings(deadline=None)
def test_a_verdict_holds_wherever_within_its_error_the_truth_lies(
    metric, bound, value, error, place
):
    (verdict,) = judge("clean", [limit(metric, bound)], {metric: value}, {}, {metric: error})

    truth = value + place * error
    if verdict.outcome != "error":
        assert verdict.outcome == outcome(metric, bound, truth)
    if abs(value - bound) > 2 * error:
        assert verdict.outcome == outcome(metric, bound, value)


def test_a_limit_within_the_error_is_not_decided():
    (verdict,) = judge(
        "clean", [limit("aupro", 0.9)], {"aupro": 0.9004}, {}, {"aupro": 0.001, "auroc": 1.0}
    )

    assert verdict.outcome == "error"
    assert verdict.value == 0.9004
    assert "aupro cannot be decided: 0.9004" in describe(verdict)
    assert verdict.reason == (
        "0.9004 is exact to 0.001 only (ranking: binned), and the limit lies within: raise "
        "memory_budget"
    )


def test_a_limit_that_is_the_largest_value_notices_nothing(registered):
    rb.register_metric(
        more_is_better=False, meaning="half of them", name="halved", sees=("misses",), largest=0.5
    )(lambda o: (0.5 * o.image_fn, o.image_tp + o.image_fn))

    assert would_fail_a_silent_detector([Limit("halved", "max", 0.4, SOURCE)])
    assert not would_fail_a_silent_detector([Limit("halved", "max", 0.5, SOURCE)])
