"""Sets recorded under drift are items like every other condition."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.plugin.robustness_project import INI, OTHERS_OFF, SUITE
from tests.synthetic_tree import write_mvtec_tree

YAML = """\
schema_version: 1
name: caps
dataset: {format: mvtec, root: data, category: brushed_metal, resize: [64, 64]}
detector: pixel_gaussian
corruptions: [jpeg]
severities: [1]
recorded:
  led_2025_11: {format: mvtec, root: drift, category: brushed_metal}
accept:
  all: {false_reject_rate: {max: 0.99}, one_sided: false_alarms}
  recorded: {%s}
"""


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the same surface, with other images of it each."""
    root = tmp_path_factory.mktemp("surfaces")
    for name, seed in (("data", 0), ("drift", 1)):
        write_mvtec_tree(
            root / name,
            category="brushed_metal",
            n_train=8,
            n_test_good=3,
            n_defect=3,
            size=64,
            seed=seed,
        )
    return root


@pytest.fixture
def project(pytester: pytest.Pytester, surfaces: Path):
    """A project whose recorded set shows the same surface, other images of it."""
    shutil.copytree(surfaces, pytester.path, dirs_exist_ok=True)
    pytester.makeini(INI)
    pytester.makepyfile(test_line=SUITE)

    def run(limits: str, *arguments: str, text: str = YAML) -> pytest.RunResult:
        declared = text.replace("%s", limits)
        (pytester.path / "robustness.yaml").write_text(declared, encoding="utf-8")
        options = ("-p", "no:randomly", *OTHERS_OFF, "-m", "robustness", *arguments)
        return pytester.runpytest_inprocess(*options)

    run.path = pytester.path
    return run


def test_it_passes_and_stands_in_the_report(project):
    result = project("miss_rate: {max: 0.99}", "-v")

    result.assert_outcomes(passed=4)  # clean, jpeg, recorded, and whether all were measured
    result.stdout.fnmatch_lines(["*test_robustness?caps-recorded-led_2025_11? PASSED*"])
    report = json.loads((project.path / "robustness-report/caps.json").read_text())
    assert report["complete"] is True
    assert set(report["robustness"]["recorded"]) == {"led_2025_11"}
    judged = [v["metric"] for v in report["verdicts"] if v["condition"] == "recorded-led_2025_11"]
    assert judged == ["miss_rate", "false_reject_rate"]


def test_a_violated_limit_fails_its_item_with_pictures_and_the_command(project):
    result = project("pixel_segf1: {min: 1.0}")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*pixel_segf1 = * is * below the floor 1 (robustness.yaml:11)*",
            "*worst images*",
            "*robustness-report/caps/recorded-led_2025_11/pixel_segf1-1-*.png",
            "*test_robustness?caps-recorded-led_2025_11?*",
        ]
    )
    assert list((project.path / "robustness-report/caps/recorded-led_2025_11").glob("*.png"))


def test_a_missing_set_fails_its_item_and_completeness_alone(project):
    (project.path / "drift").rename(project.path / "elsewhere")

    result = project("bg_fpr: {max: 0.99}")

    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 2
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 2
    result.stdout.fnmatch_lines(["*recorded set 'led_2025_11':*drift*does not exist*"])


def test_keywords_and_marks_select_it(project):
    by_name = project("bg_fpr: {max: 0.99}", "-k", "recorded", "--collect-only", "-q")
    by_mark = project("bg_fpr: {max: 0.99}", "-m", "robustness(corruption='recorded')", "-q")

    assert "test_line.py::test_robustness[caps-recorded-led_2025_11]" in by_name.outlines
    assert "2/4 tests collected (2 deselected)" in by_name.stdout.str()
    by_mark.assert_outcomes(passed=1, skipped=1, deselected=2)


def test_the_overview_names_every_reason_once(project):
    limits = "bg_fpr: {max: 0.99}"
    (project.path / "drift").rename(project.path / "elsewhere")
    more = "  again: {format: mvtec, root: data, category: brushed_metal}\naccept:"

    result = project(limits, text=YAML.replace("accept:", more))

    result.stdout.fnmatch_lines(
        [
            "  2 of 4 conditions could not be measured:",
            "    recorded set 'led_2025_11': *",
            "    recorded set 'again': 6 image(s) are also test images*",
        ]
    )
