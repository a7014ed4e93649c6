"""What pytest runs leave, as the command `verdict` reads it."""

from __future__ import annotations

import shutil

import pytest

from pytest_robustbench.cli.main import main
from tests.plugin.robustness_project import SUITE, Project, text_of

ONE = {"corruptions": "[blur]", "severities": "[1, 3]"}
OPEN = "all: {bg_fpr: {max: 0.99}, pixel_segf1: {min: 0.001}}"
HOLDS, FAILS, UNKNOWN = 0, 1, 3


@pytest.fixture
def verdict(project: Project, capsys: pytest.CaptureFixture[str]):
    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["verdict", str(project.reports), *arguments])
        return code, capsys.readouterr().out

    return call


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("-kclean", "2 conditions were not asked for"),
        ("--robustness-limit-train=12", "narrowed by --robustness-limit-train"),
        ("--robustness-shard=1/2", "merge the shards"),
        ("--robustness-missing-data=skip", "not measured"),
    ],
)
def test_a_part_of_a_run_cannot_be_told(project, verdict, option, said):
    project.yaml(OPEN, **ONE)
    if option.endswith("skip"):
        dataset = "{format: mvtec, root: /nowhere/at/all, category: nut}"
        project.yaml(OPEN, dataset=dataset, **ONE)
    project.run(option)
    found, text = verdict()
    assert (found, said in text) == (UNKNOWN, True), text


def test_a_whole_run_holds_and_one_of_nothing_changes_nothing(project, verdict):
    project.yaml(OPEN, **ONE)
    assert project.run().ret == 0
    for option in ("--collect-only", "--setup-only", "-knothing_at_all"):
        project.run(option)
        assert verdict()[0] == HOLDS


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("import nothing_there", ()),
        ("import nothing_there", ("-n", "1")),
        ("import nothing_there", ("--continue-on-collection-errors",)),
        ("def test_unit(): pass", ("-m", "robustness")),
        (SUITE, ("-m", "robustness", "-k", "nothing_at_all")),
        (SUITE, ("--robustness-corruptions", "fog")),
        (SUITE, ("no_such_file.py",)),
    ],
)
def test_a_run_that_cannot_say_anything_leaves_no_older_success(project, verdict, module, options):
    project.yaml(OPEN, **ONE)
    assert project.run().ret == 0
    project.write("test_line.py", module)
    assert (project.run_apart if "-n" in options else project.run)(*options).ret != 0
    assert verdict()[0] == UNKNOWN


def test_a_violated_limit_fails(project, verdict):
    project.yaml("all: {pixel_segf1: {min: 0.999}, one_sided: misses}", **ONE)
    assert project.run().ret == 1
    assert verdict()[0] == FAILS


def test_a_broken_yaml_cannot_be_told(project, verdict):
    project.yaml(OPEN, **ONE)
    assert project.run().ret == 0
    project.yaml(OPEN, **ONE, extra="colour: red")
    assert project.run().ret == 1
    found, text = verdict()
    assert (found, "unknown key 'colour'" in text) == (UNKNOWN, True)


EXITING = """
import os

class Exiting:
    def __init__(self):
        self.calls = 0

    def fit(self, images):
        pass

    def predict(self, images):
        self.calls += 1
        {}
"""


@pytest.mark.parametrize("options", [(), ("-n", "1")])
@pytest.mark.parametrize("end", ["os._exit(0)", "raise SystemExit(0)"])
def test_a_process_that_ends_with_status_0_is_no_success(project, verdict, end, options):
    project.yaml(OPEN, **ONE)
    assert project.run().ret == 0
    project.write("exiting.py", EXITING.format(end))
    project.yaml(OPEN, detector='{name: "exiting:Exiting"}', **ONE)
    result = project.run_apart(*options)
    if "_exit" not in end or options:
        assert result.ret == 1, text_of(result)
        assert "Traceback" not in text_of(result)
    assert verdict()[0] != HOLDS
    assert project.report()["complete"] is False


@pytest.mark.parametrize("module", ["test_line.py", "conftest.py"])
def test_a_process_that_ends_while_it_imports_leaves_no_older_success(project, verdict, module):
    project.yaml(OPEN, **ONE)
    assert project.run().ret == 0
    folder = "line/" if module == "conftest.py" else ""
    project.write(f"{folder}test_line.py", SUITE)
    project.write(f"{folder}{module}", f"import os\nos._exit(0)\n{SUITE}")
    assert project.run_apart().ret == 0
    assert verdict()[0] == UNKNOWN


def test_several_files_are_told_together_and_apart(project, verdict):
    project.yaml(OPEN, **ONE)
    project.write("lamps/robustness.yaml", (project.path / "robustness.yaml").read_text("utf-8"))
    project.write("lamps/test_lamps.py", SUITE)
    shutil.copy(project.path / "line_models.py", project.path / "lamps/line_models.py")
    result = project.run()
    assert result.ret == 0, text_of(result)
    assert verdict()[0] == HOLDS
    assert main(["verdict", str(project.reports / "lamps")]) == HOLDS
    project.write("test_line.py", "import os\nos._exit(0)\n")
    project.run_apart()
    assert main(["verdict", str(project.reports / "lamps")]) == UNKNOWN
    project.write("test_line.py", SUITE)
    (project.path / "lamps/test_lamps.py").unlink()
    assert project.run().ret == 0
    found, text = verdict()
    assert (found, "lamps/robustness.yaml: no test is about it" in text) == (UNKNOWN, True)


def test_a_baseline_that_was_written_is_no_comparison(project, verdict):
    regression = (
        "regression: {baseline: 'b/{name}.json', bg_fpr: {max_rise: 0.5}, one_sided: false_alarms}"
    )
    project.yaml(OPEN, **ONE, extra=regression)
    assert project.run("--robustness-update-baseline").ret == 0
    assert verdict()[0] == HOLDS
    assert verdict("--require-comparison")[0] == FAILS
    assert project.run().ret == 0
    assert verdict("--require-comparison")[0] == HOLDS
