"""A wrong YAML fails the robustness items with a message, and nothing else."""

from __future__ import annotations

import pytest

from tests.plugin.robustness_project import Project, only_messages, outcomes

UNIT = "def test_unit():\n    assert True\n"
ONE = {"corruptions": "[blur]", "severities": "[3]"}


@pytest.mark.parametrize(
    ("accept", "changes", "said"),
    [
        ("all: {bg_fpr: {min: 0.1}, one_sided: false_alarms}", {}, "robustness.yaml:8:*bg_fpr*"),
        ("all: {pixel_segf: {min: 0.1}}", {}, "robustness.yaml:8:*pixel_segf1*"),
        (
            "all: {miss_rate: {max: 0.99}, one_sided: misses}",
            {"corruptions": "[lightning]"},
            "*:5:*lighting*",
        ),
        (
            "all: {miss_rate: {max: 0.99}, one_sided: misses}",
            {"severities": "[6]"},
            "robustness.yaml:6:*",
        ),
        (
            "all: {miss_rate: {max: 0.99}, one_sided: misses}",
            {"severities": "[]"},
            "robustness.yaml:6:*",
        ),
        (
            "all: {miss_rate: {max: 0.99}, one_sided: misses}",
            {"extra": "corruptions: [jpeg]"},
            "*:9:*corruptions*",
        ),
        (
            "all: {miss_rate: {max: 0.99}, one_sided: misses}",
            {"extra": "colour: red"},
            "robustness.yaml:9:*colour*",
        ),
        ("clean: {miss_rate: {max: 0.99}}", {}, "*blur*"),
        ("all: {miss_rate: {max: 0.99}", {}, "robustness.yaml:*"),
    ],
)
def test_a_mistake_is_one_failing_item(
    project: Project, accept: str, changes: dict[str, str], said: str
) -> None:
    project.yaml(accept, **{**ONE, **changes})
    project.write("test_unit.py", UNIT)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = outcomes(result)
    assert found.pop("test_unit") == "passed"
    assert len(found) == 1
    assert set(found.values()) <= {"failed", "error"}
    only_messages(result)
    result.stdout.fnmatch_lines([said])
    assert [path.name for path in project.reports.iterdir()] == ["session.json"]
    assert project.session()["problem"] in result.stdout.str()


def test_deselected_robustness_is_not_blocked(project: Project) -> None:
    project.yaml("all: {bg_fpr: {min: 0.1}, one_sided: false_alarms}", **ONE)
    project.write("test_unit.py", UNIT)
    result = project.run("-v", "-m", "not robustness")
    assert result.ret == 0
    assert outcomes(result) == {"test_unit": "passed"}


@pytest.mark.parametrize(
    "text", ["", "schema_version: 1\nbenchmarks: {}\n", "schema_version: 1\n", "[]\n", "\x00"]
)
def test_an_emptied_file_is_no_success(project: Project, text: str) -> None:
    (project.path / "robustness.yaml").write_text(text)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert set(outcomes(result).values()) <= {"failed", "error"}
    assert "robustness.yaml" in only_messages(result)


def test_no_file_at_all(project: Project) -> None:
    project.write("test_unit.py", UNIT)
    result = project.run("-v")
    found = outcomes(result)
    assert found.pop("test_unit") == "passed"
    assert set(found.values()) <= {"failed", "error"}
    text = only_messages(result)
    assert text.count("there is no robustness.yaml") >= 1
    assert "--robustness-config" in text
    assert "robustness: " not in text


def test_a_broken_file_is_no_concern_of_a_project_that_asks_for_nothing(project: Project) -> None:
    project.yaml("all: {bg_fpr: {min: 0.1}, one_sided: false_alarms}", **ONE)
    project.write("test_line.py", UNIT)
    assert project.run().ret == 0
