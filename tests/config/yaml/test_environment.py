"""Environment variables: filled in where set, told of where needed and missing."""

from __future__ import annotations

import pytest

from pytest_robustbench.config.yaml.environment import (
    Unresolved,
    as_written,
    expand,
    resolved,
    retyped,
)
from pytest_robustbench.errors import ConfigError

SHORT = "schema_version: 1\ndetector: fixture\naccept: {all: {f1: {min: 0.1}, one_sided: misses}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("x/${A}/${B}.png", "x/one/two.png"),
        ("${NONE:-other}", "other"),
        ("${NONE:-}", ""),
        ("${EMPTY:-other}", "other"),
        ("${A:-other}", "one"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$one"),
        ("cost: 5$ or $A", "cost: 5$ or $A"),
        ("^a$", "^a$"),
    ],
)
def test_texts_are_filled_in(text, expected):
    found = expand(text, {"A": "one", "B": "two", "EMPTY": ""}, "a.yaml:1")
    assert found == expected
    assert as_written(found) == text


def test_an_empty_variable_is_a_missing_one():
    found = expand("x/${EMPTY}", {"EMPTY": ""}, "a.yaml:7")
    assert found == Unresolved("x/${EMPTY}", "EMPTY", "a.yaml:7")


def test_a_missing_variable_waits_until_the_text_is_needed():
    found = expand("x/${NONE}", {}, "a.yaml:7")
    assert found == Unresolved("x/${NONE}", "NONE", "a.yaml:7")
    assert resolved({"root": [found]}, {"NONE": "now"}) == {"root": ["x/now"]}
    with pytest.raises(ConfigError) as caught:
        resolved({"root": [found]}, {})
    assert str(caught.value) == (
        "a.yaml:7: environment variable 'NONE' is not set; "
        "set it, or give a default: ${NONE:-default}"
    )


def test_a_missing_variable_does_not_fail_the_loading(load):
    (benchmark,) = load(SHORT + "dataset: {format: mvtec, root: '${DATA_ROOT}/x'}\n").benchmarks
    root = benchmark.dataset.options["root"]
    assert root == Unresolved("${DATA_ROOT}/x", "DATA_ROOT", "robustness.yaml:4")
    assert benchmark.effective["dataset"]["root"] == "${DATA_ROOT}/x"


def test_a_variable_may_stand_for_a_number_or_truth_value(load):
    (benchmark,) = load(
        SHORT + "dataset: fixture\nlimit_test: ${N}\npixel_segf1: '${SEGF1:-false}'\n"
        "severities: ['${LEVEL}', 5]\n",
        environ={"N": "12", "LEVEL": "2"},
    ).benchmarks
    assert benchmark.limit_test == 12
    assert benchmark.evaluation.pixel_segf1 is False
    assert {c.severity for c in benchmark.conditions} == {None, 2, 5}


def test_a_variable_of_the_wrong_type_is_told_with_its_place(complaints):
    text = SHORT + "dataset: fixture\nlimit_test: ${N}\n"
    assert complaints(text, {"N": "many"}) == [
        "robustness.yaml:5:13: limit_test must be a whole number, found 'many'"
    ]


def test_arguments_of_a_detector_take_the_type_a_variable_spells(load):
    text = SHORT.replace(
        "detector: fixture",
        "detector: {name: 'a:b', kwargs: {n: '${N}', deep: [{x: '${X:-0.5}'}], tag: 'v${N}', "
        "s: '5', wait: '${LATER}'}}",
    )
    (benchmark,) = load(text + "dataset: fixture\n", environ={"N": "3"}).benchmarks
    kwargs = benchmark.detector.kwargs
    assert kwargs["n"] == 3
    assert kwargs["deep"] == [{"x": 0.5}]
    assert (kwargs["tag"], kwargs["s"]) == ("v3", "5")
    assert isinstance(kwargs["wait"], Unresolved)


def test_retyping_leaves_plain_texts_alone():
    assert retyped({"a": "5", "b": ("true",)}) == {"a": "5", "b": ["true"]}
