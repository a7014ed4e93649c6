"""Several robustness.yaml in one repository: the nearest to a test module decides for it."""

from __future__ import annotations

import json

import pytest

from tests.plugin.robustness_project import SUITE, Project, text_of

STRICT = "all: {pixel_segf1: {min: 0.999}, miss_rate: {max: 0.9}}"
DETECTOR = "pixel_gaussian"


@pytest.fixture
def two(project: Project) -> Project:
    """A lenient file in the rootdir, and a strict one of the same benchmark in a package."""
    project.yaml(detector=DETECTOR, corruptions="[blur]")
    project.yaml(STRICT, detector=DETECTOR, corruptions="[blur]", folder="packages/b")
    project.write("packages/b/tests/test_b.py", SUITE)
    return project


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """Return the outcome of every item of a verbose run, by its node id."""
    lines = [line.split() for line in result.outlines if "::" in line]
    words = ("PASSED", "FAILED", "ERROR", "SKIPPED")
    return {w[0]: w[1].lower() for w in lines if len(w) > 1 and w[1] in words}


def test_each_module_is_judged_by_the_file_nearest_to_it(two: Project) -> None:
    found = outcomes(two.run("-v"))
    inner = "packages/b/tests/test_b.py::test_robustness"
    assert found["test_line.py::test_robustness[hazelnut-clean]"] == "passed"
    assert found["test_line.py::test_robustness[hazelnut-complete]"] == "passed"
    assert found[f"{inner}[hazelnut-clean]"] == "failed"
    assert found[f"{inner}[hazelnut-complete]"] == "passed"

    lenient, strict = two.report(), two.report(folder=two.reports / "packages/b")
    assert {v["verdict"] for v in lenient["verdicts"]} == {"pass"}
    assert "fail" in {v["verdict"] for v in strict["verdicts"]}
    assert lenient["complete"]
    assert strict["complete"]
    session = two.session()["benchmarks"]
    assert {k: v["report"] for k, v in session.items()} == {
        "hazelnut": "hazelnut.json",
        "packages/b/hazelnut": "packages/b/hazelnut.json",
    }
    own = json.loads((two.reports / "packages/b/session.json").read_text())["benchmarks"]
    assert own == {"hazelnut": {**session["packages/b/hazelnut"], "report": "hazelnut.json"}}


@pytest.mark.parametrize("place", ["packages/b", "packages/b/tests/test_b.py::test_robustness"])
def test_pytest_called_above_a_package_judges_by_its_file(two: Project, place: str) -> None:
    result = two.run(place)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "robustness: packages/b/robustness.yaml" in text_of(result)
    assert "(packages/b/robustness.yaml:" in text_of(result)
    assert list(two.session()["benchmarks"]) == ["packages/b/hazelnut"]


def test_a_file_that_is_named_decides_for_all(two: Project) -> None:
    result = two.run("--robustness-config=robustness.yaml")
    assert result.ret == 0
    assert list(two.session()["benchmarks"]) == ["hazelnut"]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_output_names_the_file_of_every_benchmark(
    two: Project, workers: tuple[str, ...]
) -> None:
    text = text_of(two.run(*workers))
    assert "hazelnut (robustness.yaml): " in text
    assert "packages/b/hazelnut (packages/b/robustness.yaml): " in text
    if not workers:
        assert "robustness: robustness.yaml decides for test_line.py" in text
        assert (
            "robustness: packages/b/robustness.yaml decides for packages/b/tests/test_b.py" in text
        )


def test_workers_find_what_one_process_finds_of_each_file(two: Project) -> None:
    two.run()
    alone = [two.report(folder=folder) for folder in (two.reports, two.reports / "packages/b")]
    two.forget()
    result = two.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    shared = [two.report(folder=folder) for folder in (two.reports, two.reports / "packages/b")]
    for first, second in zip(alone, shared, strict=True):
        assert [v["value"] for v in first["verdicts"]] == [v["value"] for v in second["verdicts"]]
        assert second["complete"]
    assert set(two.session()["benchmarks"]) == {"hazelnut", "packages/b/hazelnut"}


def test_workers_find_a_file_that_lies_below_where_pytest_was_called_alone(two: Project) -> None:
    (two.path / "robustness.yaml").unlink()
    (two.path / "test_line.py").unlink()
    result = two.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "robustness: packages/b/robustness.yaml" in text_of(result)
    assert two.report(folder=two.reports / "packages/b")["complete"]
