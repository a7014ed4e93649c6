"""Narrowing from the command line keeps what was declared in sight."""

from __future__ import annotations

import pytest

from pytest_robustbench.config.narrowing import narrow
from pytest_robustbench.errors import ConfigError

TWO = """\
schema_version: 1
defaults: {dataset: fixture, detector: fixture, severities: [1, 3],
          accept: {all: {f1: {min: 0.1}, one_sided: misses}}}
benchmarks:
  a: {corruptions: [blur, jpeg], limit_test: 9}
  b: {corruptions: [blur, glare], measure_only: [glare]}
"""


def ids(config):
    return [[c.id for c in benchmark.conditions] for benchmark in config.benchmarks]


def test_nothing_asked_changes_nothing(load):
    config = load(TWO)
    assert narrow(config) == config
    assert not any(b.is_narrowed for b in config.benchmarks)


def test_conditions_are_left_out_and_stay_declared(load):
    config = load(TWO)
    narrowed = narrow(config, corruptions=["jpeg"], severities=[3])
    assert ids(narrowed) == [["clean", "jpeg-severity_3"], ["clean"]]
    assert all(b.is_narrowed for b in narrowed.benchmarks)
    for before, after in zip(config.benchmarks, narrowed.benchmarks, strict=True):
        assert after.declared_conditions == before.conditions
        assert set(after.limits) == {c.id for c in after.conditions}
        assert after.effective["conditions"] == [c.id for c in after.conditions]
    assert narrowed.benchmarks[0].corruptions == {"jpeg": "jpeg"}
    assert narrowed.benchmarks[1].measure_only == frozenset()


def test_clean_alone(load):
    assert ids(narrow(load(TWO), corruptions=["clean"])) == [["clean"], ["clean"]]


def test_limits_and_device_override_the_file(load):
    narrowed = narrow(load(TWO), limit_train=4, limit_test=2, device="cpu")
    assert [(b.limit_train, b.limit_test) for b in narrowed.benchmarks] == [(4, 2), (4, 2)]
    assert [b.declared_limits for b in narrowed.benchmarks] == [(None, 9), (None, None)]
    assert {b.detector.device for b in narrowed.benchmarks} == {"cpu"}
    assert all(b.is_narrowed for b in narrowed.benchmarks)


def test_another_device_is_no_narrowing(load):
    assert not any(b.is_narrowed for b in narrow(load(TWO), device="cpu").benchmarks)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"corruptions": ["blurr"]},
            "no benchmark of robustness.yaml runs the corruption 'blurr'; did you mean 'blur'?",
        ),
        (
            {"corruptions": ["lighting"]},
            (
                "no benchmark of robustness.yaml runs the corruption 'lighting'; "
                "valid: blur, clean, glare, jpeg"
            ),
        ),
        ({"severities": [2]}, "no benchmark of robustness.yaml runs severity 2; valid: 1, 3"),
        ({"limit_test": 0}, "limit_test must be at least 1, not 0"),
    ],
)
def test_what_no_benchmark_runs_is_an_error(load, asked, message):
    with pytest.raises(ConfigError) as caught:
        narrow(load(TWO), **asked)
    assert str(caught.value) == message
