"""A limit is shown where the bound of its value keeps it, and not where its value alone does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from scipy.stats import beta, binomtest

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.gates.intervals import bound_on
from pytest_robustbench.gates.limits import Demand, Limit, Verdict, Waiver
from pytest_robustbench.gates.showing import (
    held_to,
    images_needed,
    planned,
    why_never_shown,
    why_without_bound,
    zero_failure_plan,
)
from pytest_robustbench.gates.waivers import apply_waivers, without_waivers
from pytest_robustbench.gates.wording import describe, on_showing, plans
from pytest_robustbench.metrics.catalogue import METRICS, bound_of, metric_called, summaries_of
from pytest_robustbench.metrics.measured import ratio_of
from tests.gates.regression_pairs import pair_of
from tests.reports.report_samples import drawn_report

MISSES = Limit("miss_rate", "max", 0.05, "r.yaml:3")
STRICT, LAX = Demand(0.95, "fail"), Demand(0.95, "skip")


def held(value=0.0, at_worst=0.17, limit=MISSES, n=16, **others):
    return Verdict(
        "clean", limit, value, "pass", n_images=n, interval=(0, 0.2), at_worst=at_worst, **others
    )


# ---- how many parts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "confidence", "n"),
    [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.02, 0.95, 149), (0.1, 0.9, 22), (0.01, 0.99, 459)],
)
def test_the_zero_failure_plan_is_that_of_the_tables(share, confidence, n):
    assert zero_failure_plan(share, confidence) == n


@pytest.mark.parametrize("share", [0.003, 0.01, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_so_many_show_it_and_one_less_does_not(share, confidence):
    n = zero_failure_plan(share, confidence)
    assert beta.ppf(confidence, 1, n) <= share
    assert n == 1 or beta.ppf(confidence, 1, n - 1) > share


def test_a_floor_needs_as_many_as_the_ceiling_on_what_it_leaves():
    assert planned(Limit("recall", "min", 0.95, "")) == 59 == planned(MISSES)
    assert planned(Limit("pixel_segf1", "min", 0.95, "")) is None
    recall = Limit("recall", "min", 0.95, "r.yaml:3")
    assert images_needed(held(1.0, 0.83, recall)) == 59 == images_needed(held())
    assert images_needed(held(0.98, 0.8, recall)) == images_needed(held(1 - 0.98, 0.2))
    assert planned(Limit("worst_drop_recall", "max", 0.05, "")) is None


def test_at_the_rate_that_was_found_the_exact_bound_decides():
    verdict = held(value=1 / 50, at_worst=0.09, n=50)
    n = images_needed(verdict)
    k = n / 50  # the rate stays
    assert beta.ppf(0.95, k + 1, n - k) <= 0.05
    assert beta.ppf(0.95, (n - 1) / 50 + 1, (n - 1) * 49 / 50) > 0.05
    rounded = 50 * round(n / 50)
    exact = binomtest(rounded // 50, rounded).proportion_ci(0.9, "exact").high
    assert exact == pytest.approx(0.05, abs=0.01)


def test_other_metrics_shrink_with_the_root_of_their_images_and_those_without_fault_faster():
    floor = Limit("pixel_segf1", "min", 0.5, "r.yaml:4")
    assert images_needed(held(0.6, 0.4, floor, n=25)) == 100
    assert images_needed(held(1.0, 0.8, replace(floor, value=0.95), n=25)) == 100


def test_without_a_bound_or_images_no_number_is_known():
    assert images_needed(held(at_worst=None)) is None
    assert images_needed(held(n=None)) is None


def test_no_number_shows_a_limit_that_is_violated():
    violated = held(0.4, 0.2, Limit("pixel_segf1", "min", 0.5, "r.yaml:4"), n=25)
    assert images_needed(replace(violated, outcome="fail")) is None


def test_no_number_shows_a_limit_that_the_value_is_equal_to():
    verdict = held(value=0.05)
    assert images_needed(verdict) is None
    assert "no number of images that one could take" in describe(held_to(verdict, STRICT))


@pytest.mark.parametrize("limit", [MISSES, Limit("bg_fpr", "max", 0.05, "r.yaml:4")])
def test_nor_a_limit_that_the_value_is_all_but_equal_to(limit):
    verdict = held(value=0.05 * (1 - 1e-9), limit=limit)
    assert images_needed(verdict) is None
    assert images_needed(replace(verdict, value=0.05 * (1 - 1e-4), at_worst=1.0)) is None


def test_more_than_a_million_images_are_no_number_that_anybody_takes():
    floor = Limit("pixel_segf1", "min", 0.5, "r.yaml:4")
    assert images_needed(held(0.501, 0.501 - 0.1999, floor, n=25)) == pytest.approx(
        999_000, rel=1e-4
    )
    assert images_needed(held(0.501, 0.501 - 0.2001, floor, n=25)) is None


def test_where_there_are_enough_test_images_something_else_is_short():
    verdict = held_to(held(n=80), STRICT)
    assert images_needed(verdict) == 59
    assert "the calibration images are too few" in describe(verdict)


def test_what_other_calibrations_might_break_is_shown_at_a_frozen_operating_point():
    floor = Limit("pixel_segf1", "min", 0.5, "r.yaml:4")
    doubtful = held_to(held(0.6, 0.0, floor, n=25, sampled=(0.52, 0.68)), STRICT)
    assert images_needed(doubtful) is None
    assert "freeze the operating point" in describe(doubtful)
    few = held_to(held(0.6, 0.0, floor, n=25, sampled=(0.4, 0.8)), STRICT)
    assert images_needed(few) == 100
    assert "like these would show it at a frozen operating point" in describe(few)


@pytest.mark.parametrize("n", [20, 60, 120])
def test_the_bound_of_no_failure_is_the_limit_that_so_many_show(n):
    everything, metric = pair_of(n).baseline, metric_called("miss_rate")
    outcomes = everything.of(ratio_of(metric, everything).numerator == 0)
    n_defect = int((outcomes.defective & outcomes.measured).sum())
    bound = bound_on("upper", metric, outcomes)
    assert zero_failure_plan(bound * (1 + 1e-9)) == n_defect
    assert zero_failure_plan(bound * (1 - 1e-6)) == n_defect + 1


# ---- held to a demand ----------------------------------------------------------------------------


def test_what_merely_holds_is_not_shown_and_fails_or_is_open():
    verdict = held_to(held(), STRICT)
    assert (verdict.outcome, verdict.violated, verdict.open) == ("not shown", True, False)
    verdict = held_to(held(), LAX)
    assert (verdict.outcome, verdict.violated, verdict.open) == ("not shown", False, True)
    assert held_to(held(), None).outcome == "pass"


def test_what_is_shown_passes_and_what_violates_fails():
    shown = held(at_worst=0.05)
    assert held_to(shown, STRICT) == shown
    assert shown.shown
    failed = Verdict("clean", MISSES, 0.06, "fail", at_worst=0.04)
    assert held_to(failed, LAX) == failed
    assert not failed.shown


def test_a_bound_that_is_not_known_shows_nothing():
    (verdict,) = (held_to(held(at_worst=None), STRICT),)
    assert verdict.outcome == "not shown"
    assert "too few images" in describe(verdict)
    ranking = Verdict("clean", Limit("pixel_auroc", "min", 0.9, "r.yaml:5"), 0.99, "pass")
    assert "ranks scores" in describe(held_to(ranking, STRICT))


def test_a_latency_is_judged_by_value_and_named():
    latency = Verdict("clean", Limit("latency_ms_per_image", "max", 9, "r.yaml:6"), 3.0, "pass")
    assert held_to(latency, STRICT) == latency
    told = "; ".join(on_showing([latency, held(at_worst=0.01)]))
    assert "latency_ms_per_image: judged by value" in told
    assert told.startswith("1 of them is shown at 95 %")


def test_a_waiver_keeps_what_is_not_shown_visible():
    waiver = Waiver("clean", "miss_rate", "more parts come", "Ada", date(2026, 3, 31), "r.yaml:20")
    for demand in (STRICT, LAX):
        (verdict,) = apply_waivers([held_to(held(), demand)], [waiver], date(2026, 3, 31))
        assert (verdict.outcome, verdict.waived, verdict.open) == ("not shown", True, False)
        assert not verdict.violated
        assert "not shown" in describe(verdict)
        assert "waived until 2026-03-31" in describe(verdict)
    (verdict,) = apply_waivers([held_to(held(), STRICT)], [waiver], date(2026, 4, 1))
    assert verdict.violated
    assert "ran out" in describe(verdict)
    waived = apply_waivers([held_to(held(), STRICT)], [waiver], date(2026, 3, 31))
    assert without_waivers(waived, "--runxfail")[0].violated


# ---- what can never be shown ---------------------------------------------------------------------


def test_what_has_no_bound_is_known_before_anything_is_measured():
    report = drawn_report()
    gate = Gate(
        {"clean": tuple(Limit(m, metric_called(m).bound, 0.5, "") for m in METRICS)},
        tuple(Limit(m, bound_of(m), 0.5, "") for m in summaries_of(METRICS)),
    )
    verdicts = (
        *gate.judge("clean", report.records["clean"], report.header.samples.to_dict()),
        *gate.judge_summary(report),
    )
    for verdict in verdicts:
        if verdict.value is not None and why_without_bound(verdict.limit.metric):
            assert verdict.at_worst is None, verdict.limit.metric
    assert {v.limit.metric for v in verdicts if v.at_worst is not None} >= {
        *("miss_rate", "false_reject_rate", "auroc", "bg_fpr", "mean_corruption_miss_rate"),
    }


@pytest.mark.parametrize(
    ("metric", "bound", "value"),
    [
        ("miss_rate", "max", 0.0),
        ("recall", "min", 1.0),
        ("pixel_auroc", "min", 0.9),
        ("worst_drop_auroc", "max", 0.1),
    ],
)
def test_a_limit_that_no_number_of_parts_shows_is_told(metric, bound, value):
    assert why_never_shown(Limit(metric, bound, value, ""))


@pytest.mark.parametrize(
    ("metric", "bound", "value"),
    [
        ("miss_rate", "max", 0.01),
        ("auroc", "min", 0.9),
        ("worst_drop_miss_rate", "max", 0.0),
        ("latency_ms_per_image", "max", 3.0),
    ],
)
def test_others_can_be_or_speak_of_no_parts(metric, bound, value):
    assert not why_never_shown(Limit(metric, bound, value, ""))


# ---- in words ------------------------------------------------------------------------------------


def test_a_line_tells_holds_from_shown():
    assert describe(held_to(held(), STRICT)) == (
        "clean: miss_rate = 0 keeps the ceiling 0.05 (r.yaml:3) and is not shown: at most 0.17 at "
        "95 %; 59 defect images with nothing wrong would show it; 16 defect images: 95 % interval "
        "0 to 0.2"
    )
    assert "(r.yaml:3), shown: at most 0.04 at 95 %" in describe(held(at_worst=0.04))


def test_what_holds_and_is_not_shown_may_fail_on_fresh_images():
    first, *others = on_showing([held(), held(at_worst=0.01)])
    assert first == "1 of them is shown at 95 %"
    assert "11 to 37 %" in others[0]
    assert "59 defect images" in others[0]
    assert list(on_showing([held(at_worst=0.01)])) == ["all of them are shown at 95 %"]


def test_a_test_set_that_is_too_small_is_told_beforehand():
    good = Limit("false_reject_rate", "max", 0.5, "r.yaml:4")
    (line,) = plans([MISSES, MISSES, good], {"defect": 16, "normal": 5}, 0.95)
    assert line == (
        "miss_rate max 0.05 (r.yaml:3) takes 59 defect images, none of them wrong, to be shown at "
        "95 %; the test set has 16"
    )


def test_images_of_one_part_are_told_as_such_in_what_would_show_a_limit():
    repeated = held_to(held(n=80, n_parts=8), STRICT)
    assert images_needed(repeated) == 59
    assert "59 defect images of as many parts" in describe(repeated)
