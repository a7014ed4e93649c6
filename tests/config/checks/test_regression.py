"""What a regression section and waivers declare, and what a report keeps of them."""

from __future__ import annotations

import json
from datetime import date

import pytest

from pytest_robustbench.config.narrowing import narrow
from pytest_robustbench.gates.limits import Waiver
from pytest_robustbench.gates.regression.changes import (
    AllowedChange,
    changes_from_record,
)

SHORT = """\
schema_version: 1
dataset: fixture
detector: fixture
severities: [1]
accept: {all: {f1: {min: 0.1}, one_sided: misses}, summary: {mean_drop_f1: {max: 0.3}}}
"""
FULL = """\
regression:
  baseline: "baselines/{name}.json"
  anchor: "${ANCHORS}/{name}.json"
  min_overlap: 0.9
  strict_pixels: true
  inconclusive: fail
  pixel_segf1: {max_drop: 0.02}
  bg_fpr: {max_rise: 0.1, relative: true}
  latency_ms_per_image: {max_rise: 25}
profiles:
  pr: {regression: {min_overlap: 0.5, inconclusive: skip, bg_fpr: null, one_sided: misses}}
"""
WAIVER = "{condition: %s, metric: %s, reason: new lamp, by: Ada, until: %s}"


def test_everything_a_regression_section_says(load):
    declared = load(SHORT + FULL, environ={"ANCHORS": "v1"}).benchmarks[0].regression
    assert (declared.baseline, declared.anchor) == ("baselines/{name}.json", "v1/{name}.json")
    assert (declared.min_overlap, declared.strict_pixels) == (0.9, True)
    assert declared.inconclusive == "fail"
    assert declared.allowed == (
        AllowedChange("pixel_segf1", "max_drop", 0.02, False, "robustness.yaml:12"),
        AllowedChange("bg_fpr", "max_rise", 0.1, True, "robustness.yaml:13"),
        AllowedChange("latency_ms_per_image", "max_rise", 25.0, False, "robustness.yaml:14"),
    )


def test_by_default_all_images_are_compared_and_what_is_undecided_is_skipped(load):
    text = SHORT + "regression: {baseline: b.json, f1: {max_drop: 0.1}, one_sided: misses}\n"
    declared = load(text).benchmarks[0].regression
    assert (declared.anchor, declared.min_overlap, declared.strict_pixels) == (None, 1.0, False)
    assert declared.inconclusive == "skip"


def test_a_profile_overrides_any_key_of_a_regression_section(load):
    declared = load(SHORT + FULL, profile="pr").benchmarks[0].regression
    assert (declared.min_overlap, declared.inconclusive, declared.strict_pixels) == (
        *(0.5, "skip"),
        True,
    )
    assert [c.metric for c in declared.allowed] == ["pixel_segf1", "latency_ms_per_image"]


SEVERAL = """\
schema_version: 1
defaults: {dataset: fixture, detector: fixture, corruptions: none,
          accept: {all: {f1: {min: 0.1}, one_sided: misses}}}
benchmarks:
  a: {regression: {baseline: stored/b.json, f1: {max_drop: 0.1}, one_sided: misses}}
  b: {regression: {baseline: "./stored/{name}.json", f1: {max_drop: 0.1}, one_sided: misses}}
profiles: {pr: {limit_test: 8}}
"""


def test_two_benchmarks_have_two_baselines(load, complaints):
    (line,) = complaints(SEVERAL)
    assert line.startswith("robustness.yaml:6:30: regression.baseline is the same file for")
    assert "'a' and 'b'" in line
    assert len(load(SEVERAL.replace("b.json", "a.json")).benchmarks) == 2


def test_a_baseline_may_be_that_of_a_profile(load):
    text = FULL.replace("baselines/{name}", "baselines/{profile}/{name}")
    for profile in (None, "pr"):
        (benchmark,) = load(SHORT + text, profile).benchmarks
        assert benchmark.regression.baseline == f"baselines/{profile or 'default'}/{{name}}.json"
        recorded = benchmark.effective["regression"]["baseline"]
        assert recorded == "baselines/{profile}/{name}.json"


def test_a_report_keeps_the_section_as_it_was_written(load):
    effective = load(SHORT + FULL, environ={"ANCHORS": "/home/ada"}).benchmarks[0].effective
    assert json.loads(json.dumps(effective["regression"])) == {
        "baseline": "baselines/{name}.json",
        "anchor": "${ANCHORS}/{name}.json",
        "min_overlap": 0.9,
        "strict_pixels": True,
        "inconclusive": "fail",
        "one_sided": None,
        "pixel_segf1": {"max_drop": 0.02, "relative": False},
        "bg_fpr": {"max_rise": 0.1, "relative": True},
        "latency_ms_per_image": {"max_rise": 25.0, "relative": False},
    }


def test_the_margins_are_read_back_from_the_report(load):
    benchmark = load(SHORT + FULL).benchmarks[0]
    changes = changes_from_record(benchmark.effective["regression"], "r.json")
    assert [c.source for c in changes] == [
        f"r.json: config.regression.{name}"
        for name in ("pixel_segf1", "bg_fpr", "latency_ms_per_image")
    ]
    terms = [(c.metric, c.bound, c.value, c.relative) for c in changes]
    assert terms == [(c.metric, c.bound, c.value, c.relative) for c in benchmark.regression.allowed]


@pytest.mark.parametrize("day", ["2026-03-31", "'2026-03-31'", '"${DAY:-2026-03-31}"'])
def test_a_waiver_with_or_without_quotes_around_its_date(load, day):
    waivers = [WAIVER % ("clean", "f1", day), WAIVER % ("summary", "mean_drop_f1", day)]
    (benchmark,) = load(f"{SHORT}waivers: [{', '.join(waivers)}]\n").benchmarks
    last = date(2026, 3, 31)
    assert benchmark.waivers == (
        Waiver("clean", "f1", "new lamp", "Ada", last, "robustness.yaml:6"),
        Waiver("summary", "mean_drop_f1", "new lamp", "Ada", last, "robustness.yaml:6"),
    )
    assert json.loads(json.dumps(benchmark.effective["waivers"]))[0] == {
        "condition": "clean",
        "metric": "f1",
        "reason": "new lamp",
        "by": "Ada",
        "until": "2026-03-31",
    }


def test_a_profile_passes_over_waivers_of_what_it_does_not_run(load):
    waivers = ", ".join(WAIVER % (c, "f1", "2026-03-31") for c in ("clean", "blur-severity_1"))
    text = f"{SHORT}waivers: [{waivers}]\nprofiles: {{pr: {{corruptions: [jpeg]}}}}\n"
    (benchmark,) = load(text, profile="pr").benchmarks
    assert [w.condition for w in benchmark.waivers] == ["clean"]
    narrowed = narrow(load(text), corruptions=["jpeg"])
    assert [w.condition for w in narrowed.benchmarks[0].waivers] == ["clean"]
    text = text.replace("[jpeg]", "[jpeg], waivers: []")
    assert load(text, profile="pr").benchmarks[0].waivers == ()
