"""Options and their ini twins."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_robustbench
from pytest_robustbench.plugin.options import OPTIONS
from tests.plugin.robustness_project import (
    INI,
    OTHERS_OFF,
    Project,
    condition,
    only_messages,
    outcomes,
)

TWO = {"corruptions": "[lighting, blur]", "severities": "[1, 3]"}
OPEN = "all: {miss_rate: {max: 0.99}, one_sided: misses}"


@pytest.fixture
def gated(project: Project) -> Project:
    project.yaml(
        OPEN,
        extra="""\
        profiles:
          pr: {severities: [3], limit_test: 6}
        """,
        **TWO,
    )
    return project


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--robustness-severities=6", "severities"),
        ("--robustness-severities=", "severities"),
        ("--robustness-severities=low", "severities"),
        ("--robustness-severities=5", "severity 5"),
        ("--robustness-corruptions=lightning", "lighting"),
        ("--robustness-corruptions=glare", "glare"),
        ("--robustness-corruptions=,", "corruptions"),
        ("--robustness-profile=nightly", "nightly"),
        ("--robustness-limit-test=0", "limit-test"),
        ("--robustness-limit-train=-1", "limit-train"),
        ("--robustness-limit-test=many", "limit-test"),
        ("--robustness-missing-data=maybe", "fail or skip"),
        ("--robustness-config=nowhere.yaml", "nowhere.yaml"),
        ("--robustness-operating-point=nowhere.json", "nowhere.json"),
    ],
)
def test_a_bad_option_stops_at_once(gated: Project, option: str, said: str) -> None:
    gated.write("test_unit.py", "def test_unit():\n    assert True\n")
    result = gated.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in only_messages(result)
    result.stdout.no_fnmatch_line("*collected*")


@pytest.mark.parametrize("name", [o.name for o in OPTIONS if o.kind != "bool"])
@pytest.mark.parametrize("place", ["command line", "ini file"])
def test_an_empty_value_is_no_absent_one(gated: Project, name: str, place: str) -> None:
    """As a rule it is a variable of the CI system that is not set."""
    option = next(o for o in OPTIONS if o.name == name)
    if place == "ini file":
        gated.write("pytest.ini", f"{INI}{option.ini} =\n")
    result = gated.run(*(() if place == "ini file" else (f"{option.flag}=",)))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (option.ini if place == "ini file" else option.flag) in only_messages(result)


@pytest.mark.parametrize(
    "lines", ["robustness_update_baseline = true", "addopts = --robustness-update-baseline"]
)
def test_baselines_are_not_updated_in_every_run(gated: Project, lines: str) -> None:
    gated.write("pytest.ini", f"[pytest]\n{lines}\n")
    result = gated.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "none be compared with it" in only_messages(result)


def test_baselines_are_not_updated_from_the_environment(
    gated: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-q --robustness-update-baseline")
    result = gated.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--robustness-update-baseline in PYTEST_ADDOPTS: every run" in only_messages(result)


def test_baselines_are_not_updated_from_a_file_of_options(gated: Project) -> None:
    gated.write("options.txt", "--robustness-update-baseline\n")
    gated.write("pytest.ini", "[pytest]\naddopts = @options.txt\n")
    result = gated.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "in a file of options: every run" in only_messages(result)


@pytest.mark.parametrize("name", ["../../x", "a/b", "CON", "x\n::error::y", "a."])
def test_a_profile_that_is_no_name_is_refused(gated: Project, name: str) -> None:
    result = gated.run(f"--robustness-profile={name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = only_messages(result)
    assert "--robustness-profile is" in told
    assert "a name is no path" in told


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("robustness_severities = 6", "severities"),
        ("robustness_limit_test = none", "limit_test"),
        ("robustness_missing_data = maybe", "fail or skip"),
        ("robustness_config = nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_a_bad_ini_value_stops_at_once(gated: Project, lines: str, said: str) -> None:
    gated.write("pytest.ini", INI + lines + "\n")
    result = gated.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in only_messages(result)


NEEDS_PYTEST_9 = pytest.mark.skipif(
    pytest.version_tuple < (9,), reason="pytest 8 has no native TOML section"
)
INI_TWINS = (
    INI + "robustness_severities = 3\nrobustness_limit_test = 6\nrobustness_report_dir = out\n"
)
TOML = """
[tool.pytest.ini_options]
filterwarnings = ["error"]
robustness_severities = [3]
robustness_limit_test = "6"
robustness_report_dir = "out"
"""
NATIVE_TOML = """
[tool.pytest]
filterwarnings = ["error"]
robustness_severities = ["3"]
robustness_limit_test = 6
robustness_report_dir = "out"
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", INI_TWINS),
        ("pyproject.toml", TOML),
        pytest.param("pyproject.toml", NATIVE_TOML, marks=NEEDS_PYTEST_9),
    ],
)
def test_ini_twins_narrow_and_the_command_line_wins(gated: Project, file: str, text: str) -> None:
    (gated.path / "pytest.ini").unlink()
    gated.write(file, text)
    found = gated.judged("--robustness-corruptions=blur")
    assert found == {
        "hazelnut-clean": "passed",
        "hazelnut-blur-severity_3": "passed",
        "hazelnut-complete": "skipped",
    }
    report = gated.report(folder=gated.path / "out")
    assert len(report["samples"]["id"]) == 6
    assert not report["complete"]
    result = gated.run("--robustness-severities=1", "--co", "-q")
    result.stdout.no_fnmatch_line("*severity_3*")
    result.stdout.fnmatch_lines(["*blur-severity_1*"])


