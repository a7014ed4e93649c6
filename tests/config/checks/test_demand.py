"""What ``accept.confidence`` and ``accept.unsure`` declare, and what is refused beside them."""

from __future__ import annotations

import pytest

from pytest_robustbench.config.benchmarks import gate_of
from pytest_robustbench.gates.limits import Demand

NEVER = "no number of parts can show this limit at accept.confidence"
YAML = """\
schema_version: 1
dataset: fixture
detector: fixture
severities: [1]
accept:
  {settings}
  all: {{miss_rate: {{max: 0.05}}, false_reject_rate: {{max: 0.02}}}}
  {others}
"""


def text(settings="confidence: 0.95", others="clean: {recall: {min: 0.9}}"):
    return YAML.format(settings=settings, others=others)


def test_a_limit_that_merely_holds_fails_unless_it_is_let_pass(load):
    assert load(text()).benchmarks[0].demand == Demand(0.95, "fail")
    lax = load(text("confidence: 0.9\n  unsure: skip")).benchmarks[0]
    assert lax.demand == Demand(0.9, "skip")
    assert gate_of(lax).demand == lax.demand
    assert lax.effective["demand"] == {"confidence": 0.9, "unsure": "skip"}


def test_without_it_limits_are_held_against_values(load):
    declared = load(text("")).benchmarks[0]
    assert declared.demand is None
    assert declared.effective["demand"] is None


def test_a_profile_may_demand_what_the_file_does_not(load):
    profiles = "profiles: {release: {accept: {confidence: 0.99}}}\n"
    found = load(text("unsure: skip\n  confidence: 0.9") + profiles, profile="release")
    assert found.benchmarks[0].demand == Demand(0.99, "skip")


def test_a_small_profile_may_leave_it_out(load):
    profiles = "profiles: {pr: {accept: {confidence: null}}}\n"
    found = load(text("unsure: skip\n  confidence: 0.9") + profiles, profile="pr")
    assert found.benchmarks[0].demand is None


def test_no_limit_is_called_like_a_setting(load):
    limits = load(text()).benchmarks[0].limits
    assert {limit.metric for of in limits.values() for limit in of} == {
        *("miss_rate", "false_reject_rate", "recall"),
    }


@pytest.mark.parametrize(
    ("settings", "others", "complaint"),
    [
        ("unsure: skip", "", "6:3: accept.unsure says how limits end that are not shown"),
        ("confidence: 95", "", "6:15: accept.confidence must be at most 0.99, found 95"),
        ("confidence: 0.5", "", "6:15: accept.confidence must be greater than 0.5, found 0.5"),
        ("confidence: high", "", "6:15: accept.confidence must be a number, found 'high'"),
        (
            "{confidence: 0.9, unsure: warn}",
            "",
            "accept.unsure must be fail or skip, found 'warn'",
        ),
        (
            "confidence: 0.95",
            "clean: {miss_rate: {max: 0}}",
            f"8:11: {NEVER} 0.95: miss_rate would have to be perfect",
        ),
        (
            "confidence: 0.95",
            "clean: {pixel_auroc: {min: 0.9}}",
            f"8:11: {NEVER} 0.95: pixel_auroc ranks scores",
        ),
    ],
)
def test_what_can_never_be_shown_is_refused(complaints, settings, others, complaint):
    if settings.startswith("{"):
        settings = settings.strip("{}").replace(", ", "\n  ")
    found = complaints(text(settings, others))
    assert any(complaint in line for line in found), found


def test_a_latency_may_stand_beside_it(load):
    others = "clean: {latency_ms_per_image: {max: 20}}"
    assert load(text(others=others)).benchmarks[0].demand == Demand()
