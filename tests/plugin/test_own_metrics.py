"""Metrics of one's own in a project: every way to run it measures and judges them alike."""

from __future__ import annotations

import pytest

from pytest_robustbench.reports.file.integrity import read_comparable
from tests.plugin.robustness_project import Project, condition, only_messages, outcomes

MODULE = """\
import pytest_robustbench as rb


@rb.register_metric(more_is_better=False, meaning="good parts that light up", level="pixel",
                    rests_on="normal", sees=("false alarms",))
def project_lit(outcomes):
    background = outcomes.fp + outcomes.tn
    return outcomes.fp > SHARE * background, background > 0
"""
METRICS = 'metrics: ["project_metrics:project_lit"]\n'
ACCEPT = """\
all: {project_lit: {max: 0.99}, miss_rate: {max: 0.99}, one_sided: misses}
clean: {project_lit: {max: 0}}
summary: {worst_corruption_project_lit: {max: 0.99}}
"""
FEW = {"corruptions": "[blur]", "severities": "[3]", "extra": METRICS}


@pytest.fixture
def project(project: Project) -> Project:
    project.write("project_metrics.py", MODULE.replace("SHARE", "0.0"))
    project.yaml(ACCEPT, **FEW)
    return project


def values(project: Project) -> dict[str, object]:
    report = project.report()
    names = ("clean", "blur-severity_3")
    return {name: condition(report, name)["own_metrics"]["project_lit"] for name in names}


def test_a_limit_on_it_fails_the_item_of_its_condition(project: Project) -> None:
    result = project.run("-v")

    assert outcomes(result)["hazelnut-clean"] == "failed"
    assert outcomes(result)["hazelnut-blur-severity_3"] == "passed"
    assert "project_lit = " in only_messages(result)
    stored = read_comparable(project.reports / "hazelnut.json")
    (clean,) = (v for v in stored.verdicts if (v.condition, v.limit.metric) == CLEAN)
    assert clean.outcome == "fail"
    assert clean.value > 0
    assert clean.interval[1] >= clean.value
    header = (project.reports / "conditions.csv").read_text("utf-8-sig").splitlines()[0]
    assert "project_lit" in header.split(",")


CLEAN = ("clean", "project_lit")


def test_workers_and_a_resumed_run_come_to_the_same(project: Project) -> None:
    project.run()
    alone = values(project)
    project.forget()

    only_messages(project.run_apart("-n", "2"))
    assert values(project) == alone
    only_messages(project.run("--robustness-resume"))
    assert values(project) == alone


def test_a_metric_more_is_measured_and_not_missed_in_what_is_taken_over(project: Project) -> None:
    project.write("conftest.py", "import project_metrics\n")  # the same code in both runs
    few = {**FEW, "extra": "", "detector": "pixel_gaussian"}
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}\n", **few)
    project.run()
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nblur: {project_lit: {max: 0.99}}\n",
        **few | {"extra": METRICS},
    )

    result = project.run("-v", "--robustness-resume")

    assert set(outcomes(result).values()) == {"passed"}
    assert values(project)["clean"]["value"] is not None


def test_one_that_raises_is_an_error_of_every_condition(project: Project) -> None:
    project.write("broken_metrics.py", MODULE.replace("SHARE", "1 / 0").replace("_lit", "_cut"))
    accept = "all: {project_cut: {max: 0.99}, miss_rate: {max: 0.99}, one_sided: misses}\n"
    project.yaml(accept, **{**FEW, "extra": 'metrics: ["broken_metrics:project_cut"]\n'})

    result = project.run("-v")

    assert set(outcomes(result).values()) == {"error", "failed"}
    assert "raised ZeroDivisionError" in only_messages(result)


def test_one_that_cannot_be_imported_stops_pytest_with_its_place(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n",
        **{**FEW, "extra": 'metrics: ["nowhere:lit"]\n'},
    )

    result = project.run()

    assert result.ret != 0
    assert "robustness.yaml:9:11: metric 'nowhere:lit' cannot be imported" in only_messages(result)
