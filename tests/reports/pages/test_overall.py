"""One word for a whole report: nothing but a complete run whose every limit holds is a PASS."""

from __future__ import annotations

import json
import re
from itertools import product

import pytest

from pytest_robustbench.gates.limits import Limit, Verdict
from pytest_robustbench.reports.file.session import Unreported
from pytest_robustbench.reports.pages.margins import margin, worst_first
from pytest_robustbench.reports.pages.notes import notes_on
from pytest_robustbench.reports.pages.overall import overall
from pytest_robustbench.reports.pages.source import Source
from tests.reports.report_samples import drawn_report
from tests.reports.stored_reports import edited

CLEAN_METRICS = ("robustness", "clean", "results", "metrics")
BLUR = ("robustness", "corruptions", "blur", "severity_3")
HOLDS = {
    "condition": "clean",
    "metric": "bg_fpr",
    "bound": "max",
    "limit": 0.5,
    "value": 0.25,
    "verdict": "pass",
    "reason": "",
    "source": "robustness.yaml:3",
}
UNSHOWN = {**HOLDS, "verdict": "not shown", "at_worst": 0.6, "confidence": 0.95, "unsure": "fail"}
VIOLATED = {**HOLDS, "condition": "blur-severity_3", "value": 0.75, "verdict": "fail"}
UNMEASURABLE = {**HOLDS, "value": None, "verdict": "error", "reason": "no maps"}
UNDECIDED = {**HOLDS, "value": 0.5, "verdict": "error", "reason": "exact to 0.1 only"}
WAIVED = VIOLATED | {
    "waiver": {
        "reason": "lamp is late",
        "by": "Q. Engineer",
        "until": "2999-01-01",
        "source": "robustness.yaml:9",
    }
}
TOLERANT, STRICT = ({"regression": {"inconclusive": word}} for word in ("skip", "fail"))


@pytest.fixture(scope="module")
def plain():
    return json.loads(json.dumps(drawn_report().to_dict()))


def compared(outcome, role="baseline"):
    return {
        "role": role,
        "baseline": f"{role}.json",
        "outcome": outcome,
        "problems": [],
        "notes": [],
        "verdicts": [],
        "n_changed_decisions": 0,
        "changed_decisions": [],
    }


def judged(plain, *steps, verdicts=(HOLDS,), problems=(), **changes):
    content = edited({**plain, "verdicts": list(verdicts), **changes}, *steps)
    return overall(Source(content, problems=problems))


def not_measured(plain, condition="blur-severity_3"):
    """The report of a run that did not come to a condition."""
    by_severity = dict(plain["robustness"]["corruptions"]["blur"])
    del by_severity[condition.partition("-")[2]]
    robustness = {**plain["robustness"], "corruptions": {"blur": by_severity}}
    return {**plain, "complete": False, "missing": [condition], "robustness": robustness}


def failed(plain):
    """The report of a run in which a condition could not be measured."""
    missing = {"complete": False, "missing": ["blur-severity_3"]}
    return edited({**plain, **missing}, (BLUR, {"error": "no light"}))


# ---- PASS --------------------------------------------------------------------------------------


def test_every_limit_held_is_a_pass(plain):
    whole = judged(plain, verdicts=[HOLDS, {**HOLDS, "metric": "miss_rate"}])

    assert whole.word == "PASS"
    assert whole.sentence.startswith("2 of 2 limits")


@pytest.mark.parametrize("condition", ["clean", "summary"])
@pytest.mark.parametrize("missing", [True, False])
def test_wrong_decisions_that_no_limit_sees_are_told(plain, condition, missing):
    rejecting = edited(plain, ((*CLEAN_METRICS, "false_reject_rate"), 0.9))
    metric = "mean_corruption_bg_fpr" if condition == "summary" else "bg_fpr"
    found = {**HOLDS, "condition": condition, "metric": metric}
    plain = not_measured(rejecting) if missing else rejecting

    whole = judged(plain, verdicts=[found])

    assert whole.word == ("INCOMPLETE" if missing else "PASS")
    assert "good parts are wrong (miss_rate 0.75, false_reject_rate 0.9)" in whole.sentence
    seen = {**HOLDS, "metric": "false_reject_rate", "limit": 0.95}
    assert "good parts are wrong" not in judged(plain, verdicts=[found, seen]).sentence


