"""Nothing ends green that was not judged."""

from __future__ import annotations

import pytest

from tests.plugin.robustness_project import Project, only_messages, outcomes, text_of

ONE = {"corruptions": "[blur]", "severities": "[1, 3]"}
ALL = ["clean", "blur-severity_1", "blur-severity_3"]


@pytest.fixture
def gated(project: Project) -> Project:
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}", **ONE)
    return project


def test_a_full_run_is_complete(gated: Project) -> None:
    assert gated.judged()["hazelnut-complete"] == "passed"
    report = gated.report()
    assert (report["complete"], report["missing"], report["narrowed"]) == (True, [], [])


def test_a_deselected_run_is_not_judged_and_no_failure(gated: Project) -> None:
    result = gated.run("-v", "-rs", "-k", "clean or severity_3")
    assert result.ret == 0
    assert outcomes(result) == {
        "hazelnut-clean": "passed",
        "hazelnut-blur-severity_3": "passed",
        "hazelnut-complete": "skipped",
    }
    result.stdout.fnmatch_lines(["SKIPPED*not judged: 1 of 3 conditions are deselected"])
    report = gated.report()
    assert not report["complete"]
    assert report["missing"] == ["blur-severity_1"]


def test_summary_limits_of_a_deselected_run_are_not_judged(project: Project) -> None:
    project.yaml(
        "summary: {mean_corruption_pixel_segf1: {min: 1}, one_sided: misses}",
        **ONE,
        extra="measure_only: [clean, blur]",
    )
    result = project.run("-v", "-k", "clean")
    assert result.ret == 0
    assert outcomes(result)["hazelnut-summary"] == "skipped"
    assert not [v for v in project.report()["verdicts"] if v["condition"] == "summary"]


def test_stopping_at_the_first_failure_leaves_the_rest_missing(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\nclean: {pixel_segf1: {min: 1.0}}",
        **ONE,
    )
    result = project.run("-v", "-x")
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert outcomes(result) == {"hazelnut-clean": "failed", "hazelnut-complete": "failed"}
    result.stdout.fnmatch_lines(["*without a verdict: blur-severity_1, blur-severity_3"])
    assert project.report()["missing"] == ALL[1:]


SKIPPING = """
import pytest

@pytest.fixture(autouse=True)
def gate(request):
    if "blur" in request.node.name:
        pytest.skip("not today")
"""
RAISING = SKIPPING.replace('pytest.skip("not today")', 'raise OSError("no camera")')
SKIP_MARK = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if "blur" in item.name:
            item.add_marker(pytest.mark.skip)
"""


@pytest.mark.parametrize("conftest", [SKIPPING, RAISING, SKIP_MARK])
def test_an_item_that_never_measures_is_missing(gated: Project, conftest: str) -> None:
    gated.write("conftest.py", conftest)
    result = gated.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = outcomes(result)
    assert found["hazelnut-clean"] == "passed"
    assert found["hazelnut-complete"] == "failed"
    result.stdout.fnmatch_lines(["*without a verdict: blur-severity_1, blur-severity_3"])
    assert gated.report()["missing"] == ALL[1:]


@pytest.mark.parametrize("returncode", [0, 3])
def test_an_exit_in_the_middle_never_ends_green(gated: Project, returncode: int) -> None:
    gated.write(
        "conftest.py",
        f"""
        import pytest

        @pytest.fixture(autouse=True)
        def gate(request):
            if "severity_3" in request.node.name:
                pytest.exit("the shift is over", returncode={returncode})
        """,
    )
    result = gated.run("-v")
    assert result.ret == (returncode or pytest.ExitCode.TESTS_FAILED)
    assert outcomes(result)["hazelnut-complete"] == "failed"
    assert gated.report()["missing"] == ["blur-severity_3"]
    assert gated.session()["exit_status"] == result.ret


@pytest.mark.parametrize("root", ["/nowhere/at/all", "${UNSET_DATA_ROOT}"])
def test_missing_data(project: Project, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET_DATA_ROOT", raising=False)
    dataset = f"{{format: mvtec, root: '{root}', category: nut}}"
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n"
        "summary: {mean_corruption_pixel_segf1: {min: 0.001}}",
        dataset=dataset,
        **ONE,
    )
    skipping = project.run("-v", "-rs", "--robustness-missing-data=skip")
    assert skipping.ret == 0
    assert set(outcomes(skipping).values()) == {"skipped"}
    assert len(outcomes(skipping)) == 5
    skipping.stdout.fnmatch_lines(["*hazelnut: NOT JUDGED, the data are missing*"])
    only_messages(skipping)
    assert not project.report()["complete"]

    failing = project.run("-v")
    assert failing.ret == pytest.ExitCode.TESTS_FAILED
    assert not {"passed", "skipped"} & set(outcomes(failing).values())
    assert root.strip("${}") in only_messages(failing)
    assert not project.report()["complete"]


def test_own_test_that_judges_nothing_fails_the_benchmark(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, "
        "one_sided: misses}\nblur: {severity_3: {pixel_segf1: {min: 1.0}}}",
        **ONE,
    )
    project.write(
        "test_line.py",
        """
        def test_own(robustness_result):
            assert robustness_result.metrics["pixel_segf1"] is not None
        """,
    )
    result = project.run("-v")
    assert outcomes(result) == {
        "hazelnut-clean": "passed",
        "hazelnut-blur-severity_1": "passed",
        "hazelnut-blur-severity_3": "passed",
        "hazelnut-complete": "failed",
    }
    result.stdout.fnmatch_lines(
        [
            "*no test failed of them*",
            "blur-severity_3: pixel_segf1 = * below the floor 1 (robustness*",
        ]
    )


@pytest.mark.parametrize("option", ["--fixtures", "--fixtures-per-test", "--collect-only"])
def test_what_only_lists_leaves_the_last_run_as_it_is(project: Project, option: str) -> None:
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}", **ONE)
    assert project.run().ret == 0
    session = (project.reports / "session.json").read_bytes()
    assert project.run("-m", "robustness", option).ret == 0
    assert (project.reports / "session.json").read_bytes() == session


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only"])
def test_setting_up_alone_measures_nothing(project: Project, option: str) -> None:
    log = project.path / "calls.log"
    detector = f"{{name: 'line_models:MeanDetector', kwargs: {{log: '{log}'}}}}"
    project.yaml("all: {miss_rate: {max: 0.99}, one_sided: misses}", detector=detector, **ONE)
    project.write("test_own.py", "def test_own(robustness_threshold):\n    pass\n")
    result = project.run(option, "-v")
    assert result.ret == 0, text_of(result)
    assert "passed" not in outcomes(result).values()
    result.stdout.no_fnmatch_line("*hazelnut-complete*")
    only_messages(result)
    assert not log.exists()
    assert not project.reports.exists()
