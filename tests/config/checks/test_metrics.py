"""Metrics of one's own in robustness.yaml: limits on them are read like any others."""

from __future__ import annotations

import pytest

from pytest_robustbench.errors import ConfigError

MODULE = """
import pytest_robustbench as rb

@rb.register_metric(more_is_better=False, meaning="area called in good parts", level="pixel")
def reject_area(outcomes):
    return outcomes.fp, outcomes.fp + outcomes.tn

@rb.register_metric(more_is_better=True, meaning="no share", largest=float("inf"))
def found(outcomes):
    return outcomes.image_tp, outcomes.image_fn
"""
TEXT = """\
schema_version: 1
dataset: fixture
detector: fixture
corruptions: [blur]
severities: [1]
metrics: ["line_metrics:reject_area", "line_metrics:found"]
accept:
  all: {reject_area: {max: 0.1}, found: {min: 3}, f1: {min: 0.2}, one_sided: misses}
  blur: {severity_1: {reject_area: {max: 0.2}}}
  summary: {worst_drop_reject_area: {max: 0.3}}
"""


@pytest.fixture
def load(load, tmp_path):
    (tmp_path / "line_metrics.py").write_text(MODULE)
    return load


def test_limits_on_them_bind_like_any_others(load):
    (benchmark,) = load(TEXT).benchmarks

    assert benchmark.metrics == ("reject_area", "found")
    limits = {limit.metric: (limit.bound, limit.value) for limit in benchmark.limits["clean"]}
    assert limits == {"f1": ("min", 0.2), "reject_area": ("max", 0.1), "found": ("min", 3.0)}
    drifted = {limit.metric: limit.value for limit in benchmark.limits["blur-severity_1"]}
    assert drifted["reject_area"] == 0.2
    assert [limit.metric for limit in benchmark.summary_limits] == ["worst_drop_reject_area"]
    assert benchmark.effective["metrics"] == ["reject_area", "found"]


def test_changes_of_them_may_be_allowed(load):
    margins = "recall: {max_drop: 0.1}, reject_area: {max_rise: 0.02}, one_sided: misses"
    margin = f"regression: {{baseline: b.json, {margins}}}"
    (benchmark,) = load(f"{TEXT}{margin}\n").benchmarks

    assert [change.metric for change in benchmark.regression.allowed] == ["recall", "reject_area"]


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        ("reject_area: {max: 0.1}", "reject_area: {min: 0.1}", "less of it is better, so it takes"),
        ("reject_area: {max: 0.1}", "reject_area: {max: 2}", "at most 1, found 2"),
        ("reject_area: {max: 0.1}", "reject_are: {max: 1}", "did you mean 'reject_area'"),
        ("found: {min: 3}", "found: {min: -1}", "at least 0, found -1"),
        ("worst_drop_reject_area", "reject_area", "worst_corruption_reject_area"),
        (":found", ":fond", r"robustness.yaml:6:39: metric 'line_metrics:fond' cannot be imported"),
        (', "line_metrics:found"', "", "unknown metric 'found' under accept.all"),
    ],
)
def test_a_mistake_is_told_with_its_place(load, written, instead, message):
    assert written in TEXT
    with pytest.raises(ConfigError, match=message):
        load(TEXT.replace(written, instead, 1))


@pytest.mark.parametrize("limit", ["found: {min: 3}, ", ""])
def test_what_cannot_be_loaded_is_told_alone(load, limit):
    text = TEXT.replace(":found", ":fond").replace("found: {min: 3}, ", limit)
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value).count("\n") == 0


def test_a_limit_on_what_only_another_benchmark_measures_is_refused(load):
    text = """\
schema_version: 1
defaults: {dataset: fixture, detector: fixture, corruptions: none}
benchmarks:
  nuts: {metrics: ["line_metrics:reject_area"], accept: {all: {reject_area: {max: 0.1}}}}
  tiles: {accept: {all: {reject_area: {max: 0.1}}}}
"""
    with pytest.raises(ConfigError, match=r":5:\d+: limit on reject_area, which this benchmark"):
        load(text)


def test_a_benchmark_may_drop_a_limit_on_what_it_does_not_measure(load):
    text = """\
schema_version: 1
defaults:
  dataset: fixture
  detector: fixture
  corruptions: none
  metrics: ["line_metrics:reject_area"]
  accept: {all: {reject_area: {max: 0.1}, f1: {min: 0.1}, one_sided: misses}}
benchmarks:
  nuts: {}
  tiles: {metrics: [], accept: {all: {reject_area: null}}}
"""
    nuts, tiles = load(text).benchmarks
    assert [limit.metric for limit in nuts.limits["clean"]] == ["f1", "reject_area"]
    assert [limit.metric for limit in tiles.limits["clean"]] == ["f1"]
