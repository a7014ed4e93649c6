"""The command that measures one condition of a report again, as a shell would read it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.reports.pages.reproduction import command_for

START = Path("/line/project")
REPORT = START / "robustness-report" / "nuts.json"
NARROWED = [
    "-k",
    "nuts-blur-severity_3",
    "--robustness-operating-point=robustness-report/nuts.json",
    "--robustness-report-dir=robustness-report/rerun",
]
FLAGS = ["--corruptions", "blur", "--severities", "3"]
AGAIN = "--output-dir=robustness-report/rerun"


def words(command, condition="blur-severity_3", report=REPORT, start=START):
    plain = {"name": "nuts", "command": command}
    return shlex.split(command_for(plain, condition, report, start))


# ---- pytest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["pytest", "/usr/bin/pytest", "py.test", "/x y/pytest"])
def test_a_run_of_pytest_is_narrowed_to_the_condition(program):
    command = shlex.join([program, "-m", "robustness", "tests"])

    assert words(command) == ["pytest", "-m", "robustness", "tests", *NARROWED]


def test_pytest_as_a_module_is_called_as_one():
    command = "/venv/lib/python3.11/site-packages/pytest/__main__.py -m robustness"

    assert words(command) == ["python", "-m", "pytest", "-m", "robustness", *NARROWED]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("clean", "nuts-clean"), ("recorded-led_2025", "nuts-recorded-led_2025")],
)
def test_every_kind_of_condition_is_named_as_its_item(condition, expected):
    assert words("pytest", condition)[2] == expected


def test_options_that_say_what_is_measured_stay():
    kept = [
        "-m",
        "robustness",
        "-n",
        "4",
        "--robustness-config=line.yaml",
        "--robustness-profile",
        "pr",
        "--robustness-limit-test=8",
        "tests/test_line.py",
    ]

    assert words(shlex.join(["pytest", *kept])) == ["pytest", *kept, *NARROWED]


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

    found = words(shlex.join(["pytest", "-x", *given_option, "tests"]))

    assert found == ["pytest", "-x", "tests", *NARROWED]


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
    assert words(f"pytest {option} tests") == ["pytest", "tests", *NARROWED]


def test_a_value_that_looks_like_an_option_goes_with_its_option():
    assert words("pytest -k --lf tests") == ["pytest", "tests", *NARROWED]


# ---- pytest-robustbench ------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["pytest-robustbench", "/venv/bin/pytest-robustbench"])
def test_a_run_by_flags_gets_later_flags_that_count(program):
    flags = ["run", "--root", "data", "--corruptions", "blur,jpeg", "--severities", "1", "3"]

    found = words(shlex.join([program, *flags]))

    assert found == ["pytest-robustbench", *flags, *FLAGS, AGAIN]


@pytest.mark.parametrize("condition", ["clean", "recorded-led"])
def test_what_is_no_corruption_needs_none(condition):
    found = words("pytest-robustbench run --root data", condition)

    assert found[4:] == ["--corruptions", "none", AGAIN]


@pytest.mark.parametrize(
    "output",
    ["--output-dir robustness-report", "--output-dir=robustness-report", "--output r.json"],
)
def test_the_report_that_is_read_is_not_written_over(output):
    found = words(f"pytest-robustbench run {output} --root data")

    assert found == ["pytest-robustbench", "run", "--root", "data", *FLAGS, AGAIN]


@pytest.mark.parametrize("config", ["--config robustness.yaml", "--config=robustness.yaml"])
def test_a_run_by_a_yaml_takes_no_flags_and_writes_elsewhere(config):
    found = words(f"pytest-robustbench run {config} --output-dir robustness-report")

    assert found == ["pytest-robustbench", "run", *config.split(), AGAIN]


# ---- anything else -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "measure.py --all",
        "/usr/bin/python -c 'import x'",
        "ipython",
        "nosetests/pytest-of-mine --all",
        "",
    ],
)
def test_an_unknown_program_is_told_as_it_was_called(command):
    plain = {"name": "nuts", "command": command}

    assert command_for(plain, "clean", REPORT, START) == command


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ("", ()),
        ("--config a.yaml", ("--robustness-config=a.yaml",)),
        ("--profile=pr --config=a.yaml", ("--robustness-config=a.yaml", "--robustness-profile=pr")),
    ],
)
def test_what_was_merged_is_measured_by_pytest(flags, options):
    found = words(f"pytest-robustbench merge shards --output-dir out {flags}")

    assert found[: 3 + len(options)] == ["pytest", "-m", "robustness", *options]
    assert found[3 + len(options)] == "-k"


@pytest.mark.parametrize("command", ["pytest 'tests", 'pytest "', "pytest \\"])
def test_a_command_that_no_shell_reads_is_told_as_it_is(command):
    plain = {"name": "nuts", "command": command}

    assert command_for(plain, "clean", REPORT, START) == command


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=200)
def test_no_command_raises(command):
    for condition in ("clean", "blur-severity_3", "recorded-led"):
        assert isinstance(
            command_for({"name": "nuts", "command": command}, condition, REPORT, START), str
        )


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
    found = words("pytest", report=report)

    assert found[3] == f"--robustness-operating-point={point}"
    assert found[4] == f"--robustness-report-dir={folder}"
    assert words("pytest-robustbench run", report=report)[-1] == f"--output-dir={folder}"


@pytest.mark.parametrize("folder", ["with space", "$(rm -rf x)", "a'b", 'a"b', "a;b", "ü"])
def test_a_shell_reads_strange_paths_as_one_word(folder):
    found = words(shlex.join(["pytest", f"tests/{folder}"]), report=START / folder / "nuts.json")

    assert found == [
        "pytest",
        f"tests/{folder}",
        *NARROWED[:2],
        f"--robustness-operating-point={folder}/nuts.json",
        f"--robustness-report-dir={folder}/rerun",
    ]