def test_a_waived_limit_passes_and_is_told(plain):
    whole = judged(plain, verdicts=[HOLDS, WAIVED])

    assert whole.word == "PASS"
    assert "1 of 2 limits" in whole.sentence
    assert "1 violated, and waived for now" in whole.sentence


def test_a_comparison_without_a_loss_is_told(plain):
    whole = judged(plain, regression=[compared("pass")], config=STRICT)

    assert whole.word == "PASS"
    assert "against the baseline baseline.json" in whole.sentence


@pytest.mark.parametrize(("same", "told"), [(2, True), (1, False)])
def test_a_pass_of_nothing_but_equal_outputs_judged_no_model(plain, same, told):
    verdicts = [{**compared("pass"), "identical": number < same} for number in range(2)]

    whole = judged(plain, regression=[{**compared("pass"), "verdicts": verdicts}], config=STRICT)

    assert ("no other model was judged" in whole.sentence) == told


def test_a_comparison_does_not_stand_in_for_limits_that_are_not_shown(plain):
    skipped = {**UNSHOWN, "unsure": "skip"}

    assert judged(plain, verdicts=[skipped], regression=[compared("pass")]).word == "NOT JUDGED"


def test_a_comparison_alone_can_pass(plain):
    assert judged(plain, verdicts=[], regression=[compared("pass")]).word == "PASS"


def test_what_images_cannot_tell_may_pass_and_is_told(plain):
    whole = judged(plain, regression=[compared("inconclusive")], config=TOLERANT)

    assert whole.word == "PASS"
    assert "cannot tell" in whole.sentence


# ---- FAIL --------------------------------------------------------------------------------------


def test_a_violated_limit_fails_with_the_worst_first(plain):
    worse = {**VIOLATED, "metric": "miss_rate", "value": 0.9}

    whole = judged(plain, verdicts=[HOLDS, VIOLATED, worse])

    assert whole.word == "FAIL"
    assert whole.sentence.startswith(
        "2 of 3 limits are violated; worst: blur-severity_3: miss_rate"
    )


def test_one_violated_limit_is_told_in_the_singular(plain):
    sentence = judged(plain, verdicts=[VIOLATED]).sentence

    assert sentence.startswith("1 of 1 limit is violated; worst: blur-severity_3: bg_fpr = 0.75")


def test_a_limit_that_cannot_be_measured_fails(plain):
    whole = judged(plain, verdicts=[HOLDS, UNMEASURABLE])

    assert whole.word == "FAIL"
    assert whole.sentence.startswith(
        "1 of 2 limits cannot be judged; first: clean: bg_fpr cannot be"
    )
    assert "cannot be measured: no maps" in whole.sentence


def test_what_is_violated_is_told_apart_from_what_cannot_be_measured(plain):
    many = {**UNMEASURABLE, "reason": "no a\nno b\nno c"}

    whole = judged(plain, verdicts=[VIOLATED, many])

    assert [reason.partition(";")[0] for reason in whole.reasons] == [
        "1 of 2 limits is violated",
        "1 of 2 limits cannot be judged",
    ]
    assert "cannot be measured: no a (and 2 more); ceiling" in whole.sentence


def test_conditions_without_a_limit_are_not_among_those_that_hold(plain):
    total = len(Source(plain).records)

    some = judged(plain, verdicts=[HOLDS])
    everything = judged(plain, verdicts=[HOLDS, {**HOLDS, "condition": "summary"}])

    assert some.sentence.startswith(f"1 of 1 limit hold on 1 of {total} conditions")
    assert everything.sentence.startswith(f"2 of 2 limits hold on {total} conditions")


def test_a_condition_that_could_not_be_measured_fails(plain):
    whole = judged(failed(plain))

    assert whole.word == "FAIL"
    assert "1 condition could not be measured" in whole.sentence


def test_a_regression_fails(plain):
    whole = judged(plain, regression=[compared("pass"), compared("regressed", "anchor")])

    assert whole.word == "FAIL"
    assert "orse than allowed against the anchor anchor.json" in whole.sentence


def test_what_is_not_comparable_fails(plain):
    whole = judged(plain, regression=[compared("error")])

    assert whole.word == "FAIL"
    assert "ot comparable with the baseline baseline.json" in whole.sentence


