"""Aggregate items are collected and follow their benchmark; what vanishes is missing."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.plugin.robustness_project import SUITE, Project, only_messages, outcomes

ONE = {"corruptions": "[blur]", "severities": "[1, 3]"}
LIMITS = (
    "all: {false_reject_rate: {max: 0.99}, one_sided: false_alarms}\n"
    "summary: {worst_corruption_pixel_segf1: {min: %s}}"
)
NAMES = ["clean", "blur-severity_1", "blur-severity_3"]
AGGREGATES = ["hazelnut-summary", "hazelnut-complete"]
SUITE_ITEM = "test_line.py::test_robustness[hazelnut-%s]"


@pytest.fixture
def gated(project: Project) -> Project:
    project.yaml(LIMITS % "0.001", **ONE)
    return project


@pytest.fixture
def red(project: Project) -> Project:
    """A project whose summary fails, and nothing else."""
    project.yaml(LIMITS % "1.0", **ONE)
    return project


def collected(project: Project, *args: str) -> list[str]:
    result = project.run("--collect-only", "-q", *args)
    return [line.partition("[")[2][:-1] for line in result.outlines if "::" in line]


def test_they_are_collected_where_they_are_reported(gated: Project) -> None:
    listed = [f"hazelnut-{name}" for name in NAMES] + AGGREGATES
    assert collected(gated) == listed
    result = gated.run("-v", "--junit-xml=junit.xml")
    assert list(outcomes(result)) == listed
    assert set(outcomes(result).values()) == {"passed"}
    result.stdout.fnmatch_lines(["*collected 5 items", "*complete*100%*"])
    result.assert_outcomes(passed=5)
    suite = ET.parse(gated.path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.get("tests") == "5"


def test_their_place_is_that_of_the_test_function(red: Project) -> None:
    red.write(
        "test_line.py",
        "def test_unit():\n    pass\n\n\n"
        "def test_own(robustness_result, robustness_judge):\n"
        "    robustness_judge(robustness_result)\n",
    )
    red.write(
        "conftest.py",
        "def pytest_runtest_logreport(report):\n    print(report.nodeid, report.location[1:])\n",
    )
    result = red.run("-s")
    for name in AGGREGATES:
        line = f"*test_line.py::test_own[[]{name}] (4, 'test_own[[]{name}]')"
        result.stdout.fnmatch_lines([line])


@pytest.mark.parametrize(
    "options",
    [
        ("-k", "clean"),
        ("--deselect", SUITE_ITEM % "summary", "--deselect", SUITE_ITEM % "complete"),
        ("-m", "robustness"),
        ("--ff",),
        ("--sw",),
        ("-p", "randomly"),
        (SUITE_ITEM % "clean",),
    ],
)
def test_nobody_gets_rid_of_them(red: Project, options: tuple[str, ...]) -> None:
    found = red.judged(*options)
    assert "hazelnut-complete" in found
    part = "-k" in options or options[0].endswith("]")
    assert found["hazelnut-summary"] == ("skipped" if part else "failed")


def test_without_their_benchmark_they_are_deselected_with_it(gated: Project) -> None:
    gated.write("test_unit.py", "def test_unit():\n    pass\n")
    result = gated.run("-k", "test_unit")
    assert result.ret == 0
    result.assert_outcomes(passed=1, deselected=5)
    assert not gated.reports.exists()


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_alone_they_are_no_pass(gated: Project, options: tuple[str, ...]) -> None:
    assert gated.run().ret == 0
    run = gated.run_apart if options else gated.run
    result = run("-v", SUITE_ITEM % "complete", *options)
    assert result.ret not in (0, None)
    assert "hazelnut-complete] PASSED" not in result.stdout.str()
    if not options:
        assert outcomes(result) == {"hazelnut-summary": "failed", "hazelnut-complete": "failed"}
        result.stdout.fnmatch_lines(["not judged: *none of them is selected*"])
    only_messages(result)


def test_what_failed_last_is_judged_again_as_a_whole(red: Project) -> None:
    assert red.run("--sw").ret != 0
    for option in ("--lf", "--sw"):
        found = red.judged(option)
        assert found["hazelnut-summary"] == "failed"
        assert len(found) == 5


def test_every_test_that_judges_has_its_own(red: Project) -> None:
    red.write("test_other.py", SUITE)
    red.write("test_third.py", "def test_own(robustness_result):\n    pass\n")
    result = red.run("-v")
    nodes = [line for line in result.outlines if "-summary] FAILED" in line]
    assert len(nodes) == 2
    result.assert_outcomes(passed=3 * 3 + 2, failed=2)
    assert sorted(collected(red, "test_third.py")) == sorted(f"hazelnut-{name}" for name in NAMES)


def test_fixtures_around_them_are_torn_down_in_order(gated: Project) -> None:
    gated.write("test_aaa.py", SUITE)
    gated.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def camera():
            yield
        """,
    )
    result = gated.run("-v")
    assert result.ret == 0
    only_messages(result)


