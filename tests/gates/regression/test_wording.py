"""Regression verdicts in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.regression.verdicts import RegressionVerdict, describe_regression
from pytest_robustbench.gates.wording import told_apart
from pytest_robustbench.reports.compare.regression import Judged, Match
from pytest_robustbench.reports.pages.comparison_text import brief

DROP = AllowedChange("pixel_segf1", "max_drop", 0.02, relative=False, source="r.yaml:9")
TENTH = AllowedChange("pixel_segf1", "max_drop", 0.1, relative=True, source="r.yaml:9")


def verdict(outcome, change=DROP, baseline=0.4, candidate=0.35, **more):
    return RegressionVerdict(
        "tiles",
        "clean",
        change,
        outcome,
        baseline,
        candidate,
        None if baseline is None else baseline - candidate,
        None if baseline is None else change.allowed(baseline),
        **more,
    )


@pytest.mark.parametrize(
    ("judged", "text"),
    [
        (
            verdict("regressed", p=0.004),
            (
                "clean: pixel_segf1 falls from 0.4 to 0.35; 0.05 worse than the baseline, "
                "p = 0.004; allowed is max_drop 0.02 (r.yaml:9)"
            ),
        ),
        (
            verdict("regressed", TENTH, p=0.004),
            (
                "clean: pixel_segf1 falls from 0.4 to 0.35; 0.05 worse than the baseline, "
                "p = 0.004; allowed is max_drop 0.1 of the baseline, which is 0.04 (r.yaml:9)"
            ),
        ),
        (
            verdict(
                "inconclusive",
                reason="the loss may be as large as 0.1",
                images_needed=90,
                images_kind="defect",
            ),
            (
                "clean: pixel_segf1 falls from 0.4 to 0.35; not decided: the loss may be as "
                "large as 0.1; about 90 defect images would decide; "
                "allowed is max_drop 0.02 (r.yaml:9)"
            ),
        ),
        (
            verdict("pass", candidate=0.41, interval=(-0.03, 0.015)),
            (
                "clean: pixel_segf1 rises from 0.4 to 0.41; at most 0.015 worse; "
                "allowed is max_drop 0.02 (r.yaml:9)"
            ),
        ),
        (
            verdict("pass", candidate=0.6, interval=(-0.3, -0.1), improved=True),
            (
                "clean: pixel_segf1 rises from 0.4 to 0.6; better by more than the margin; "
                "allowed is max_drop 0.02 (r.yaml:9)"
            ),
        ),
        (
            verdict("pass", candidate=0.4, interval=(0.0, 0.0), identical=True),
            "clean: pixel_segf1 stays at 0.4; the same outputs for every image",
        ),
        (
            verdict("error", baseline=None, candidate=None, reason="no map"),
            "clean: pixel_segf1 cannot be compared: no map (r.yaml:9)",
        ),
    ],
)
def test_one_line_says_what_happened_and_what_is_allowed(judged, text):
    assert describe_regression(judged) == text


def test_two_values_that_differ_look_different():
    assert told_apart(0.24331, 0.24327) == ("0.24331", "0.24327")
    assert told_apart(0.4, 0.35) == ("0.4", "0.35")
    assert told_apart(0.25, 0.25) == ("0.25", "0.25")
    first, second = told_apart(1.0, 1.0 + 2**-52)
    assert first != second


def test_what_stands_in_the_terminal_is_short_and_keeps_its_notes():
    match = Match("tiles", Path("new.json"), Path("old.json"), (DROP,))
    undecided = [verdict("inconclusive", reason="few images")] * 20
    lines = brief(Judged(match, (*undecided, verdict("pass")), notes=("other pixels",)))

    assert lines[-1] == "note: other pixels"
    assert lines[-2] == "(and 13 more, in the report)"
    assert len(lines) == 9
    assert brief(Judged(match, (verdict("pass"),))) == []
