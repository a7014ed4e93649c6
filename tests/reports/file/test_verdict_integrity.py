"""Verdicts that do not follow from values, limits and configuration are noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.gates.limits import Limit, Waiver
from pytest_robustbench.reports.file.integrity import contradictions, misfits
from tests.reports.report_samples import GATE, drawn_report, scores_only
from tests.reports.stored_reports import (
    CONFIG,
    edited,
    hashed,
    measure,
    recorded_set,
    stored,
    without,
)

CLEAN, BLUR = ("robustness", "clean"), ("robustness", "corruptions", "blur", "severity_3")
LED = ("robustness", "recorded", "led")
DAY = date(2025, 1, 31)
LIMITS = Gate(
    {
        "clean": (
            Limit("bg_fpr", "max", 0.9, "robustness.yaml:3"),
            Limit("pixel_segf1", "min", 0.99, "robustness.yaml:4"),
        ),
        "recorded-led": (Limit("auroc", "min", 0.0, "robustness.yaml:5"),),
    },
    (Limit("worst_drop_recall", "max", 1.0, "robustness.yaml:6"),),
    (Waiver("clean", "pixel_segf1", "new lamp", "Q", date(2999, 1, 1), "robustness.yaml:7"),),
    DAY,
)
UNWAIVED = replace(LIMITS, waivers=())
DECLARED = {
    **CONFIG,
    "accept": {
        "clean": {"bg_fpr": {"max": 0.9}, "pixel_segf1": {"min": 0.99}},
        "recorded-led": {"auroc": {"min": 0.0}},
    },
    "summary": {"worst_drop_recall": {"max": 1.0}},
    "waivers": [],
}
WAIVER = {
    "condition": "clean",
    "metric": "pixel_segf1",
    "reason": "new lamp",
    "by": "Q",
    "until": "2999-01-01",
    "source": "robustness.yaml:7",
}


@pytest.fixture(scope="module")
def plain():
    """Its verdicts: one on clean holds, one fails; one on a recorded set; one on the summary."""
    return measure(gate=UNWAIVED, config=DECLARED)


@pytest.fixture(scope="module")
def waived():
    return measure(gate=LIMITS, config={**DECLARED, "waivers": [WAIVER]})


def told(plain):
    return list(contradictions(stored(plain)))


def assert_noticed(plain, *parts):
    assert any(all(part in line for part in parts) for line in told(plain)), told(plain)


def verdict(plain, condition, metric):
    """The place of a verdict."""
    (index,) = (
        i
        for i, v in enumerate(plain["verdicts"])
        if (v["condition"], v["metric"]) == (condition, metric)
    )
    return ("verdicts", index)


# ---- what was measured agrees with itself ------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gate": GATE},
        {"gate": GATE, "config": {}, "recorded": {}},
        {"gate": GATE, "detector": scores_only},
        {"gate": UNWAIVED, "config": DECLARED, "detector": scores_only},
        {"gate": UNWAIVED, "config": DECLARED, "evaluation": EvaluationSettings(memory_budget=0)},
        {
            "gate": UNWAIVED,
            "config": DECLARED,
            "evaluation": EvaluationSettings(pixel_segf1=False),
        },
    ],
    ids=["no limits", "limits", "python", "no maps", "declared", "binned", "no segf1"],
)
def test_what_was_measured_agrees_with_itself(options):
    assert told(measure(**options)) == []


def test_declared_limits_and_waivers_agree(plain, waived):
    assert [v["verdict"] for v in plain["verdicts"]] == ["pass", "fail", "pass", "pass"]
    assert "waiver" in waived["verdicts"][1]
    assert told(plain) == told(waived) == []


def test_a_drawn_report_has_no_verdict_to_contradict():
    plain = json.loads(json.dumps(drawn_report().to_dict()))

    assert not [line for line in told(plain) if "verdict" in line or "limit" in line]


def test_a_condition_that_failed_agrees_with_its_verdicts():
    def led():
        return replace(recorded_set(), test=())

    plain = measure(gate=UNWAIVED, config=DECLARED, recorded={"led": led})

    assert plain["robustness"]["recorded"]["led"].keys() == {"error"}
    assert [v["verdict"] for v in plain["verdicts"]].count("error") == 1
    assert told(plain) == []


@pytest.mark.parametrize("bound", ["min", "max"])
def test_a_value_at_its_limit_holds(plain, bound):
    value = plain["verdicts"][0]["value"]
    gate = Gate({"clean": (Limit("bg_fpr", bound, value, "robustness.yaml:3"),)})

    found = measure(gate=gate)

    assert [(v["value"], v["verdict"]) for v in found["verdicts"]] == [(value, "pass")]
    assert told(found) == []


def test_a_users_own_configuration_declares_nothing():
    """As in a YAML, whose conditions and limits are not resolved."""
    raw = {"accept": {"clean": {"pixel_segf1": {"min": 0.5}}}, "summary": {"x": 1}, "waivers": 3}

    assert told(measure(gate=GATE, config=raw)) == []


# ---- edits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("fail", "pass"), ("pass", "fail")])
def test_an_edited_verdict_is_noticed(plain, before, after):
    index = [v["verdict"] for v in plain["verdicts"]].index(before)

    changed = edited(plain, (("verdicts", index, "verdict"), after))

    assert_noticed(changed, f"is '{after}', but its value says otherwise")


def test_a_verdict_that_passes_without_a_value_is_noticed():
    plain = measure(scores_only, gate=UNWAIVED, config=DECLARED)
    place = verdict(plain, "clean", "bg_fpr")

    changed = edited(plain, ((*place, "verdict"), "pass"))

    assert_noticed(changed, "the verdict on bg_fpr of clean is 'pass'")


@pytest.mark.parametrize(
    ("condition", "metric", "value"),
    [
        ("clean", "pixel_segf1", 1.0),
        ("clean", "bg_fpr", None),
        ("summary", "worst_drop_recall", 0.5),
    ],
)
def test_an_edited_value_is_noticed(plain, condition, metric, value):
    place = verdict(plain, condition, metric)

    changed = edited(plain, ((*place, "value"), value), ((*place, "verdict"), "pass"))

    assert_noticed(changed, f"the verdict on {metric} of {condition} is on {value}, but")


def test_an_edited_limit_is_noticed(plain):
    place = verdict(plain, "clean", "pixel_segf1")

    changed = edited(plain, ((*place, "limit"), 0.0), ((*place, "verdict"), "pass"))

    assert_noticed(changed, "pixel_segf1 of clean is on min 0.0, but {'min': 0.99} is declared")


def test_an_edited_direction_is_noticed(plain):
    place = verdict(plain, "clean", "pixel_segf1")

    changed = edited(plain, ((*place, "bound"), "max"), ((*place, "verdict"), "pass"))

    assert_noticed(changed, "pixel_segf1 of clean is on max 0.99, but")


def test_an_edited_limit_of_the_summary_is_noticed(plain):
    place = verdict(plain, "summary", "worst_drop_recall")

    assert_noticed(
        edited(plain, ((*place, "limit"), 2.0)), "worst_drop_recall of summary is on max"
    )


@pytest.mark.parametrize(
    ("condition", "metric"),
    [("clean", "pixel_segf1"), ("recorded-led", "auroc"), ("summary", "worst_drop_recall")],
)
def test_a_verdict_that_was_removed_is_noticed(plain, condition, metric):
    changed = without(plain, *verdict(plain, condition, metric))

    assert_noticed(changed, "declared, and not judged", f"{metric} of {condition}")


def test_all_verdicts_removed_are_noticed(plain):
    assert_noticed({**plain, "verdicts": []}, "and not judged: auroc of recorded-led, bg_fpr of c")


def test_a_limit_removed_from_the_configuration_too_is_noticed_by_its_digest(plain):
    changed = without(plain, *verdict(plain, "clean", "pixel_segf1"))
    changed = without(changed, "config", "accept", "clean", "pixel_segf1")

    assert_noticed(changed, "sha256.config contradicts config")


def test_a_waiver_that_nobody_declared_is_noticed(plain):
    place = verdict(plain, "clean", "pixel_segf1")
    waiver = {key: WAIVER[key] for key in ("reason", "by", "until", "source")}

    changed = edited(plain, ((*place, "waiver"), waiver))

    assert_noticed(changed, "pixel_segf1 of clean is waived, but no such waiver is declared")


def test_a_waiver_that_was_prolonged_is_noticed(waived):
    place = verdict(waived, "clean", "pixel_segf1")

    changed = edited(waived, ((*place, "waiver", "until"), "3999-01-01"))

    assert_noticed(changed, "is waived, but no such waiver is declared")


def test_a_verdict_on_what_was_never_measured_is_noticed(plain):
    place = verdict(plain, "clean", "pixel_segf1")

    changed = edited(plain, ((*place, "condition"), "blur-severity_1"))

    assert_noticed(changed, "pixel_segf1 of blur-severity_1 is on", "that metric is None")


def test_a_condition_that_was_cut_out_with_its_verdicts_is_noticed(plain):
    changed = without(plain, *verdict(plain, "recorded-led", "auroc"))
    changed = without(changed, *LED)

    assert_noticed(changed, "it says that it is complete, in spite of recorded-led")


def test_a_narrowed_run_that_says_it_is_complete_is_noticed(plain):
    assert_noticed({**plain, "narrowed": ["-k blur"]}, "complete, in spite of -k blur")


def test_a_condition_that_failed_in_a_complete_report_is_noticed(plain):
    assert_noticed(edited(plain, (BLUR, {"error": "x"})), "complete, in spite of blur-severity_3")


# ---- comparisons -------------------------------------------------------------------------------


def compared(outcome, *verdicts, problems=()):
    change = {
        "condition": "clean",
        "metric": "bg_fpr",
        "baseline": 0.1,
        "candidate": 0.2,
        "loss": 0.1,
        "allowed": 0.01,
        "interval": None,
        "improved": False,
        "reason": "",
    }
    return {
        "role": "baseline",
        "baseline": "b.json",
        "outcome": outcome,
        "problems": list(problems),
        "notes": [],
        "verdicts": [
            {**change, "outcome": each, "allowed": 0.2 if each == "pass" else 0.01}
            for each in verdicts
        ],
        "n_changed_decisions": 0,
        "changed_decisions": [],
    }


@pytest.mark.parametrize(
    "comparison",
    [
        compared("pass", "pass", "pass"),
        compared("regressed", "pass", "regressed", "inconclusive"),
        compared("inconclusive", "inconclusive", "pass"),
        compared("error", "error", "regressed"),
        compared("error", problems=["other images"]),
        compared("error"),
    ],
    ids=lambda found: found["outcome"],
)
def test_a_comparison_is_its_worst_verdict(plain, comparison):
    assert told({**plain, "regression": [comparison]}) == []


@pytest.mark.parametrize(
    "comparison",
    [
        compared("pass", "pass", "regressed"),
        compared("inconclusive", "regressed"),
        compared("pass", "pass", problems=["other images"]),
        compared("pass"),
    ],
)
def test_a_comparison_edited_to_pass_is_noticed(plain, comparison):
    assert_noticed({**plain, "regression": [comparison]}, "baseline b.json contradicts its own")


# ---- columns -----------------------------------------------------------------------------------


def test_columns_of_a_report_fit_together(plain):
    assert list(misfits(stored(plain))) == []


def test_columns_that_do_not_fit_are_told_and_nothing_is_worked_out(plain):
    cut = edited(plain, ((*CLEAN, "per_image", "tp"), lambda column: column[:-1]))

    assert "clean: columns differ in length" in " ".join(misfits(stored(cut)))
    assert_noticed(cut, "clean: columns differ in length")


@pytest.mark.parametrize("part", ["samples", "operating_point"])
def test_measured_without_what_it_was_measured_on_is_told(plain, part):
    (found,) = misfits(stored({**plain, part: None}))

    assert "measured without an operating point or samples" in found


def test_conditions_that_are_none_are_no_crash(plain):
    strange = hashed(edited(plain, (("config", "conditions"), ["clean", "x", "blur-severity_9"])))

    assert isinstance(told(strange), list)
