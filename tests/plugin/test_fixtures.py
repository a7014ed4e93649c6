"""The robustness_* fixtures in a project's own tests, and overriding them."""

from __future__ import annotations

import pytest

from tests.plugin.robustness_project import SUITE, Project, only_messages, outcomes

ONE = {"corruptions": "[blur]", "severities": "[3]"}
OPEN = "all: {miss_rate: {max: 0.99}, one_sided: misses}"
OWN_DETECTOR = """
import pytest
from tests.plugin.line_models import MeanDetector

@pytest.fixture(scope="session")
def robustness_detector(robustness_benchmark):
    return MeanDetector()
"""
OWN_DATASET = """
import pytest
from pytest_robustbench import load_split

@pytest.fixture(scope="session")
def robustness_dataset():
    return load_split("mvtec", root={root!r}, category="brushed_metal")
"""


def own_dataset(project: Project) -> str:
    return OWN_DATASET.format(root=str(project.data))


def nothing_green(project: Project) -> str:
    """Run; assert that no condition passed and that there are only messages; return them."""
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "passed" not in outcomes(result).values()
    return only_messages(result)


def test_overriding_both(project: Project) -> None:
    project.yaml(OPEN, detector="fixture", dataset="fixture", **ONE)
    project.write("conftest.py", OWN_DETECTOR + own_dataset(project))
    assert set(project.judged().values()) == {"passed"}
    assert len(project.report()["samples"]["id"]) == 9


@pytest.mark.parametrize("part", ["detector", "dataset"])
def test_an_override_that_is_not_announced(project: Project, part: str) -> None:
    project.yaml(OPEN, **ONE)
    project.write("conftest.py", OWN_DETECTOR if part == "detector" else own_dataset(project))
    text = nothing_green(project)
    assert f"a conftest.py overrides robustness_{part}" in text
    assert f"{part}: fixture" in text
    assert "robustness.yaml:" in text


@pytest.mark.parametrize("part", ["detector", "dataset"])
def test_an_announced_override_that_is_not_there(project: Project, part: str) -> None:
    project.yaml(OPEN, **{part: "fixture"}, **ONE)  # type: ignore[arg-type]
    text = nothing_green(project)
    assert f"robustness_{part}; none does" in text


@pytest.mark.parametrize("part", ["detector", "dataset"])
def test_two_different_overrides_for_one_benchmark(project: Project, part: str) -> None:
    project.yaml(OPEN, **{part: "fixture"}, **ONE)  # type: ignore[arg-type]
    (project.path / "test_line.py").unlink()
    conftest = OWN_DETECTOR if part == "detector" else own_dataset(project)
    for folder in ("one", "two"):
        project.write(f"{folder}/conftest.py", conftest)
        project.write(f"{folder}/test_{folder}.py", SUITE)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"two different overrides of robustness_{part}" in only_messages(result)


def test_one_override_may_be_made_again(project: Project) -> None:
    """pytest tears a session fixture down and makes it anew when its parameter changes."""
    project.write(
        "robustness.yaml",
        f"""
        schema_version: 1
        defaults:
          dataset: {{format: mvtec, root: '{project.data}', category: brushed_metal}}
          detector: fixture
          corruptions: [blur]
          severities: [3]
          accept: {{{OPEN}}}
        benchmarks: {{nuts: {{}}, caps: {{}}}}
        """,
    )
    project.write("conftest.py", OWN_DETECTOR)
    project.write("test_other.py", SUITE)
    found = project.judged()
    assert set(found.values()) == {"passed"}
    assert {"nuts-complete", "caps-complete"} < set(found)

    project.write("conftest.py", OWN_DETECTOR.replace("(robustness_benchmark)", "()"))
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = outcomes(result)
    assert found["nuts-clean"] == "passed"
    assert {found["caps-clean"], found["caps-complete"]} <= {"failed", "error"}
    assert "were given the same detector instance" in only_messages(result)


@pytest.mark.parametrize(
    ("made", "said"), [("None", "NoneType"), ("object()", "object"), ("MeanDetector", "class")]
)
def test_an_override_that_is_no_detector(project: Project, made: str, said: str) -> None:
    project.yaml(OPEN, detector="fixture", **ONE)
    project.write("conftest.py", OWN_DETECTOR.replace("MeanDetector()", made))
    assert said in nothing_green(project)


def test_an_override_that_is_no_split(project: Project) -> None:
    project.yaml(OPEN, dataset="fixture", **ONE)
    project.write("conftest.py", OWN_DATASET.partition("    return")[0] + "    return 'images/'")
    assert "robustness_dataset must return a Split, not str" in nothing_green(project)


def test_own_tests_over_the_same_conditions(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    project.write(
        "test_own.py",
        """
        def test_result(robustness_result, robustness_condition):
            assert robustness_result.condition == robustness_condition

        def test_condition(robustness_condition):
            assert robustness_condition.id in ("clean", "blur-severity_3")

        def test_threshold(robustness_threshold):
            assert robustness_threshold.n_images == 3

        def test_benchmark(robustness_benchmark):
            assert [c.id for c in robustness_benchmark.conditions] == ["clean", "blur-severity_3"]

        def test_parts(robustness_dataset, robustness_detector):
            assert len(robustness_dataset.test) == 9
            assert robustness_detector.predict
        """,
    )
    result = project.run("-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        [
            "test_own.py::test_result?hazelnut-clean? PASSED*",
            "test_own.py::test_result?hazelnut-blur-severity_3? PASSED*",
            "test_own.py::test_condition?hazelnut-clean? PASSED*",
            "test_own.py::test_threshold?hazelnut? PASSED*",
            "test_own.py::test_benchmark?hazelnut? PASSED*",
            "test_own.py::test_parts?hazelnut? PASSED*",
        ]
    )
    assert result.parseoutcomes() == {"passed": 2 + 1 + 2 + 2 + 1 + 1 + 1}


def test_own_test_may_judge_with_the_fixture(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nblur: {pixel_segf1: {min: 1.0}}", **ONE
    )
    project.write(
        "test_line.py",
        """
        def test_own(robustness_result, robustness_judge):
            robustness_judge(robustness_result)
        """,
    )
    assert project.judged() == {
        "hazelnut-clean": "passed",
        "hazelnut-blur-severity_3": "failed",
        "hazelnut-complete": "passed",
    }


def test_unittest_cases_are_told_why_not(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    project.write(
        "test_line.py",
        """
        import unittest
        import pytest

        @pytest.mark.usefixtures("robustness_result")
        class TestLine(unittest.TestCase):
            def test_line(self):
                self.assertTrue(True)
        """,
    )
    assert "unittest.TestCase methods are never parametrized" in nothing_green(project)


def test_asking_dynamically_is_told_why_not(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    project.write(
        "test_line.py",
        """
        def test_line(request):
            request.getfixturevalue("robustness_result")
        """,
    )
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = only_messages(result)
    assert "pytest cannot parametrize it over the conditions" in text
    assert "KeyError" not in text


def test_an_overridden_threshold_is_an_error(project: Project) -> None:
    project.yaml(OPEN, **ONE)
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def robustness_threshold():
            return 0.5
        """,
    )
    text = nothing_green(project)
    assert "robustness_threshold" in text
    assert "KeyError" not in text