def test_workers_report_each_once(red: Project) -> None:
    result = red.run_apart("-v", "-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        ["*[[]hazelnut-summary] FAILED*80%*", "*[[]hazelnut-complete] PASSED*100%*"]
    )


# ---- items that somebody takes out of the collection ---------------------------------------------


REMOVING = """
    def pytest_collection_modifyitems(items):
        items[:] = [item for item in items if {keep}]
"""


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_an_item_that_was_taken_out_is_missing(gated: Project, options: tuple[str, ...]) -> None:
    gated.write("conftest.py", REMOVING.format(keep='"severity_3" not in item.name'))
    result = (gated.run_apart if options else gated.run)("-v", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*taken out of the collection*: blur-severity_3"])
    assert gated.report()["missing"] == ["blur-severity_3"]
    assert gated.session()["benchmarks"]["hazelnut"]["missing"] == ["blur-severity_3"]


def test_all_items_that_were_taken_out_are_missing(gated: Project) -> None:
    gated.write("test_unit.py", "def test_unit():\n    pass\n")
    gated.write("conftest.py", REMOVING.format(keep='"unit" in item.name'))
    result = gated.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result)["hazelnut-complete"] == "failed"
    assert gated.report()["missing"] == NAMES


def test_an_item_that_is_deselected_is_not(gated: Project) -> None:
    gated.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(config, items):
            config.hook.pytest_deselected(items=items[1:])
            del items[1:]
        """,
    )
    assert gated.judged() == {
        "hazelnut-clean": "passed",
        "hazelnut-summary": "skipped",
        "hazelnut-complete": "skipped",
    }


# ---- configurations that no test is about --------------------------------------------------------


MARKED = "import pytest\n\n@pytest.mark.robustness\ndef test_own():\n    pass\n"
UNUSED = "*robustness.yaml: no test is about it, and nothing that it declares was judged*"


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_a_yaml_without_a_test_is_told_and_is_no_success(
    gated: Project, options: tuple[str, ...]
) -> None:
    run = gated.run_apart if options else gated.run
    gated.write("test_line.py", "def test_unit():\n    pass\n")
    result = run("-m", "robustness", *options)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines([UNUSED])
    gated.write("test_line.py", MARKED)
    result = run("-m", "robustness", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([UNUSED, "*1 passed*"])


def test_of_a_broken_yaml_workers_do_not_say_that_no_test_is_about_it(gated: Project) -> None:
    gated.yaml(extra="colour: red")
    result = gated.run_apart("-n", "1")
    result.stdout.fnmatch_lines(["*unknown key 'colour'*"])
    result.stdout.no_fnmatch_line(UNUSED)


def test_a_yaml_without_a_test_beside_another_is_told(gated: Project) -> None:
    text = (gated.path / "robustness.yaml").read_text("utf-8")
    gated.write("lamps/robustness.yaml", text)
    result = gated.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"lamps/{UNUSED[1:]}"])
    assert "lamps/robustness.yaml: no test" in gated.session()["problem"]
    assert gated.run("-m", "robustness").ret == pytest.ExitCode.TESTS_FAILED


def test_a_run_that_is_about_other_tests_says_nothing(gated: Project) -> None:
    gated.write("test_line.py", "def test_unit():\n    pass\n")
    for options in ((), ("-m", "not robustness"), ("--collect-only", "-m", "robustness")):
        result = gated.run(*options)
        result.stdout.no_fnmatch_line(UNUSED)


def test_what_is_deselected_on_purpose_is_no_failure(gated: Project) -> None:
    result = gated.run("-m", "robustness", "-k", "clean")
    assert result.ret == 0
    result.stdout.no_fnmatch_line(UNUSED)
