"""Tolerances as people read them."""

from __future__ import annotations

import csv
import io
import re

import pytest

from pytest_robustbench.gates.limits import Limit, Verdict
from pytest_robustbench.gates.wording import describe
from pytest_robustbench.reports.pages.conditions_csv import BYTE_ORDER_MARK, conditions_csv
from pytest_robustbench.reports.pages.html.page import report_html
from pytest_robustbench.reports.pages.notes import notes_on
from pytest_robustbench.reports.pages.source import Edition
from pytest_robustbench.reports.pages.summary_markdown import summary_markdown
from pytest_robustbench.reports.pages.tolerances import sentence, sentences
from tests.reports.tolerance.tolerance_samples import DRIFT, plain, source, tolerance


def blur(severity=1.96, interval=(1.68, 2.14), **more):
    side = {"limit": 0.1, "clean": 0.02, "n_parts": 40, "rises": True}
    sides = {
        "false_reject_rate": {**side, "severity": severity, "interval": list(interval)},
        "miss_rate": {**side, "severity": None, "interval": [None, None]},
    }
    return {
        "severity": severity,
        "interval": list(interval),
        "broken_by": "false_reject_rate",
        "unit": "px",
        "middle": 1.0,
        "level": "sigma 0.486 px at 256",
        "at_camera": 4.0,
        "sides": sides,
        "specification": {"ladder": {"name": "blur"}},
    } | more


def test_where_decisions_break_in_units_at_256_and_at_the_camera():
    assert sentence("blur", blur()) == (
        "more than 10 % of good parts are rejected from blur sigma 0.486 px at 256 (severity 1.96;"
        " 1.95 px at the camera) on; 90 % interval 0.401 px to 0.551 px"
    )


def test_without_a_unit_it_is_a_severity():
    rain = blur(unit="", middle=None, level="", at_camera=None)
    assert sentence("rain", rain) == (
        "more than 10 % of good parts are rejected from rain severity 1.96 on; 90 % interval "
        "severity 1.68 to severity 2.14"
    )


def test_what_breaks_nothing_holds_to_the_severest():
    never = blur(None, (3.5, None), broken_by=None, level="")
    assert sentence("blur", never) == (
        "decisions hold to the severest, 4 px, and at 95 % at least to 1.41 px"
    )


def test_what_clean_breaks_tolerates_no_drift():
    broken = blur(0.0, (0.0, 1.0), level="")
    broken["sides"]["false_reject_rate"]["clean"] = 0.125
    assert sentence("blur", broken) == (
        "more than 10 % of good parts are rejected under clean already (12.5 %): no drift is "
        "tolerated"
    )


def test_few_parts_are_told_to_be_few():
    few = blur()
    few["sides"]["miss_rate"]["n_parts"] = 12
    told = sentence("blur", few)
    assert told.endswith("0.551 px; 12 defective parts are few, 36 would show it")


def test_a_side_that_other_parts_might_break_under_clean_is_named():
    told = sentence("blur", blur(interval=(0.0, 2.14)))
    assert told.endswith(
        "90 % interval 0 px to 0.551 px; perhaps under clean already, where 2 % of 40 good parts "
        "are rejected and 10 % may be"
    )


@pytest.mark.parametrize(
    ("severity", "level", "told"),
    [
        (1.96, 0.243, "the line drifted by 0.243 px (led_2025_11): margin 2"),
        (1.96, 0.972, "margin 0.5, which is beyond it"),
        (None, 1.0, "margin more than 4"),
    ],
)
def test_a_tolerance_is_told_as_a_multiple_of_the_drift_of_the_line(severity, level, told):
    record = blur(severity, broken_by=None if severity is None else "false_reject_rate")
    drift = {"name": "led_2025_11", "levels": {"blur": level}}
    (line,) = sentences({"tolerance-soft": record}, drift)
    assert line.endswith(told)


def test_a_drift_of_another_kind_says_nothing_of_it():
    (line,) = sentences({"tolerance-soft": blur()}, {"name": "x", "levels": {"exposure": 0.3}})
    assert "drifted" not in line


def test_the_page_has_a_bar_for_each_and_the_summary_a_line():
    report = plain()
    page = report_html(Edition([source(report)]))
    section = re.search(r'<section [^>]*-tolerances">.*?</section>', page, re.DOTALL)[0]
    severity = tolerance(report)["severity"]
    told = f"exposure: {0.5 * 2 ** (severity - 3):.3g} EV"
    assert told in section
    assert "jpeg: holds throughout" in section
    assert "the line drifted by 0.05 EV (led_2025_11)" in section
    summary = summary_markdown(Edition([source(report)])).replace("\\", "")
    assert "- tolerance-exposure: more than 50 % of good parts" in summary
    assert "| tolerance-jpeg | tolerance | severity 5 | ≥ severity 2 |" in summary


def test_the_table_for_spreadsheets_has_a_row_for_each_limit_on_one():
    rows = csv.DictReader(io.StringIO(conditions_csv(Edition([source()])).lstrip(BYTE_ORDER_MARK)))
    found = {row["condition"]: row for row in rows}
    assert found["tolerance-exposure"]["verdict"] == "pass"
    assert found["tolerance-exposure"]["violated"] == ""
    assert "tolerance-geo_jitter" not in found, "nothing limits it"


def test_a_part_of_the_drift_without_a_tolerance_is_a_note():
    (note,) = [n for n in notes_on(source(), []) if "drifted" in n]
    assert note == (
        "the line drifted (led_2025_11) by what no tolerance is looked for to: blur 1.2 px; name "
        "it under accept.tolerance"
    )
    assert DRIFT.levels["blur"] == 1.2


def test_a_verdict_has_the_unit_of_its_limit():
    verdict = Verdict(
        "tolerance-blur",
        Limit("tolerance", "min", 0.5, "robustness.yaml:7", "px"),
        0.48,
        "fail",
        at_worst=0.4,
    )
    assert describe(verdict) == (
        "tolerance-blur: tolerance = 0.48 px is 0.02 px below the floor 0.5 px (robustness.yaml:7)"
    )
