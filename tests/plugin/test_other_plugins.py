"""Beside other plugins: benchmark, rerunfailures, randomly."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.plugin.robustness_project import Project, condition, only_messages, outcomes

ONE = {"corruptions": "[lighting]", "severities": "[1, 3]"}
NAMES = ["clean", "lighting-severity_1", "lighting-severity_3"]


@pytest.fixture
def calls(project: Project) -> str:
    return str(project.path / "calls.log")


def counted(calls: str) -> str:
    return f"{{name: 'line_models:MeanDetector', kwargs: {{log: '{calls}'}}}}"


@pytest.mark.parametrize(
    "options", [("--benchmark-skip",), ("--benchmark-disable",), ("-p", "no:benchmark"), ()]
)
def test_limits_are_judged_whatever_benchmark_does(
    project: Project, options: tuple[str, ...]
) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nclean: {pixel_segf1: {min: 1.0}}",
        **ONE,
    )
    result = project.run("-v", *options)
    assert outcomes(result) == {
        "hazelnut-clean": "failed",
        "hazelnut-lighting-severity_1": "passed",
        "hazelnut-lighting-severity_3": "passed",
        "hazelnut-complete": "passed",
    }
    only_messages(result)


def test_benchmark_only_leaves_nothing_green(project: Project) -> None:
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}", **ONE)
    result = project.run("-v", "--benchmark-only")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "passed" not in outcomes(result).values()
    assert outcomes(result)["hazelnut-complete"] == "failed"


def test_timings_are_published_as_they_were_measured(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nclean: {pixel_segf1: {min: 1.0}}",
        **ONE,
    )
    result = project.run("--benchmark-json=bench.json")
    report = project.report()
    published = json.loads((project.path / "bench.json").read_text())["benchmarks"]
    by_name = {b["name"]: b for b in published}
    assert sorted(by_name) == sorted(f"test_robustness[hazelnut-{name}]" for name in NAMES)
    for name in NAMES:
        stats = by_name[f"test_robustness[hazelnut-{name}]"]["stats"]
        latency = condition(report, name)["latency"]
        assert stats["rounds"] == latency["count"] == len(report["samples"]["id"])
        assert stats["mean"] * 1e3 == pytest.approx(latency["mean_ms"], rel=1e-6)
        assert stats["median"] * 1e3 == pytest.approx(latency["median_ms"], rel=1e-6)
    result.stdout.fnmatch_lines(["*benchmark 'robustness': 3 tests*"])


def test_reruns_return_the_first_result(project: Project, calls: str) -> None:
    limits = "all: {miss_rate: {max: 0.99}, one_sided: misses}\nclean: {pixel_segf1: {min: 1.0}}"
    project.yaml(limits, detector=counted(calls), **ONE)
    first = project.run("-v")
    (project.path / "calls.log").rename(project.path / "once.log")
    again = project.run("-v", "--reruns=2", "--junit-xml=junit.xml")
    assert again.ret == first.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(again) == outcomes(first)
    assert again.parseoutcomes()["rerun"] == 2
    once, more = ((project.path / n).read_text() for n in ("once.log", "calls.log"))
    assert more.splitlines() == once.splitlines()
    for case in ET.parse(project.path / "junit.xml").getroot().iter("testcase"):
        named = [p.get("name") for p in case.iter("property")]
        assert len(named) == len(set(named))


def test_reruns_of_an_unusable_detector_do_not_fit_again(project: Project, calls: str) -> None:
    detector = (
        counted(calls)
        .replace("MeanDetector", "FaultyDetector")
        .replace("{log", "{fault: constant, log")
    )
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}", detector=detector, **ONE)
    result = project.run("-v", "--reruns=2")
    assert set(outcomes(result).values()) <= {"failed", "error"}
    assert "constant" in only_messages(result)
    lines = (project.path / "calls.log").read_text().splitlines()
    assert [line for line in lines if line.startswith("fit")] == ["fit 12"]


def test_random_order_changes_no_number(project: Project) -> None:
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}", **ONE)
    assert project.run().ret == 0
    ordered = project.report()
    orders = set()
    for seed in (1, 2):
        result = project.run("-v", "-p", "randomly", f"--randomly-seed={seed}")
        assert result.ret == 0
        orders.add(tuple(outcomes(result)))
        for name in NAMES:
            assert_same_measurement(condition(project.report(), name), condition(ordered, name))
    assert orders != {tuple(f"hazelnut-{name}" for name in (*NAMES, "complete"))}


def assert_same_measurement(one: dict, other: dict) -> None:
    assert one["data_digest"] == other["data_digest"]
    assert one["per_image"] == other["per_image"]
    assert one["results"] == other["results"]
