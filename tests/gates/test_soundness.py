"""Limits that would be green whatever happens are refused wherever they are declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.config.loader import parse_config
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.gates.limits import Demand, Limit
from pytest_robustbench.gates.soundness import objections, unseen_decisions, why_vacuous
from pytest_robustbench.metrics.catalogue import bound_of

HEAD = (
    "schema_version: 1\ndataset: fixture\ndetector: fixture\ncorruptions: [blur]\nseverities: [3]\n"
)


def limit(metric, value):
    return Limit(metric, bound_of(metric), value, "r.yaml:7")


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("miss_rate", 1.0),
        ("pixel_segf1", 0.0),
        ("latency_ms_per_image", 86_400_000.0),
        ("worst_drop_recall", 1.0),
        ("mean_corruption_auroc", 0.0),
    ],
)
def test_a_limit_that_nothing_violates_is_refused(metric, value):
    assert "can never be violated" in why_vacuous(limit(metric, value))
    assert not why_vacuous(limit(metric, 0.5))
    with pytest.raises(ConfigError, match=f"r.yaml:7: {metric} .* can never be violated"):
        Gate({"clean": (limit(metric, value), limit("recall", 0.5), limit("specificity", 0.5))})


@pytest.mark.parametrize(
    ("accept", "said"),
    [
        ("all: {miss_rate: {max: 0.1}}", "no limit sees false alarms"),
        ("all: {pixel_segf1: {min: 0.1}}", "write one_sided: misses"),
        ("all: {pixel_segf1: {min: 0.1}}", "declare miss_rate and false_reject_rate, or"),
        (
            "all: {miss_rate: {max: 0.05}, normal_fpr: {max: 0.01}}",
            "no limit on whole images sees false alarms (pixels do not say which parts are",
        ),
        (
            "all: {miss_rate: {max: 0.05}, normal_fpr: {max: 0.01}}",
            "declare false_reject_rate, or write one_sided: misses beside the limits",
        ),
        (
            "all: {false_reject_rate: {max: 0.1}, pixel_segf1: {min: 0.1}}",
            "whole images sees misses",
        ),
        (
            "all: {false_reject_rate: {max: 0.1}, pixel_segf1: {min: 0.1}, one_sided: misses}",
            "no limit on whole images sees misses",
        ),
        ("all: {bg_fpr: {max: 0.1}}", "write one_sided: false_alarms"),
        ("all: {auroc: {min: 0.9}}", "no limit sees a wrong decision"),
        ("all: {miss_rate: {max: 0.05}, precision: {min: 0.7}}", "no limit sees false alarms"),
        ("all: {pixel_segf1: {min: 0.1}, accuracy: {min: 0.7}}", "no limit sees false alarms"),
        ("all: {auroc: {min: 0.9}, one_sided: misses}", "but no limit sees misses"),
        ("all: {recall: {min: 0.9}, specificity: {min: 0.1}, one_sided: misses}", "both sides"),
        (
            "all: {recall: {min: 0.9}, specificity: {min: 0.1}}\n  blur: {recall: null}",
            "blur-severity_3:",
        ),
        (
            "all: {recall: {min: 0.9}, specificity: {min: 0.1}, bg_fpr: {max: 1.0}}",
            "bg_fpr max 1 can never be violated",
        ),
    ],
)
def test_a_yaml_that_sees_one_side_is_refused_with_its_line(accept, said):
    with pytest.raises(ConfigError, match=r"r\.yaml:[78]:\d+: ") as caught:
        parse_config(f"{HEAD}accept:\n  {accept}\n", Path("r.yaml"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "accept",
    [
        "all: {pixel_segf1: {min: 0.1}, bg_fpr: {max: 0.1}}",
        "all: {pixel_segf1: {min: 0.1}, normal_fpr: {max: 0.1}, auroc: {min: 0.9}}",
        "all: {miss_rate: {max: 0.1}, bg_fpr: {max: 0.1}, one_sided: misses}",
        "all: {f1: {min: 0.1}, specificity: {min: 0.1}}",
    ],
)
def test_both_sides_at_the_level_that_decides_are_enough(accept):
    assert parse_config(f"{HEAD}accept:\n  {accept}\n", Path("r.yaml")).benchmarks


def test_an_objection_stands_where_the_first_condition_that_it_names_begins():
    blind = {
        f"blur-severity_{k}": (
            Limit("miss_rate", "max", 0.1, f"r.yaml:{k}"),
            Limit("recall", "min", 0.9, "r.yaml:99"),
        )
        for k in range(1, 6)
    }
    (found,) = objections(blind, (), {})
    assert found.limit.source == "r.yaml:1"
    assert found.text.startswith("blur-severity_1, blur-severity_2, blur-severity_3 and 2 more: ")
    (found,) = objections(dict(list(blind.items())[:3]), (), {})
    assert found.text.startswith("blur-severity_1, blur-severity_2, blur-severity_3: no limit")


def test_one_side_may_be_meant():
    text = f"{HEAD}accept: {{all: {{miss_rate: {{max: 0.1}}, one_sided: misses}}}}\n"
    (benchmark,) = parse_config(text, Path("r.yaml")).benchmarks
    assert benchmark.one_sided == {"clean": "misses", "blur-severity_3": "misses"}
    Gate(benchmark.limits, one_sided=benchmark.one_sided)
    with pytest.raises(ConfigError, match="no limit sees false alarms"):
        Gate(benchmark.limits)


@pytest.mark.parametrize(
    ("metric", "bound"),
    [("miss_rate", "min"), ("recall", "max"), ("worst_drop_recall", "min"), ("bg_fpr", "min")],
)
def test_a_bound_in_the_wrong_direction_is_refused(metric, bound):
    """A floor under a rate of false rejects is kept best by whoever rejects everything."""
    both = (limit("f1", 0.1), limit("specificity", 0.1), Limit(metric, bound, 0.5, "r.yaml:7"))
    with pytest.raises(ConfigError, match=f"r.yaml:7: {bound!r} on {metric}: .*, so it takes"):
        Gate({"clean": both})


@pytest.mark.parametrize("confidence", [0.0, 0.5, 0.999, 1.0, float("nan")])
def test_a_confidence_that_no_draws_give_is_refused(confidence):
    with pytest.raises(ConfigError, match=r"confidence .* must lie above 0.5, and be 0.99 at most"):
        Demand(confidence)
    assert Demand(0.99).confidence == 0.99


def test_so_is_an_ending_that_there_is_not():
    with pytest.raises(ConfigError, match="unsure must be fail or skip, not 'whatever'"):
        Demand(0.95, "whatever")


def test_most_decisions_wrong_and_no_limit_on_them_is_said():
    pixels = [limit("normal_fpr", 0.1), limit("pixel_segf1", 0.3)]
    values = {"false_reject_rate": 0.9, "miss_rate": 0.2}
    assert unseen_decisions(pixels, values) == (
        "most image decisions on good parts are wrong (false_reject_rate 0.9), and no limit sees it"
    )
    meant = [limit("miss_rate", 0.3), limit("accuracy", 0.1)]
    assert "on good parts are wrong" in unseen_decisions(meant, values)
    both = unseen_decisions(pixels, {"false_reject_rate": 0.9, "miss_rate": 1.0})
    assert "on defective and good parts are wrong (miss_rate 1, false_reject_rate 0.9)" in both
    assert "false_reject_rate 0.9" in unseen_decisions([*pixels, limit("precision", 0.7)], values)
    assert "false_reject_rate 0.9" in unseen_decisions(pixels, values)
    assert "(miss_rate 0.51)" in unseen_decisions(pixels, {"miss_rate": 0.51})
    assert not unseen_decisions([*pixels, limit("false_reject_rate", 0.95)], values)
    assert not unseen_decisions(pixels, {"false_reject_rate": 0.5, "miss_rate": None})
