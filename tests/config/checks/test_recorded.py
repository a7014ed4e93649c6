"""Sets recorded under drift: where they are declared, which limits reach them, what is refused."""

# ruff: noqa: E501 (lines of YAML and of messages)

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pytest_robustbench.conditions import CLEAN, Condition, condition_of
from pytest_robustbench.config.build import recorded_sets
from pytest_robustbench.config.narrowing import narrow
from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.errors import MissingDataError

LED = Condition("recorded", recorded="led_2025_11")
OLD = Condition("recorded", recorded="old")
BASE = """\
schema_version: 1
dataset: {format: mvtec, root: data, category: caps, resize: [16, 24]}
detector: pixel_gaussian
corruptions: [blur]
severities: [3]
recorded:
  led_2025_11: {format: folder, root: drift, test_dir: good, abnormal_dir: bad}
  old: {format: mvtec, root: drift2, category: caps}
"""
ACCEPT = """\
accept:
  all: {bg_fpr: {max: 0.05}, one_sided: false_alarms}
  recorded:
    bg_fpr: {max: 0.1}
    led_2025_11: {pixel_segf1: {min: 0.2}, bg_fpr: {max: 0.2}, one_sided: null}
"""


def limits(benchmark, condition):
    return {limit.metric: limit.value for limit in benchmark.limits[condition.id]}


def test_recorded_sets_are_conditions_after_the_corruptions(load):
    (benchmark,) = load(BASE + ACCEPT).benchmarks

    assert [c.id for c in benchmark.conditions] == [
        "clean",
        "blur-severity_3",
        "recorded-led_2025_11",
        "recorded-old",
    ]
    assert all(condition_of(c.id) == c for c in benchmark.conditions)
    assert benchmark.effective["recorded"]["old"]["root"] == "drift2"


def test_the_more_specific_limit_wins(load):
    (benchmark,) = load(BASE + ACCEPT).benchmarks

    assert limits(benchmark, CLEAN) == {"bg_fpr": 0.05}
    assert limits(benchmark, OLD) == {"bg_fpr": 0.1}
    assert limits(benchmark, LED) == {"pixel_segf1": 0.2, "bg_fpr": 0.2}


def test_limits_of_all_conditions_reach_recorded_sets(load):
    (benchmark,) = load(
        BASE + "accept: {all: {bg_fpr: {max: 0.05}, one_sided: false_alarms}}\n"
    ).benchmarks

    assert limits(benchmark, LED) == {"bg_fpr": 0.05}


@pytest.mark.parametrize(("named", "unjudged"), [("recorded", {LED, OLD}), ("recorded-old", {OLD})])
def test_measure_only_takes_all_of_them_or_one(load, named, unjudged):
    text = f"accept: {{all: {{bg_fpr: {{max: 0.05}}, one_sided: false_alarms}}}}\nmeasure_only: [{named}]\n"

    (benchmark,) = load(BASE + text).benchmarks

    assert benchmark.measure_only == {c.id for c in unjudged}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (
            "  recorded: {let_2025_11: {bg_fpr: {max: 0.1}}}",
            "11:14: 'let_2025_11' under accept.recorded is neither a metric nor a recorded set; did you mean 'led_2025_11'?",
        ),
        (
            "  recorded: {led_2025_11: {bg_fprr: {max: 0.1}}}",
            "11:28: unknown metric 'bg_fprr' under accept.recorded.led_2025_11; did you mean 'bg_fpr'?",
        ),
        (
            "  recorded: {led_2025_11: {severity_3: {bg_fpr: {max: 0.1}}}}",
            "11:28: 'severity_3' under accept.recorded.led_2025_11: severities stand under a corruption",
        ),
        (
            "  recorded: {bg_fpr: {min: 0.1}}",
            "11:23: 'min' on bg_fpr under accept.recorded: less of it is better, so it takes 'max'",
        ),
    ],
)
def test_a_wrong_limit_is_named_with_its_place(complaints, accept, expected):
    text = f"{BASE}accept:\n  all: {{bg_fpr: {{max: 0.1}}, one_sided: false_alarms}}\n{accept}\n"

    assert complaints(text) == [f"robustness.yaml:{expected}"]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (
            "LED-2025: {format: folder, test_dir: a, abnormal_dir: b}",
            "6:3: recorded set 'LED-2025' becomes part of test ids: use lower-case letters, digits and underscores, 100 at most",
        ),
        (
            "led: {format: mvtec}",
            "6:8: 'root' is missing under recorded.led: the folder that holds the categories",
        ),
        ("led: {format: foldr}", "6:17: unknown dataset format 'foldr'; did you mean 'folder'?"),
        (
            "led: {format: folder, normal_dirr: x}",
            "6:25: unknown key 'normal_dirr' under recorded.led; did you mean 'normal_dir'?",
        ),
        (
            "led: {formt: folder}",
            "6:9: unknown key 'formt' under recorded.led; did you mean 'format'?",
        ),
    ],
)
def test_a_wrong_set_is_named_with_its_place(complaints, recorded, expected):
    head = BASE.split("recorded:", maxsplit=1)[0]
    text = f"{head}recorded:\n  {recorded}\naccept: {{all: {{bg_fpr: {{max: 0.1}}, one_sided: false_alarms}}}}\n"

    found = complaints(text.replace("severities: [3]\n", ""))

    assert found[0] == f"robustness.yaml:{expected}"


def test_limits_without_a_recorded_set(complaints):
    head = BASE.split("recorded:", maxsplit=1)[0]

    assert complaints(head + ACCEPT) == [
        "robustness.yaml:8:3: limits under accept.recorded, but no recorded set is declared"
    ]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"corruptions": ["recorded"]}, ["clean", LED.id, OLD.id]),
        ({"corruptions": ["blur"]}, ["clean", "blur-severity_3"]),
        ({"severities": [3]}, ["clean", "blur-severity_3", LED.id, OLD.id]),
    ],
)
def test_narrowing(load, chosen, kept):
    config = load(BASE + ACCEPT)

    (benchmark,) = narrow(config, **chosen).benchmarks

    assert [c.id for c in benchmark.conditions] == kept


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (16, 24, 3), np.uint8))


def test_sets_are_listed_when_they_are_asked_for(load, tmp_path):
    config = load(BASE + ACCEPT)
    (benchmark,) = config.benchmarks
    own = Split("own", "nut", (), (Sample("0", 0, Path("0.png"), bit_depth=12),), resize=(16, 24))
    sets = recorded_sets(benchmark, config.folder, own)
    for name in ("good/0.png", "good/1.png", "bad/0.png"):
        write(tmp_path / "drift" / name)

    split = sets["led_2025_11"]()

    assert [sample.label for sample in split.test] == [0, 0, 1]
    assert split.resize == (16, 24)
    assert {sample.bit_depth for sample in split.test} == {12}
    with pytest.raises(MissingDataError, match="drift2"):
        sets["old"]()
