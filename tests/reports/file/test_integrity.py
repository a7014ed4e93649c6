"""A report is whole, and agrees with itself, or that is said: whoever reads it.

Edits that hide themselves: the digest of the content is made anew after each. What remains is what
can be worked out again from the columns over images, from the limits and from the configuration.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.errors import ReportError
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.gates.limits import Demand, Limit, Waiver
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.integrity import (
    contradictions,
    incompleteness,
    misfits,
    read_comparable,
)
from pytest_robustbench.reports.file.model import ReportFile
from tests.reports.report_samples import GATE, GIVEN, drawn_report, scores_only
from tests.reports.stored_reports import (
    CONDITIONS,
    CONFIG,
    compared,
    edited,
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
        "recorded-led": (Limit("recall", "min", 0.5, "robustness.yaml:5"),),
    },
    (Limit("worst_drop_recall", "max", 0.99, "robustness.yaml:6"),),
    (Waiver("clean", "pixel_segf1", "new lamp", "Q", date(2999, 1, 1), "robustness.yaml:7"),),
    DAY,
    one_sided={"recorded-led": "misses"},
)
UNWAIVED = replace(LIMITS, waivers=())
DECLARED = {
    **CONFIG,
    "accept": {
        "clean": {"bg_fpr": {"max": 0.9}, "pixel_segf1": {"min": 0.99}},
        "recorded-led": {"recall": {"min": 0.5}},
    },
    "summary": {"worst_drop_recall": {"max": 0.99}},
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
    return list(contradictions(stored(sealed(plain))))


def assert_noticed(plain, *parts):
    ReportFile.from_dict(sealed(plain))
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


BINNED = EvaluationSettings(memory_budget=0, batch_size=3)


@pytest.mark.parametrize(
    "options",
    [
        {"gate": GATE, "config": {}, "recorded": {}},
        {"detector": scores_only, "operating_point": GIVEN},
        {"operating_point": GIVEN},
        {"gate": UNWAIVED, "config": DECLARED, "detector": scores_only},
        {"gate": UNWAIVED, "config": DECLARED, "evaluation": BINNED},
        {
            "gate": UNWAIVED,
            "config": DECLARED,
            "evaluation": EvaluationSettings(pixel_segf1=False),
        },
        {"recorded": {}, "config": {}, "corruptions": []},
    ],
    ids=["python", "given, no maps", "given", "no maps", "binned", "no segf1", "clean alone"],
)
def test_what_was_measured_is_whole_and_agrees_with_itself(options):
    found = measure(**options)

    assert told(found) == []
    assert list(incompleteness(stored(found))) == []


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


@pytest.mark.parametrize(
    ("metric", "bound", "side"),
    [("pixel_segf1", "min", "misses"), ("bg_fpr", "max", "false_alarms")],
)
def test_a_value_at_its_limit_holds(plain, metric, bound, side):
    value = next(v["value"] for v in plain["verdicts"] if v["metric"] == metric)
    limit = Limit(metric, bound, value, "robustness.yaml:3")
    gate = Gate({"clean": (limit,)}, one_sided={"clean": side})

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


def test_a_limit_that_is_said_to_be_shown_and_is_not_is_noticed(plain):
    place = verdict(plain, "clean", "pixel_segf1")

    assert_noticed(edited(plain, ((*place, "shown"), True)), "says of being shown what its bound")


@pytest.mark.parametrize("unsure", ["fail", "skip"])
def test_what_is_not_shown_cannot_be_edited_into_a_pass(unsure):
    limit = Limit("miss_rate", "max", 0.5, "robustness.yaml:3")
    demand = Demand(0.99, unsure)
    accept = {"clean": {"miss_rate": {"max": 0.5}}}
    config = {**CONFIG, "accept": accept, "demand": {"confidence": 0.99, "unsure": unsure}}
    gate = Gate({"clean": (limit,)}, day=DAY, demand=demand, one_sided={"clean": "misses"})
    plain = measure(gate=gate, config=config)
    place = verdict(plain, "clean", "miss_rate")
    found = plain["verdicts"][place[-1]]
    assert (found["verdict"], found["unsure"]) == ("not shown", unsure)
    assert told(plain) == []

    assert_noticed(edited(plain, ((*place, "verdict"), "pass")), "its value says otherwise")
    with pytest.raises(ReportError, match="confidence of a demand must lie above"):
        told(edited(plain, (("config", "demand", "confidence"), 0.1)))


def test_an_edited_limit_of_the_summary_is_noticed(plain):
    place = verdict(plain, "summary", "worst_drop_recall")

    assert_noticed(
        edited(plain, ((*place, "limit"), 2.0)), "worst_drop_recall of summary is on max"
    )


@pytest.mark.parametrize(
    ("condition", "metric"),
    [("clean", "pixel_segf1"), ("recorded-led", "recall"), ("summary", "worst_drop_recall")],
)
def test_a_verdict_that_was_removed_is_noticed(plain, condition, metric):
    changed = without(plain, *verdict(plain, condition, metric))

    assert_noticed(changed, "declared, and not judged", f"{metric} of {condition}")


def test_all_verdicts_removed_are_noticed(plain):
    assert_noticed(
        {**plain, "verdicts": []}, "and not judged: bg_fpr of clean, pixel_segf1 of clean"
    )


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
    changed = without(plain, *verdict(plain, "recorded-led", "recall"))
    changed = without(changed, *LED)

    assert_noticed(changed, "it says that it is complete, in spite of recorded-led")


@pytest.mark.parametrize("told", [{"narrowed": ["-k blur"]}, {"trouble": "-k blur"}])
def test_a_run_with_a_flaw_that_says_it_is_complete_is_noticed(plain, told):
    assert_noticed({**plain, **told}, "complete, in spite of -k blur")


# ---- comparisons -------------------------------------------------------------------------------


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


@pytest.mark.parametrize("part", ["samples", "operating_point"])
def test_measured_without_what_it_was_measured_on_is_told(plain, part):
    (found,) = misfits(stored({**plain, part: None}))

    assert "measured without an operating point or samples" in found


def test_conditions_that_are_none_are_no_crash(plain):
    strange = edited(plain, (("config", "conditions"), ["clean", "x", "blur-severity_9"]))

    assert isinstance(told(strange), list)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ((*CLEAN, "per_image", "tp"), lambda column: column[:-1], "columns differ in length"),
        ((*CLEAN, "per_image", "score", 1), None, "per_image.score is null for 'test/"),
        ((*CLEAN, "per_image", "tn", 0), None, "per_image.tn is null for 'test/"),
        ((*BLUR, "per_image", "digest", 0), None, "per_image.digest is null for"),
        ((*BLUR, "results", "auroc"), None, "disagree on auroc: a null needs a reason"),
        ((*BLUR, "results", "pixel_metrics", "aupro"), None, "a null needs a reason"),
        ((*BLUR, "results", "threshold"), 7.5, "blur-severity_3: measured at thresholds"),
        ((*CLEAN, "operating_point"), "0" * 32, "their digests differ"),
        ((*CLEAN, "per_image", "tn", 0), 10**6, "more pixels are counted than the image has"),
        ((*CLEAN, "per_image", "score", -1), -1e6, "but its"),
        ((*CLEAN, "per_image", "fp", 0), lambda fp: fp + 5, "but its columns give"),
        ((*CLEAN, "latency_ms_per_image"), 0.0001, "latency_ms_per_image contradicts"),
        ((*CLEAN, "latency", "p95_ms"), 1e6, "latency.p95_ms is 1e+06, but the calls give"),
        ((*CLEAN, "latency", "count"), 1, "latency.count is 1, but there are"),
        ((*CLEAN, "unknown_masks"), ["test/good/000"], "unknown_masks contradicts"),
        ((*CLEAN, "left_out"), ["nobody"], "name no image of it: 'nobody'"),
        ((*CLEAN, "results", "best_f1", "f1"), 0.123, "best_f1 does not follow"),
        (("robustness_summary", "clean_auroc"), None, "robustness_summary.clean_auroc does not"),
        (("samples", "label", 0), lambda label: 1 - label, "clean: "),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_what_can_be_worked_out_again_is(plain, path, value, reason):
    assert_noticed(edited(plain, (path, value)), reason)


@pytest.mark.parametrize(
    ("group", "metric"),
    [
        *(("pixel_metrics", m) for m in ("pixel_segf1", "pixel_segf1_per_image")),
        *(("pixel_metrics", m) for m in ("bg_fpr", "normal_fpr", "trivial_segf1")),
        *(("metrics", m) for m in ("miss_rate", "false_reject_rate", "f1", "recall")),
    ],
)
def test_a_metric_that_its_columns_do_not_give_is_noticed(plain, group, metric):
    changed = edited(plain, ((*CLEAN, "results", group, metric), 0.123))

    assert_noticed(changed, f"clean: {metric} is 0.123")


def test_an_image_left_out_to_please_the_metrics_is_noticed(plain):
    """The nulls have their reason then, and the metrics follow no longer."""
    gone = plain["samples"]["id"][0]
    nulls = [((*CLEAN, "per_image", k, 0), None) for k in plain["robustness"]["clean"]["per_image"]]

    assert_noticed(edited(plain, ((*CLEAN, "left_out"), [gone]), *nulls), "but its")


def test_a_recorded_set_without_samples_of_its_own_is_noticed(plain):
    assert_noticed(without(plain, *LED, "samples"), "samples of its own")


def test_a_condition_that_was_added_is_noticed(plain):
    blur = plain["robustness"]["corruptions"]["blur"]
    more = edited(plain, (BLUR[:-1], {"severity_1": blur["severity_3"], **blur}))

    assert_noticed(more, "does not declare blur-severity_1")


def test_a_condition_removed_where_nothing_declares_it_leaves_its_mark_in_the_summary():
    plain = measure(config={}, recorded={})
    cut = without(plain, "robustness", "corruptions", "blur", "severity_5")

    assert_noticed(cut, "does not follow from the conditions")


# ---- whole -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("complete",), False, "it says itself that it is not complete"),
        (("narrowed",), ["--robustness-limit-test=3"], "narrowed by --robustness-limit-test=3"),
        (("trouble",), "the workers differ", "the workers differ"),
        (("missing",), ["glare-severity_1"], "condition(s) glare-severity_1 are missing"),
        (BLUR, {"error": "the detector raised"}, "blur-severity_3 could not be measured: the det"),
        ((*BLUR[:-1], "severity_5"), None, "condition(s) blur-severity_5 are missing"),
        (CLEAN, None, "condition(s) clean are missing"),
        (("operating_point",), None, "it has no operating_point"),
        (("samples",), None, "it has no samples"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_what_keeps_a_report_from_being_whole(plain, path, value, reason):
    is_cut = value is None and path[-1] == "severity_5"
    changed = without(plain, *path) if is_cut else edited(plain, (path, value))

    assert reason in " ".join(incompleteness(stored(changed)))


# ---- files -------------------------------------------------------------------------------------


@pytest.fixture
def read(tmp_path):
    def call(content):
        path = tmp_path / "b.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return read_comparable(path)

    return call


def refusal(read, content):
    with pytest.raises(ReportError) as caught:
        read(content)
    message = str(caught.value)
    assert "b.json" in message
    assert "\n" not in message
    assert "measure" in message, "the remedy"
    return message


def test_a_complete_report_is_read_with_its_conditions_in_order(plain, read):
    report = read(plain)

    assert tuple(report.conditions) == tuple(CONDITIONS)
    assert report.name == plain["name"]
    assert report.record("blur-severity_3") == plain["robustness"]["corruptions"]["blur"][BLUR[-1]]
    assert report.samples("clean") == plain["samples"]
    assert report.samples("recorded-led") == plain["robustness"]["recorded"]["led"]["samples"]


def test_how_a_file_is_formatted_does_not_matter(plain, read):
    assert read(json.dumps(plain, indent=4, sort_keys=True)).digest == read(plain).digest


def test_half_a_file_is_refused(plain, read):
    text = json.dumps(plain)

    assert "cannot read the report" in refusal(read, text[: len(text) // 2])


@pytest.mark.parametrize("version", [0, 1, None, "2"])
def test_another_schema_version_is_refused(plain, read, version):
    message = refusal(read, edited(plain, (("schema_version",), version)))

    assert f"schema version {version!r}, not 2" in message
    assert "accept REPORT" in message


def test_an_incomplete_run_is_told_what_to_do(plain, read):
    message = refusal(read, sealed({**plain, "complete": False}))

    assert "measure every declared condition in one run" in message
    assert "or, if the run was complete, the file has been damaged since" in message


def test_an_edit_that_nothing_else_contradicts_contradicts_the_digest(plain, read):
    faster = edited(plain, (("environment", "cpu"), "a faster processor"))

    assert "content_sha256 contradicts the content" in refusal(read, faster)
    assert read(sealed(faster)).plain["environment"]["cpu"] == "a faster processor"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ((*BLUR, "results", "metrics", "tp"), None, "metrics.tp: a valid integer, found null"),
        ((*CLEAN, "per_image", "tn", 0), 1.5, "a valid integer, found 1.5"),
        ((*CLEAN, "per_image", "fp", 0), -1, "greater than or equal to 0, found -1"),
        ((*CLEAN, "results", "auroc"), 1.5, "auroc: less than or equal to 1, found 1.5"),
        (("samples", "id", 1), lambda _: "test/good/000", "distinct items: one stands twice"),
        (("robustness_summary_undefined",), 5, "a valid dictionary, found 5"),
        (("robustness_summary", "clean_auroc"), 2.0, "clean_auroc: less than or equal to 1"),
        (("extra",), 1, "extra: no such key is known"),
        (("robustness", "corruptions", "glare"), {}, "corruptions.glare: Dictionary should have"),
        (("robustness", "corruptions", "clean"), {"severity_1": {"error": "x"}}, "a corruption"),
        (("started",), "yesterday", "started: "),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_a_value_of_another_kind_is_refused_with_its_place(plain, read, path, value, reason):
    place = path[:-1]
    changed = {**plain, path[-1]: value} if not place else edited(plain, (path, value))

    assert reason in refusal(read, sealed(changed))


def all_places(value, path=()):
    """Yield the paths of everything in a report."""
    if path:
        yield path
    if isinstance(value, (dict, list)):
        children = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in children:
            yield from all_places(child, (*path, key))


JUNK = [None, True, -1, 0, 0.5, 1e38, 10**400, "", "x", "clean", [], [None], {}, {"error": "x"}]


@given(st.data())
@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_edit_is_taken_for_the_report_and_none_is_a_traceback(plain, read, data):
    """As it is, the digest tells; made anew, what it says is refused, or is said by nobody else."""
    path = data.draw(st.sampled_from(list(all_places(plain))))
    broken = edited(plain, (path, data.draw(st.sampled_from(JUNK))))
    if json.dumps(broken) == json.dumps(plain):
        return
    refusal(read, broken)
    with suppress(ReportError):
        assert set(read(sealed(broken)).conditions) == set(CONDITIONS)


# ---- what other calibration images would have given --------------------------------------------


def redrawn_end(plain):
    """The place of the lower end of redrawn thresholds, where pixels are counted."""
    record = plain["robustness"]["clean"]
    (at,) = (i for i, each in enumerate(record["redrawn"]) if each["tail"] == 0.025)
    assert record["redrawn"][at]["lowest"]["fp"] is not None
    return (*CLEAN, "redrawn", at, "lowest")


def test_redrawn_thresholds_that_are_not_the_reports_are_noticed(plain):
    place = redrawn_end(plain)

    assert_noticed(
        edited(plain, ((*place, "pixel_threshold"), 0.5)), "clean", "redrawn is at other"
    )
    assert_noticed(without(plain, *CLEAN, "redrawn"), "clean", "redrawn is at other")


def test_redrawn_counts_that_cannot_be_are_noticed(plain):
    place, n = redrawn_end(plain), len(plain["samples"]["id"])

    assert_noticed(edited(plain, ((*place, "fp"), [0] * n)), "redrawn.lowest.fp cannot be")
    assert_noticed(edited(plain, ((*place, "tp"), [10**6] * n)), "redrawn.lowest.tp cannot be")
    assert_noticed(edited(plain, ((*place, "tp"), None)), "counts without a pixel threshold")
    assert_noticed(edited(plain, ((*place, "fp"), [0])), "columns differ in length")


def test_at_given_thresholds_nothing_is_redrawn():
    found = measure(operating_point=GIVEN)

    assert found["operating_point"]["redrawn"] == []
    assert "redrawn" not in found["robustness"]["clean"]
