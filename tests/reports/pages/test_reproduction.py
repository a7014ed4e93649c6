"""The command that measures one condition of a report again, as a shell would read it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.reports.pages.reproduction import (
    command_for,
    rerun_command,
    rerun_of,
)

START = Path("/line/project")
REPORT = START / "robustness-report" / "nuts.json"
ITEM = "tests/test_line.py::test_robustness[nuts-blur-severity_3]"
AGAIN = [
    "--robustness-operating-point=robustness-report/nuts.json",
    "--robustness-report-dir=robustness-report/rerun",
]
FLAGS = ["--corruptions", "blur", "--severities", "3"]
ELSEWHERE = "--output-dir=robustness-report/rerun"


def words(command, condition="blur-severity_3", report=REPORT):
    """Return the command for a condition that no item of pytest has measured."""
    plain = {"name": "nuts", "command": command, "rerun": None}
    return shlex.split(command_for(plain, condition, report, START))


def rerun(words, *places):
    return shlex.split(rerun_of(words, places, ITEM))


# ---- pytest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["pytest", "/usr/bin/pytest", "py.test", "/x y/pytest"])
def test_an_item_takes_the_place_of_what_a_run_of_pytest_collected(program):
    found = rerun(
        [program, "-m", "robustness", "tests", "more/test_x.py"], "tests", "more/test_x.py"
    )

    assert found == ["pytest", "-m", "robustness", ITEM]


def test_pytest_as_a_module_is_called_as_one():
    module = "/venv/lib/python3.11/site-packages/pytest/__main__.py"

    assert rerun([module, "-m", "robustness"]) == [
        "python",
        "-m",
        "pytest",
        "-m",
        "robustness",
        ITEM,
    ]


@pytest.mark.parametrize(
    ("condition", "item"),
    [("clean", "nuts-clean"), ("recorded-led_2025", "nuts-recorded-led_2025")],
)
def test_every_kind_of_condition_is_named_as_its_item(condition, item):
    kept = "pytest -x 'test_line.py::test_robustness[nuts-{condition}]'"
    found = command_for({"command": "pytest", "rerun": kept}, condition, REPORT, START)

    assert shlex.split(found) == ["pytest", "-x", f"test_line.py::test_robustness[{item}]", *AGAIN]


def test_options_that_say_what_is_measured_stay():
    kept = [
        *("-m", "robustness", "-n", "4"),
        *("--robustness-config=line.yaml", "--robustness-profile", "pr"),
        "--robustness-limit-test=8",
    ]

    assert rerun(["pytest", *kept, "tests/test_line.py"], "tests/test_line.py") == [
        *("pytest", *kept, ITEM)
    ]


def test_a_value_that_is_called_like_a_place_stays():
    found = rerun(["pytest", "--ignore", "tests", "tests"], "tests", "of addopts")

    assert found == ["pytest", "--ignore", "tests", ITEM]


@pytest.mark.parametrize(
    "option",
    [
        "-k",
        "--robustness-shard",
        "--robustness-operating-point",
        "--robustness-report-dir",
        "--junitxml",
        "--junit-xml",
    ],
)
@pytest.mark.parametrize("joined", [True, False], ids=["=", "space"])
def test_options_that_are_given_anew_are_replaced(option, joined):
    given_option = [f"{option}=value"] if joined else [option, "value"]

    assert rerun(["pytest", "-x", *given_option, "-s"]) == ["pytest", "-x", "-s", ITEM]


@pytest.mark.parametrize(
    "option",
    [
        "--robustness-update-baseline",
        "--robustness-resume",
        "--lf",
        "--last-failed",
        "--sw",
        "--stepwise",
    ],
)
def test_options_that_would_choose_other_tests_or_write_a_baseline_are_dropped(option):
    assert rerun(["pytest", option, "-x"]) == ["pytest", "-x", ITEM]


def test_a_value_that_looks_like_an_option_goes_with_its_option():
    assert rerun(["pytest", "-k", "--lf", "-x"]) == ["pytest", "-x", ITEM]


# ---- pytest-robustbench ------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["pytest-robustbench", "/venv/bin/pytest-robustbench"])
def test_a_run_by_flags_gets_later_flags_that_count(program):
    flags = ["run", "--root", "data", "--corruptions", "blur,jpeg", "--severities", "1", "3"]

    found = words(shlex.join([program, *flags]))

    assert found == ["pytest-robustbench", *flags, *FLAGS, ELSEWHERE]


@pytest.mark.parametrize("condition", ["clean", "recorded-led"])
def test_what_is_no_corruption_needs_none(condition):
    found = words("pytest-robustbench run --root data", condition)

    assert found[4:] == ["--corruptions", "none", ELSEWHERE]


@pytest.mark.parametrize(
    "output",
    ["--output-dir robustness-report", "--output-dir=robustness-report", "--output r.json"],
)
def test_the_report_that_is_read_is_not_written_over(output):
    found = words(f"pytest-robustbench run {output} --root data")

    assert found == ["pytest-robustbench", "run", "--root", "data", *FLAGS, ELSEWHERE]


@pytest.mark.parametrize("config", ["--config robustness.yaml", "--config=robustness.yaml"])
def test_a_run_by_a_yaml_takes_no_flags_and_writes_elsewhere(config):
    found = words(f"pytest-robustbench run {config} --output-dir robustness-report")

    assert found == ["pytest-robustbench", "run", *config.split(), ELSEWHERE]


# ---- anything else -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "measure.py --all",
        "/usr/bin/python -c 'import x'",
        "ipython",
        "nosetests/pytest-of-mine --all",
        "pytest-robustbench merge shards --output-dir out",
        *("pytest 'tests", 'pytest "', "pytest \\", ""),
    ],
)
def test_what_is_no_run_of_ours_is_told_as_it_was_called(command):
    plain = {"name": "nuts", "command": command, "rerun": None}

    assert command_for(plain, "clean", REPORT, START) == command


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
@settings(deadline=None, max_examples=200)
def test_no_command_raises(command, kept):
    for condition in ("clean", "blur-severity_3", "recorded-led"):
        plain = {"name": "nuts", "command": command, "rerun": kept}
        assert isinstance(command_for(plain, condition, REPORT, START), str)


# ---- paths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "point", "folder"),
    [
        (START / "r" / "nuts.json", "r/nuts.json", "r/rerun"),
        (START / "nuts.json", "nuts.json", "rerun"),
        (Path("/line/other/nuts.json"), "../other/nuts.json", "../other/rerun"),
        (Path("relative/nuts.json"), "relative/nuts.json", "relative/rerun"),
    ],
)
def test_paths_start_where_the_command_does(report, point, folder):
    assert shlex.split(rerun_command("pytest item", report, START)) == [
        *("pytest", "item"),
        f"--robustness-operating-point={point}",
        f"--robustness-report-dir={folder}",
    ]
    assert words("pytest-robustbench run", report=report)[-1] == f"--output-dir={folder}"


@pytest.mark.parametrize("folder", ["with space", "$(rm -rf x)", "a'b", 'a"b', "a;b", "ü"])
def test_a_shell_reads_strange_paths_as_one_word(folder):
    item = f"{folder}/test_line.py::test_robustness[nuts-clean-a b]"
    found = rerun_command(rerun_of(["pytest"], (), item), START / folder / "nuts.json", START)

    assert shlex.split(found) == [
        *("pytest", item),
        f"--robustness-operating-point={folder}/nuts.json",
        f"--robustness-report-dir={folder}/rerun",
    ]