def test_under_inconclusive_fail_what_images_cannot_tell_fails(plain):
    whole = judged(plain, regression=[compared("inconclusive")], config=STRICT)

    assert whole.word == "FAIL"
    assert "ot decided against the baseline baseline.json" in whole.sentence


def test_where_nothing_says_that_it_may_pass_an_open_comparison_fails(plain):
    assert judged(plain, regression=[compared("inconclusive")]).word == "FAIL"


def test_a_problem_of_the_run_fails_though_every_limit_holds(plain):
    whole = judged(plain, problems=("[nuts-complete] failed in the run",))

    assert whole.word == "FAIL"
    assert "[nuts-complete] failed in the run" in whole.sentence


def test_a_failure_does_not_hide_what_is_missing(plain):
    whole = judged(not_measured(plain), verdicts=[VIOLATED])

    assert whole.word == "FAIL"
    assert "1 of 6 declared conditions was not measured" in whole.sentence


# ---- INCOMPLETE --------------------------------------------------------------------------------


def test_a_missing_condition_is_incomplete(plain):
    whole = judged(not_measured(plain))

    assert whole.word == "INCOMPLETE"
    assert whole.sentence.startswith("1 of 6 declared conditions was not measured; 1 of 1 limit")


def test_a_run_that_measured_nothing_is_incomplete(plain):
    nothing = {"clean": None, "corruptions": {}, "recorded": {}}
    whole = judged(
        {**plain, "robustness": {**plain["robustness"], **nothing}},
        verdicts=[],
        complete=False,
        missing=["clean", "blur-severity_1"],
    )

    assert whole.word == "INCOMPLETE"
    assert whole.sentence.startswith("2 of 2 declared conditions were not measured")


def test_a_narrowed_run_is_incomplete(plain):
    whole = judged(plain, complete=False, narrowed=["--robustness-limit-test=2"])

    assert whole.word == "INCOMPLETE"
    assert "narrowed by --robustness-limit-test=2" in whole.sentence


def test_a_run_that_says_so_itself_is_incomplete(plain):
    assert judged(plain, complete=False).word == "INCOMPLETE"


def test_a_declared_comparison_that_was_not_made_is_incomplete(plain):
    whole = judged(plain, config=TOLERANT)

    assert whole.word == "INCOMPLETE"
    assert "comparison with a baseline was not made" in whole.sentence


# ---- NOT JUDGED --------------------------------------------------------------------------------


def test_without_limits_nothing_is_judged(plain):
    whole = judged(plain, verdicts=[])

    assert whole.word == "NOT JUDGED"
    assert "No limit is declared" in whole.sentence


@pytest.mark.parametrize(("failed", "word"), [(True, "FAIL"), (False, "NOT JUDGED")])
def test_a_benchmark_without_a_report_never_passes(failed, word):
    assert Unreported("nuts", "it crashed", failed=failed).word == word


# ---- whatever stands beside it -----------------------------------------------------------------

BAD = {
    "violated": {"verdicts": [VIOLATED]},
    "not measurable": {"verdicts": [UNMEASURABLE]},
    "not decided": {"verdicts": [UNDECIDED]},
    "not shown": {"verdicts": [UNSHOWN]},
    "regressed": {"regression": [compared("regressed")], "config": TOLERANT},
    "not comparable": {"regression": [compared("error")], "config": TOLERANT},
    "open": {"regression": [compared("inconclusive")], "config": STRICT},
    "not compared": {"config": STRICT},
    "narrowed": {"narrowed": ["-k"], "complete": False},
    "narrowed, and says it is complete": {"narrowed": ["-k"]},
    "not complete": {"complete": False},
    "trouble": {"trouble": "the workers differ", "complete": False},
    "problem": {"problems": ["the pages differ"]},
    "no limit": {"verdicts": []},
}
BESIDE = {
    "nothing": {},
    "a held limit": {"verdicts": [HOLDS]},
    "a waived limit": {"verdicts": [WAIVED]},
    "a good comparison": {"regression": [compared("pass", "anchor")]},
}


CURED = {
    ("no limit", "a held limit"),
    ("no limit", "a waived limit"),
    ("no limit", "a good comparison"),
    ("not compared", "a good comparison"),
}


