"""What ``accept.tolerance`` and ``line_drift`` declare, and what is refused there."""

from __future__ import annotations

import pytest

from pytest_robustbench.config.narrowing import narrow, run_by
from pytest_robustbench.gates.limits import Limit

YAML = """\
schema_version: 1
dataset: fixture
detector: fixture
severities: [1]
corruptions: [blur, jpeg, {exposure: {ev: -0.3}, name: dim}, {blur: {severity_3: {sigma_px: 2}}, \
name: soft}, {compose: [blur, jpeg], name: both}]
accept:
  all: {miss_rate: {max: 0.05}, false_reject_rate: {max: 0.02}}
  blur: {recall: {min: 0.9}, specificity: {min: 0.99}}
  tolerance:
    %s
"""


def declared(load, *entries, profile=None, more=""):
    found = load(YAML % "\n    ".join(entries) + more, profile=profile)
    return found.benchmarks[0]


def test_a_tolerance_is_an_item_behind_the_conditions(load):
    benchmark = declared(load, "blur: {min: 0.5 px}", "jpeg: {}")
    assert [c.id for c in benchmark.conditions][-2:] == ["tolerance-blur", "tolerance-jpeg"]
    assert benchmark.limits["tolerance-blur"] == (
        Limit("tolerance", "min", 0.5, "robustness.yaml:10", "px"),
    )
    assert benchmark.limits["tolerance-jpeg"] == ()


def test_what_breaks_is_what_limits_on_the_corruption_allow(load):
    benchmark = declared(load, "blur: {}", "jpeg: {}")
    assert benchmark.tolerances == {
        "blur": pytest.approx({"false_reject_rate": 0.01, "miss_rate": 0.05}),
        "jpeg": {"false_reject_rate": 0.02, "miss_rate": 0.05},
    }
    assert benchmark.effective["tolerances"]["jpeg"] == benchmark.tolerances["jpeg"]
    assert benchmark.effective["accept"].get("tolerance-jpeg") is None


def test_without_tolerances_nothing_is_said_of_them(load):
    without = load(YAML.replace("  tolerance:\n    %s\n", "")).benchmarks[0]
    assert without.tolerances == {}
    assert "tolerances" not in without.effective


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("0.5 px", 0.5, "px"),
        ("0.5px", 0.5, "px"),
        (".5 px", 0.5, "px"),
        ("severity 3", 3.0, "severity"),
        ("severity 2.25", 2.25, "severity"),
    ],
)
def test_a_level_is_a_number_with_its_unit(load, written, value, unit):
    (limit,) = declared(load, f"blur: {{min: {written}}}").limits["tolerance-blur"]
    assert (limit.value, limit.unit) == (value, unit)


def test_severities_that_were_moved_reach_as_far_as_they_do(load, complaints):
    assert declared(load, "soft: {min: 8 px}").limits["tolerance-soft"]
    (line,) = complaints(YAML % "blur: {min: 8 px}")
    assert line == (
        "robustness.yaml:10:17: 8 px lies beyond severity 5, 4 px: nothing is measured there. Ask "
        "for less, or move the severities by severity_3 of blur"
    )


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("blurr: {min: 1 px}", "10:5: tolerance of 'blurr', which is not run; did you mean 'blur'"),
        ("glare: {min: 1 %}", "10:5: tolerance of 'glare', which is not run"),
        ("dim: {}", "10:5: dim is one level, given by value: a tolerance is looked for along"),
        (
            "blur: {min: 0.5 EV}",
            "10:17: the tolerance of blur is told in px, or as severity 3, not in EV",
        ),
        (
            "jpeg: {min: 60 quality}",
            "10:17: the tolerance of jpeg is told in severities: severity 3, not in quality",
        ),
        ("both: {min: 1 px}", "10:17: the tolerance of both is told in severities: severity 3"),
        ("blur: {min: severity 6}", "10:17: 6 severity lies beyond severity 5"),
        (
            "blur: {min: 0.5}",
            "10:17: accept.tolerance.blur.min must be a level with its unit, as 0.5 px or severity",
        ),
        ("blur: {min: 0 px}", "10:17: accept.tolerance.blur.min must be a level with its unit"),
        ("blur: {max: 1 px}", "10:12: unknown key 'max' under accept.tolerance.blur"),
        ("blur: 1 px", "10:11: accept.tolerance.blur must be"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(complaints, entry, complaint):
    lines = complaints(YAML % entry)
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"robustness.yaml:{complaint}")


def test_a_profile_drops_or_changes_one(load):
    more = "profiles:\n  pr: {accept: {tolerance: {blur: null, jpeg: {min: severity 1}}}}\n"
    benchmark = declared(load, "blur: {min: 0.5 px}", "jpeg: {}", profile="pr", more=more)
    assert [c.id for c in benchmark.conditions if c.ladder] == ["tolerance-jpeg"]
    assert benchmark.limits["tolerance-jpeg"][0].value == 1


def test_a_profile_that_does_not_run_the_corruption_passes_over_it(load):
    more = "profiles: {pr: {corruptions: [jpeg]}}\n"
    text = YAML.replace("  blur: {recall: {min: 0.9}, specificity: {min: 0.99}}\n", "")
    benchmark = load(text % "blur: {min: 0.5 px}" + more, profile="pr").benchmarks[0]
    assert benchmark.tolerances == {}


def test_a_profile_may_only_measure_it(load):
    more = "profiles: {pr: {measure_only: [tolerance-blur]}}\n"
    benchmark = declared(load, "blur: {min: 0.5 px}", profile="pr", more=more)
    assert benchmark.measure_only == {"tolerance-blur"}
    assert benchmark.limits["tolerance-blur"] == ()


def test_it_may_be_waived(load):
    waiver = (
        "waivers:\n- {condition: tolerance-blur, metric: tolerance, reason: lens, by: QA, "
        "until: 2030-01-31}\n"
    )
    benchmark = declared(load, "blur: {min: 0.5 px}", more=waiver)
    assert benchmark.waivers[0].condition == "tolerance-blur"


def test_less_can_be_asked_for_by_its_id(load):
    config = load(YAML % "blur: {min: 0.5 px}\n    jpeg: {}")
    assert "tolerance-blur" in run_by(config).corruptions
    (only,) = narrow(config, corruptions=["tolerance-blur"]).benchmarks
    assert [c.id for c in only.conditions] == ["clean", "tolerance-blur"]
    assert list(only.corruptions) == list(only.tolerances) == ["blur"]
    (without,) = narrow(config, corruptions=["jpeg"]).benchmarks
    assert [c.id for c in without.conditions] == ["clean", "jpeg-severity_1"]
    assert without.tolerances == {}


def test_the_drift_of_the_line_stands_beside_tolerances(load, complaints):
    benchmark = declared(load, "blur: {}", more="line_drift: {file: drift.json}\n")
    assert benchmark.line_drift.file == "drift.json"
    assert benchmark.effective["line_drift"] == {"file": "drift.json"}
    alone = YAML.replace("  tolerance:\n    %s\n", "") + "line_drift: {file: drift.json}\n"
    (line,) = complaints(alone)
    assert line == (
        "robustness.yaml:9:1: line_drift tells tolerances as multiples of it: name some under "
        "accept.tolerance"
    )