@pytest.mark.parametrize(
    ("option", "measured"),
    [
        ("--robustness-corruptions=blur", 3),
        ("--robustness-severities=3", 3),
        ("--robustness-limit-test=6", 5),
        ("--robustness-limit-train=10", 5),
    ],
)
def test_narrowing_is_never_complete(gated: Project, option: str, measured: int) -> None:
    result = gated.run("-v", option, "-rs")
    assert result.ret == 0
    found = outcomes(result)
    assert found.pop("hazelnut-complete") == "skipped"
    assert list(found.values()) == ["passed"] * measured
    report = gated.report()
    assert report["narrowed"] == [option.partition("=")[0]]
    assert not report["complete"]
    result.stdout.fnmatch_lines(["SKIPPED*not judged*"])


def test_a_profile_is_complete_in_itself(gated: Project) -> None:
    found = gated.judged("--robustness-profile=pr")
    assert found == {
        "hazelnut-clean": "passed",
        "hazelnut-lighting-severity_3": "passed",
        "hazelnut-blur-severity_3": "passed",
        "hazelnut-complete": "passed",
    }
    report = gated.report()
    assert (report["complete"], report["narrowed"], report["missing"]) == (True, [], [])
    assert len(report["samples"]["id"]) == 6


def test_fewer_images_measure_the_same_on_those_in_common(gated: Project) -> None:
    gated.run()
    whole = gated.report()
    gated.run("--robustness-limit-test=6", "-k", "lighting")
    part = gated.report()
    assert set(part["samples"]["id"]) < set(whole["samples"]["id"])
    one = condition(whole, "lighting-severity_3")["per_image"]
    two = condition(part, "lighting-severity_3")["per_image"]
    for position, name in enumerate(part["samples"]["id"]):
        other = whole["samples"]["id"].index(name)
        assert {k: v[position] for k, v in two.items()} == {k: v[other] for k, v in one.items()}


def test_config_and_report_dir_elsewhere(gated: Project) -> None:
    (gated.path / "robustness.yaml").rename(gated.path / "gates.yaml")
    result = gated.run("--robustness-config=gates.yaml", "--robustness-report-dir=a/b")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["robustness: gates.yaml", "*report: a/b/hazelnut.json"])
    assert gated.report(folder=gated.path / "a" / "b")["complete"]
    assert not gated.reports.exists()


# ---- one row each ------------------------------------------------------------------------------

PACKAGE = Path(pytest_robustbench.__file__).parent
ROW = """\
    most_images = Option(values.count, "stop after N images", "N", "int")
    device = Option("""


def asked(package: Path) -> set[str]:
    """Return which names the plugin asks of settings anywhere."""
    nodes = [
        node
        for file in package.joinpath("plugin").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    ]
    return {node.attr for node in nodes if is_settings(node.value)}


def is_settings(node: ast.expr) -> bool:
    """Return whether an expression is called ``settings``, or taken from the stash as such."""
    return ast.unparse(node).endswith(("settings", "stash[SETTINGS]"))


def test_every_option_is_asked_for_somewhere() -> None:
    assert [o.flag for o in OPTIONS if o.name not in asked(PACKAGE)] == []


def test_an_option_is_one_row_and_a_row_alone_is_noticed(tmp_path: Path) -> None:
    """Flag, ini twin, help and check come from the row; that nothing reads it is told by name."""
    copy = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    table = copy / "plugin" / "options.py"
    written = table.read_text(encoding="utf-8")
    table.write_text(written.replace("    device = Option(", ROW, 1), encoding="utf-8")

    def run(*options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *OTHERS_OFF, *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        return " ".join(f"{done.stdout} {done.stderr}".split())

    helped = run("--help")
    assert "--robustness-most-images=N stop after N images" in helped
    assert "robustness_most_images (int): stop after N images" in helped
    refused = run("--robustness-most-images=0")
    assert "--robustness-most-images must be a number of images, at least 1, not '0'" in refused
    assert "most_images" not in asked(copy)