@pytest.mark.parametrize(("bad", "beside"), [p for p in product(BAD, BESIDE) if p not in CURED])
def test_no_bad_state_is_ever_a_pass(plain, bad, beside):
    bad, beside = BAD[bad], BESIDE[beside]
    lists = {key: [*beside.get(key, ()), *bad.get(key, ())] for key in ("verdicts", "regression")}
    others = {key: value for key, value in bad.items() if key not in lists}

    assert judged(plain, **lists, **others).word != "PASS"


@pytest.mark.parametrize("state", [not_measured, failed], ids=["missing", "failed"])
@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
def test_a_condition_without_a_measurement_is_never_a_pass(plain, state, beside):
    assert judged(state(plain), **{"verdicts": [], **beside}).word != "PASS"


@pytest.mark.parametrize("state", [not_measured, failed], ids=["missing", "failed"])
def test_nor_where_the_report_says_it_is_complete(plain, state):
    assert judged({**state(plain), "complete": True}).word != "PASS"


# ---- how far from a limit ----------------------------------------------------------------------


def verdict(bound, limit, value, outcome="pass"):
    return Verdict("clean", Limit("bg_fpr", bound, limit, "y:1"), value, outcome)


@pytest.mark.parametrize(
    ("bound", "limit", "value", "expected"),
    [
        ("max", 0.5, 0.25, 0.5),
        ("max", 0.5, 0.75, -0.5),
        ("min", 0.5, 0.75, 0.5),
        ("min", 0.5, 0.25, -0.5),
        ("max", 0.5, 0.5, 0.0),
        ("max", 0.0, 0.25, -0.25),
        ("min", -0.5, -0.25, 0.5),
    ],
)
def test_a_margin_is_a_share_of_the_limit(bound, limit, value, expected):
    assert margin(verdict(bound, limit, value)) == expected


def test_what_is_not_known_comes_before_the_worst_value():
    violated = verdict("max", 0.5, 1e30, "fail")
    unknown, undecided = verdict("max", 0.5, None, "error"), verdict("max", 0.5, 0.5, "error")
    near, far = verdict("max", 0.5, 0.4), verdict("max", 0.5, 0.1)

    assert worst_first([far, near, violated, unknown, undecided]) == [
        unknown,
        undecided,
        violated,
        near,
        far,
    ]


# ---- what a pass is worth ----------------------------------------------------------------------


@pytest.mark.parametrize(("at_worst", "shown"), [(0.4, True), (0.5, True), (0.6, False)])
def test_a_limit_that_holds_on_too_few_images_is_told(plain, at_worst, shown):
    found = judged(plain, verdicts=[{**HOLDS, "at_worst": at_worst, "confidence": 0.95}])

    assert found.word == "PASS"
    assert not found.caution
    assert ("all of them are shown at 95 %" in found.sentence) is shown
    assert ("1 holds and is not shown" in found.sentence) is not shown


def test_where_it_is_demanded_what_is_not_shown_fails(plain):
    found = judged(plain, verdicts=[HOLDS, UNSHOWN])

    assert found.word == "FAIL"
    assert found.sentence.startswith("1 of 2 limits holds and is not shown; worst: clean: bg_fpr")


def test_where_it_is_let_pass_it_is_told_and_wants_a_look(plain):
    found = judged(plain, verdicts=[HOLDS, {**UNSHOWN, "unsure": "skip"}])

    assert (found.word, found.caution) == ("PASS", True)
    assert "not shown" in found.sentence


def test_nothing_but_limits_that_are_not_shown_is_no_pass(plain):
    assert judged(plain, verdicts=[{**UNSHOWN, "unsure": "skip"}]).word == "NOT JUDGED"


def test_nothing_but_waived_limits_is_no_pass(plain):
    assert judged(plain, verdicts=[WAIVED]).word == "NOT JUDGED"


def test_a_tolerated_comparison_that_decides_nothing_is_no_pass_of_its_own(plain):
    found = judged(plain, verdicts=[], regression=[compared("inconclusive")], config=TOLERANT)

    assert found.word == "NOT JUDGED"


def test_a_pass_beside_a_waived_limit_needs_a_look(plain):
    assert judged(plain, verdicts=[HOLDS, WAIVED]).caution
    assert not judged(plain).caution


