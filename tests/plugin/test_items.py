"""Which items there are, and how they are selected."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.plugin.robustness_project import SUITE, outcomes

if TYPE_CHECKING:
    from tests.plugin.robustness_project import Project

IDS = [
    "hazelnut-clean",
    "hazelnut-lighting-severity_1",
    "hazelnut-lighting-severity_3",
    "hazelnut-blur-severity_1",
    "hazelnut-blur-severity_3",
]
COMPLETE = "test_line.py::test_robustness[hazelnut-complete]"
TWO = """\
schema_version: 1
defaults:
  dataset: {{format: mvtec, root: '{data}', category: brushed_metal}}
  detector: {{name: "line_models:MeanDetector"}}
  corruptions: [blur]
  severities: [1]
  accept: {{all: {{bg_fpr: {{max: 0.99}}, one_sided: false_alarms}}}}
benchmarks: {{nuts: {{}}, caps: {{}}}}
"""


def collected(project: Project, *args: str) -> list[str]:
    result = project.run("--collect-only", "-q", *args)
    return [line for line in result.outlines if "::" in line]


def test_ids_are_stable_ascii_and_in_declared_order(project: Project) -> None:
    project.yaml()
    expected = [*(f"test_line.py::test_robustness[{name}]" for name in IDS), COMPLETE]
    assert collected(project) == expected
    assert collected(project) == expected


def test_collecting_looks_at_no_image_and_writes_nothing(project: Project) -> None:
    project.yaml(dataset="{format: mvtec, root: /nowhere/at/all, category: nut}")
    assert len(collected(project)) == len(IDS) + 1
    project.yaml(dataset="{format: mvtec, root: '${UNSET_DATA_ROOT}', category: nut}")
    result = project.run("--collect-only")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*NOT JUDGED*")
    assert not project.reports.exists()


def test_marks_and_keywords_select(project: Project) -> None:
    project.yaml(severities="[3, 5]")
    project.write("test_unit.py", "def test_unit():\n    assert True\n")
    everything = collected(project)
    assert "test_unit.py::test_unit" in everything
    assert collected(project, "-m", "robustness") == everything[:-1]
    assert collected(project, "-m", "not robustness") == ["test_unit.py::test_unit"]
    assert collected(project, "-m", "robustness(severity=5)") == [
        "test_line.py::test_robustness[hazelnut-lighting-severity_5]",
        "test_line.py::test_robustness[hazelnut-blur-severity_5]",
        COMPLETE,
    ]
    assert collected(project, "-m", 'robustness(corruption="blur", severity=3)') == [
        "test_line.py::test_robustness[hazelnut-blur-severity_3]",
        COMPLETE,
    ]
    assert collected(project, "-k", "lighting and severity_3") == [
        "test_line.py::test_robustness[hazelnut-lighting-severity_3]",
        COMPLETE,
    ]
    assert collected(project, "test_line.py::test_robustness[hazelnut-clean]") == [
        "test_line.py::test_robustness[hazelnut-clean]"
    ]


def test_last_failed_reruns_what_failed_and_the_aggregate_is_not_judged(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n"
        "blur: {severity_3: {pixel_segf1: {min: 1.0}}}"
    )
    first = project.judged()
    assert first.pop("hazelnut-blur-severity_3") == "failed"
    assert set(first.values()) == {"passed"}
    assert project.judged("--lf") == {
        "hazelnut-blur-severity_3": "failed",
        "hazelnut-complete": "skipped",
    }


def test_junit_names_the_failing_metric(project: Project) -> None:
    project.yaml(
        """\
        all: {miss_rate: {max: 0.99}, one_sided: misses}
        blur: {pixel_segf1: {min: 1.0}}
        summary: {worst_corruption_pixel_segf1: {min: 1.0}}
        """
    )
    project.run("--junit-xml=junit.xml")
    suite = ET.parse(project.path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("7", "3")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["test_robustness[hazelnut-blur-severity_1]"].find("failure")
    assert failure is not None
    assert "pixel_segf1" in (failure.text or "")
    summary = cases["test_robustness[hazelnut-summary]"].find("failure")
    assert summary is not None
    assert "worst_corruption_pixel_segf1" in (summary.text or "")
    properties = {
        p.get("name"): p.get("value")
        for p in cases["test_robustness[hazelnut-blur-severity_1]"].iter("property")
    }
    assert 0 <= float(properties["pixel_segf1"] or "nan") <= 1


def test_items_of_a_benchmark_stay_together(project: Project) -> None:
    project.write("robustness.yaml", TWO.format(data=project.data))
    project.write("test_other.py", SUITE)
    project.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items):
            items[:] = items[::2] + items[1::2]
        """,
    )
    names = [line.partition("[")[2].partition("-")[0] for line in collected(project)]
    assert len(names) == 12
    assert names[:6] == [names[0]] * 6
    assert names[6:] == [names[6]] * 6
    assert names[0] != names[6]


def test_two_modules_measure_once(project: Project) -> None:
    log = project.path / "calls.log"
    project.yaml(detector=f"{{name: 'line_models:MeanDetector', kwargs: {{log: '{log}'}}}}")
    assert project.run().ret == 0
    once = log.read_text().splitlines()
    log.unlink()
    project.write("test_other.py", SUITE)
    result = project.run("-v")
    assert result.ret == 0
    assert log.read_text().splitlines() == once
    assert len(outcomes(result)) == len(IDS) + 1


def test_two_benchmarks_are_fitted_once_each(project: Project) -> None:
    log = project.path / "calls.log"
    detector = f"{{name: 'line_models:MeanDetector', kwargs: {{log: '{log}'}}}}"
    text = TWO.format(data=project.data)
    project.write(
        "robustness.yaml",
        text.replace('{name: "line_models:MeanDetector"}', detector).replace(
            "caps: {}", "caps: {corruptions: [blur, jpeg], severities: [2, 4]}"
        ),
    )
    found = project.judged()
    assert len(found) == 2 + 1 + 5 + 1
    assert set(found.values()) == {"passed"}
    calls = log.read_text().splitlines()
    assert [call for call in calls if call.startswith("fit")] == ["fit 12", "fit 12"]
