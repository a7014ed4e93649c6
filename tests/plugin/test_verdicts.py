"""Limits decide, and a failure says all there is to know."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import cv2
import pytest

from tests.plugin.robustness_project import condition, only_messages, outcomes

if TYPE_CHECKING:
    from tests.plugin.robustness_project import Project

ONE = {"corruptions": "[lighting]", "severities": "[1, 3]"}
OPEN = "all: {miss_rate: {max: 0.99}, one_sided: misses}"


def measured(project: Project, name: str, metric: str) -> float:
    record = condition(project.report(), name)
    value = record["results"]["pixel_metrics"][metric]
    assert isinstance(value, float)
    return value


def test_a_limit_decides_its_own_item_only(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    assert project.run().ret == 0
    value = measured(project, "lighting-severity_3", "pixel_segf1")
    assert 0 < value < 0.99
    text = OPEN + "\nlighting: {severity_3: {pixel_segf1: {min: LIMIT}}}"
    project.yaml(text.replace("LIMIT", repr(value * (1 - 1e-9))), **ONE)
    assert set(project.judged().values()) == {"passed"}
    project.yaml(text.replace("LIMIT", repr(value * (1 + 1e-9))), **ONE)
    found = project.judged()
    assert [name for name, outcome in found.items() if outcome == "failed"] == [
        "hazelnut-lighting-severity_3"
    ]


def test_the_failure_names_value_limit_distance_source_and_pictures(project: Project) -> None:
    project.yaml(
        """\
        all: {miss_rate: {max: 0.99}, one_sided: misses}
        lighting:
          severity_3: {pixel_segf1: {min: 1.0}, bg_fpr: {max: 0.0}}
        """,
        **ONE,
    )
    result = project.run()
    text = only_messages(result)
    for metric, limit in (("pixel_segf1", 1.0), ("bg_fpr", 0.0)):
        value = measured(project, "lighting-severity_3", metric)
        shown = re.search(rf"{metric} = (\S+) is (\S+) (?:below|above)", text)
        assert shown is not None
        assert float(shown[1]) == pytest.approx(value, rel=0.01)
        assert float(shown[2]) == pytest.approx(abs(value - limit), rel=0.1)
    result.stdout.fnmatch_lines(
        [
            "*pixel_segf1 = * below the floor 1 (robustness.yaml:10)*",
            "*bg_fpr = * above the ceiling 0 (robustness.yaml:10)*",
        ]
    )
    pictures = sorted((project.reports / "hazelnut" / "lighting-severity_3").glob("*.png"))
    kinds = [picture.name.partition("-")[0] for picture in pictures]
    assert kinds == ["bg_fpr"] * 3 + ["pixel_segf1"] * 3
    for picture in pictures:
        assert str(picture) in text
        pixels = cv2.imread(str(picture))
        assert pixels.shape[0] == 48
        assert pixels.shape[1] > 3 * 48


def rerun_command(result: pytest.RunResult) -> list[str]:
    lines = result.outlines
    return shlex.split(lines[lines.index("run it again:") + 1])


@pytest.mark.parametrize(
    "options", [(), ("--robustness-limit-test=5",), ("--robustness-profile=pr",)]
)
def test_the_quoted_command_repeats_exactly_this_item(
    project: Project, options: tuple[str, ...]
) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n"
        "lighting: {severity_3: {bg_fpr: {max: 0.0}}}",
        extra="profiles: {pr: {limit_test: 6}}",
        **ONE,
    )
    result = project.run(*options)
    first = condition(project.report(), "lighting-severity_3")
    program, *arguments = rerun_command(result)
    assert program == "pytest"
    again = project.run("-v", *arguments)
    assert outcomes(again) == {
        "hazelnut-lighting-severity_3": "failed",
        "hazelnut-complete": "skipped",
    }
    second = condition(project.report(folder=project.reports / "rerun"), "lighting-severity_3")
    assert second["per_image"] == first["per_image"]
    assert second["results"]["pixel_metrics"] == first["results"]["pixel_metrics"]
    assert second["data_digest"] == first["data_digest"]


def test_the_command_works_from_a_folder_with_spaces_and_a_config_elsewhere(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.yaml("all: {bg_fpr: {max: 0.0}, one_sided: false_alarms}", **ONE)
    folder = project.path / "two words"
    folder.mkdir()
    for name in ("robustness.yaml", "line_models.py"):
        (project.path / name).rename(folder / name)
    result = project.run("-k", "clean", "--robustness-config=two words/robustness.yaml")
    again = project.run("-v", *rerun_command(result)[1:])
    assert outcomes(again)["hazelnut-clean"] == "failed"


def test_measure_only_is_measured_and_skipped(project: Project) -> None:
    project.yaml(
        "lighting: {severity_1: {miss_rate: {max: 0.99}, one_sided: misses}}",
        extra="measure_only: [clean, lighting-severity_3]",
        **ONE,
    )
    result = project.run("-v", "-rs")
    assert result.ret == 0
    assert outcomes(result) == {
        "hazelnut-clean": "skipped",
        "hazelnut-lighting-severity_1": "passed",
        "hazelnut-lighting-severity_3": "skipped",
        "hazelnut-complete": "passed",
    }
    result.stdout.fnmatch_lines(["SKIPPED*measured, no limit"])
    assert condition(project.report(), "lighting-severity_3")["results"]["pixel_metrics"]
    assert project.report()["complete"]


@pytest.mark.parametrize("options", [(), ("-x",), ("--maxfail=1",), ("--reruns=1",)])
def test_summary_limits_are_an_item(project: Project, options: tuple[str, ...]) -> None:
    text = OPEN + "\nsummary: {mean_corruption_pixel_segf1: {min: LIMIT}}"
    project.yaml(text.replace("LIMIT", "0.001"), **ONE)
    assert project.judged(*options)["hazelnut-summary"] == "passed"
    project.yaml(text.replace("LIMIT", "1.0"), **ONE)
    result = project.run("-v", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = outcomes(result)
    assert found.pop("hazelnut-summary") == "failed"
    assert set(found.values()) == {"passed"}
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "summary: mean_corruption_pixel_segf1 = * below the floor 1 (robustness.yaml:*); 6 *",
            "FAILED test_line.py::test_robustness?hazelnut-summary?*",
        ]
    )
    verdicts = {v["metric"]: v["verdict"] for v in project.report()["verdicts"]}
    assert verdicts["mean_corruption_pixel_segf1"] == "fail"
    # The report says so itself: it is told once.
    assert project.session()["benchmarks"]["hazelnut"]["problems"] == []


def test_a_limit_on_what_cannot_be_measured_fails(project: Project) -> None:
    """Without a defect image there is no SegF1: no number, and no pass."""
    project.write(
        "conftest.py",
        f"""
        from dataclasses import replace
        import pytest
        from pytest_robustbench import load_split

        @pytest.fixture(scope="session")
        def robustness_dataset():
            split = load_split("mvtec", root={str(project.data)!r}, category="brushed_metal")
            return replace(split, test=tuple(s for s in split.test if s.label == 0))
        """,
    )
    project.yaml("all: {pixel_segf1: {min: 0.001}, one_sided: misses}", dataset="fixture", **ONE)
    result = project.run("-v")
    found = outcomes(result)
    assert found["hazelnut-clean"] == "failed"
    assert found["hazelnut-lighting-severity_1"] == "failed"
    result.stdout.fnmatch_lines(["pixel_segf1 cannot be measured: *robustness.yaml:8*"])
    only_messages(result)
    assert condition(project.report(), "clean")["results"]["pixel_metrics"]["pixel_segf1"] is None