def notes(plain, *verdicts):
    source = Source({**plain, "verdicts": list(verdicts)})
    return " ".join(notes_on(source, source.declared_limits))


def test_conditions_in_which_all_good_parts_may_be_rejected_are_told(plain):
    silent = {**HOLDS, "metric": "miss_rate", "bound": "max", "value": 0.0}
    told = notes(plain, silent)

    assert "no limit on false alarms under 6 of 6 conditions: false_reject_rate reaches" in told
    alarms = [{**HOLDS, "condition": c} for c in Source(plain).measured]
    assert "no limit on false alarms" not in notes(plain, silent, *alarms)


def test_a_report_without_any_verdict_has_no_note_on_limits_that_lack(plain):
    assert "no limit on false alarms" not in notes(plain)


def ranked(plain, labels, **values):
    header = {**plain["samples"], "label": labels}
    clean = plain["robustness"]["clean"]
    results = clean["results"]
    pixels = {**results["pixel_metrics"], "pixel_auroc": values.get("pixel_auroc", 0.9)}
    metrics = {**results["metrics"], "auroc": values.get("auroc", 0.9)}
    results = {**results, "auroc": metrics["auroc"], "metrics": metrics, "pixel_metrics": pixels}
    clean = {**clean, "results": results}
    robustness = {**plain["robustness"], "clean": clean, "corruptions": {}}
    return {**plain, "samples": header, "robustness": robustness}


@pytest.mark.parametrize(
    ("counts", "auroc", "told"),
    [
        *(((2, 2), 0.0, True), ((2, 2), 0.25, False), ((50, 50), 0.3, True)),
        *(((50, 50), 0.45, False), ((8, 8), 0.2, False), ((8, 8), 0.1, True)),
    ],
)
def test_a_ranking_that_is_upside_down_is_told_with_the_limits_it_voids(plain, counts, auroc, told):
    labels = [0] * counts[0] + [1] * counts[1]
    silent = {**HOLDS, "condition": "clean", "metric": "miss_rate", "bound": "max", "value": 0.0}
    found = notes(ranked(plain, labels, auroc=auroc), silent)
    assert (f"clean: auroc {auroc:.3g} is far below 0.5" in found) is told
    assert ("the limits on miss_rate mean nothing then" in found) is told


def test_so_is_one_of_pixels(plain):
    found = notes(ranked(plain, [0, 1], pixel_auroc=0.2))
    assert "clean: pixel_auroc 0.2 is far below 0.5" in found
    assert "metrics at pixel level mean nothing then" in found


def with_scores(plain, **conditions):
    """The report with other image scores under some conditions."""
    changed = json.loads(json.dumps(plain))
    for name, scores in conditions.items():
        record = changed["robustness"]["corruptions"]["blur"][name]
        record["per_image"]["score"] = scores
    return changed


def test_conditions_that_say_nothing_are_named_and_counted(plain):
    clean = plain["robustness"]["clean"]
    labels, threshold = plain["samples"]["label"], clean["results"]["threshold"]
    everything = [threshold + 1] * len(labels)
    dead, unmoved = sorted(plain["robustness"]["corruptions"]["blur"])[:2]

    told = notes(with_scores(plain, **{dead: everything, unmoved: clean["per_image"]["score"]}))

    dead, unmoved = (name.removeprefix("severity_") for name in (dead, unmoved))
    assert re.search(rf"blur [1-5, ]*{dead}[1-5, ]*: nearly all good parts are rejected", told)
    assert re.search(rf"blur [1-5, ]*{unmoved}[1-5, ]*: every image is decided as under", told)
    assert "means over corruptions (mean_corruption_*, mean_drop_*) are over" in told


def test_defects_that_are_gone_are_counted(plain):
    changed = json.loads(json.dumps(plain))
    name, record = next(iter(changed["robustness"]["corruptions"]["blur"].items()))
    labels = plain["samples"]["label"]
    record["erased"] = [
        i for i, label in zip(plain["samples"]["id"], labels, strict=True) if label
    ][:1]

    told = notes(changed)

    assert f"blur-{name} leaves nothing to be seen of 1 of {sum(labels)} defects" in told
    assert "leaves nothing to be seen" not in notes(plain)
