"""What may change, and what is no bound at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.regression.changes import (
    SETTINGS,
    AllowedChange,
    changes_from_record,
    comparable_metrics,
    why_meaningless,
    worse,
)
from pytest_robustbench.metrics.catalogue import metric_called


def change(metric="auroc", value=0.05, *, relative=False):
    return AllowedChange(metric, worse(metric), value, relative, "robustness.yaml:9")


def test_a_loss_is_a_fall_of_what_should_be_high_and_a_rise_of_what_should_be_low():
    assert (worse("auroc"), worse("miss_rate")) == ("max_drop", "max_rise")
    assert change("auroc").loss(0.9, 0.7) == pytest.approx(0.2)
    assert change("miss_rate").loss(0.1, 0.3) == pytest.approx(0.2)


def test_a_relative_change_is_a_share_of_the_baseline():
    assert change(value=0.1, relative=True).allowed(0.5) == pytest.approx(0.05)
    assert change(value=0.1).allowed(0.5) == 0.1


@pytest.mark.parametrize(
    ("metric", "value", "relative", "expected"),
    [
        ("auroc", 1.0, False, True),
        ("auroc", 0.99, False, False),
        ("auroc", 1.0, True, True),
        ("auroc", 0.99, True, False),
        ("auroc", 1.5, True, True),
        ("miss_rate", 1.0, False, True),
        ("miss_rate", 3.0, True, False),
        ("miss_rate", 0.0, False, True),
        ("auroc", 0.0, True, True),
        ("latency_relative", 0.0, True, True),
        ("latency_p95_ms", 1e6, False, False),
    ],
)
def test_what_nothing_can_exceed_or_keep_for_sure_is_no_bound(metric, value, relative, expected):
    assert bool(why_meaningless(change(metric, value, relative=relative))) == expected


def test_a_record_is_read_as_it_was_declared():
    record = {
        **dict.fromkeys(SETTINGS),
        "miss_rate": {"max_rise": 1, "relative": True},
        "auroc": {"max_drop": 0.1, "relative": True},
    }
    found = {one.metric: one for one in changes_from_record(record, "r.json")}
    assert list(found) == [name for name in comparable_metrics() if name in record]
    assert found["auroc"] == AllowedChange(
        "auroc", "max_drop", 0.1, True, "r.json: config.regression.auroc"
    )
    assert (found["miss_rate"].value, found["miss_rate"].relative) == (1.0, True)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        0.02,
        {"max_rise": 0.02, "relative": False},
        {"max_drop": "0.02", "relative": False},
        {"max_drop": True, "relative": False},
        {"max_drop": -0.1, "relative": False},
        {"max_drop": float("nan"), "relative": False},
        {"max_drop": 0.02},
        {"max_drop": 0.02, "relative": 1},
        {"max_drop": 1.0, "relative": False},
        {"max_drop": 1.0, "relative": True},
        {"max_drop": 0, "relative": False},
    ],
)
def test_margins_that_nobody_wrote_are_refused(entry):
    with pytest.raises(ReportError, match=r"^r.json: config.regression.pixel_segf1 "):
        changes_from_record({"baseline": "b.json", "pixel_segf1": entry}, "r.json")


@pytest.mark.parametrize("record", [["f1"], "f1", [3], 0.02])
def test_a_record_that_is_no_section_is_refused(record):
    with pytest.raises(ReportError, match=r"^r.json: config.regression is .*, not an object$"):
        changes_from_record(record, "r.json")


@pytest.mark.parametrize("name", ["aupro", "pixel_segf", "maxdrop"])
def test_a_margin_that_cannot_be_judged_is_no_absent_one(name):
    with pytest.raises(ReportError, match=f"names {name}, which"):
        changes_from_record({name: {"max_drop": 0.1, "relative": False}}, "r.json")


open_shares = st.floats(0, 1, exclude_min=True, exclude_max=True)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(comparable_metrics()), open_shares, st.booleans())
def test_what_is_refused_could_never_fail_and_what_is_taken_could(metric, value, relative):
    bound = worse(metric)
    record = {metric: {bound: value, "relative": relative}}
    (change,) = changes_from_record(record, "r.json")
    worst = 0.0 if bound == "max_drop" else 1.0
    best = 1.0 - worst
    if not metric_called(metric).is_latency and not (relative and best == 0):
        assert change.loss(best, worst) > change.allowed(best)
