"""Tolerances are items like conditions, measured by pytest and by run alike."""

from __future__ import annotations

import json

import pytest

from pytest_robustbench.cli.main import main
from tests.plugin.robustness_project import only_messages, outcomes, text_of
from tests.synthetic_tree import write_mvtec_tree

LIMITS = "all: {miss_rate: {max: 0.9}, false_reject_rate: {max: 0.4}}\n"
POINT = "operating_point: {pixel_threshold: 30, image_threshold: 50}\n"
"""Where every good part of the project passes and most defects are found."""


def accept(*tolerances):
    return LIMITS + "tolerance:\n" + "\n".join(f"  {each}" for each in tolerances)


@pytest.fixture(scope="session")
def parts(tmp_path_factory):
    """More parts than the other tests of the plugin have: few say nothing of a tolerance."""
    root = tmp_path_factory.mktemp("parts")
    write_mvtec_tree(root, n_train=15, n_test_good=12, n_defect=12, size=48)
    return root


@pytest.fixture
def declare(project, parts):
    def write(*tolerances, corruptions="[exposure, jpeg]", extra=POINT, more="", **options):
        project.data = parts
        text = accept(*tolerances) + more
        chosen = {"corruptions": corruptions, "severities": "[1]", "extra": extra, **options}
        return project.yaml(text, **chosen)

    return write


def record_of(project, name="exposure"):
    return project.report()["robustness"]["tolerance"][name]


def test_they_are_collected_behind_the_conditions(project, declare):
    declare("exposure: {min: 0.01 EV}", "jpeg: {}")
    result = project.run("--collect-only", "-q")
    items = [line.partition("[")[2].rstrip("]") for line in result.outlines if "::" in line]
    assert items == [
        "hazelnut-clean",
        "hazelnut-exposure-severity_1",
        "hazelnut-jpeg-severity_1",
        "hazelnut-tolerance-exposure",
        "hazelnut-tolerance-jpeg",
        "hazelnut-complete",
    ]


def test_a_tolerance_passes_by_its_lower_end_and_is_told(project, declare):
    declare("exposure: {min: 0.07 EV}", "jpeg: {}")
    result = project.run("-v")
    found = outcomes(result)
    assert found["hazelnut-tolerance-exposure"] == "passed"
    assert found["hazelnut-tolerance-jpeg"] == "skipped", "nothing limits it"
    record = record_of(project)
    assert 0 < record["interval"][0] <= record["severity"]
    (verdict,) = (v for v in project.report()["verdicts"] if v["metric"] == "tolerance")
    assert verdict["unit"] == "EV"
    level = 0.5 * 2 ** (record["severity"] - 3)
    assert verdict["value"] == pytest.approx(level)
    assert verdict["at_worst"] == pytest.approx(0.5 * 2 ** (record["interval"][0] - 3))
    told = f"more than 40 % of good parts are rejected from exposure ±{level:.3g} EV"
    result.stdout.fnmatch_lines([f"*tolerance-exposure: {told}*"])


def test_a_tolerance_that_merely_holds_fails(project, declare):
    declare("exposure: {min: 0.07 EV}")
    project.run()
    break_at = record_of(project)
    between = 0.5 * 2 ** (sum([break_at["interval"][0], break_at["severity"]]) / 2 - 3)
    declare(f"exposure: {{min: {between:.6f} EV}}")
    result = project.run("-v")
    assert outcomes(result)["hazelnut-tolerance-exposure"] == "failed"
    text = only_messages(result)
    assert "and is not shown: at least" in text
    lax = "\nconfidence: 0.95\nunsure: skip"
    declare(f"exposure: {{min: {between:.6f} EV}}", more=lax)
    assert project.judged()["hazelnut-tolerance-exposure"] == "skipped"


def test_one_that_is_too_small_says_where_decisions_break_and_how_to_repeat_it(project, declare):
    declare("exposure: {min: 2 EV}")
    text = only_messages(project.run())
    assert "EV below the floor 2 EV (robustness.yaml:" in text
    assert "of good parts are rejected from exposure ±" in text
    assert "test_line.py::test_robustness[hazelnut-tolerance-exposure]'" in text
    assert not project.session()["benchmarks"]["hazelnut"]["missing"]
    assert project.report()["complete"]


def test_it_may_be_repeated_alone(project, declare):
    declare("exposure: {min: 0.07 EV}")
    project.run()
    first = record_of(project)
    again = project.run("-v", "-k", "tolerance")
    assert outcomes(again)["hazelnut-tolerance-exposure"] == "passed"
    assert "hazelnut-clean" not in outcomes(again)
    assert record_of(project) == first


def test_a_deselected_one_leaves_the_report_incomplete(project, declare):
    declare("exposure: {min: 0.07 EV}")
    project.run("-k", "not tolerance")
    report = project.report()
    assert report["missing"] == ["tolerance-exposure"]
    assert not report["complete"]
    assert "tolerance" not in report["robustness"]


def test_what_cannot_be_measured_fails(project, declare):
    declare("exposure: {min: 0.07 EV}", extra=POINT + "limit_test: 2\n")
    result = project.run("-v")
    assert outcomes(result)["hazelnut-tolerance-exposure"] == "error"
    assert "a tolerance takes 2 good parts at least, and the test set has 1" in only_messages(
        result
    )
    assert record_of(project) == {"error": pytest.approx(record_of(project)["error"])}


def test_workers_share_one_measurement_and_a_waiver_holds(project, declare):
    waiver = (
        "waivers: [{condition: tolerance-exposure, metric: tolerance, reason: new lamp, by: QA, "
        "until: 2999-01-01}]\n"
    )
    declare("exposure: {min: 2 EV}", "jpeg: {min: severity 1}", extra=POINT + waiver)
    result = project.run_apart("-n", "2", "-v")
    result.assert_outcomes(passed=5, xfailed=1)
    assert {*project.report()["robustness"]["tolerance"]} == {"exposure", "jpeg"}


def test_what_an_earlier_run_measured_is_taken_over_unless_it_breaks_elsewhere(project, declare):
    def run():
        return text_of(project.run("--robustness-resume", "-k", "clean or tolerance"))

    plain = {"detector": "pixel_gaussian", "extra": "", "corruptions": "[exposure]"}
    declare("exposure: {min: 0.07 EV}", **plain)
    assert "taken over from an earlier run: 0 of 3 conditions" in run()
    record = record_of(project)
    declare("exposure: {min: 0.08 EV}", **plain)
    assert "taken over from an earlier run: 2 of 3 conditions" in run()
    assert record_of(project) == record
    changed = (project.path / "robustness.yaml").read_text().replace("max: 0.4", "max: 0.2")
    project.write("robustness.yaml", changed)
    assert "taken over from an earlier run: 1 of 3 conditions" in run()
    assert record_of(project)["sides"]["false_reject_rate"]["limit"] == 0.2


def test_the_command_finds_the_same(project, declare, monkeypatch, capsys):
    declare("exposure: {min: 0.07 EV}")
    project.run()
    monkeypatch.chdir(project.path)
    assert main(["run", "--config", "robustness.yaml", "--output-dir", "out", "--no-html"]) == 0
    report = json.loads((project.path / "out" / "hazelnut.json").read_text())
    assert report["robustness"]["tolerance"]["exposure"] == record_of(project)
    assert "tolerance-exposure: more than 40 % of good parts" in capsys.readouterr().err


def test_shards_are_merged_with_them(project, declare, monkeypatch):
    declare("exposure: {min: 0.07 EV}", "jpeg: {min: severity 1}")
    monkeypatch.chdir(project.path)
    for shard in ("1/2", "2/2"):
        folder = f"shard_{shard[0]}"
        project.run(f"--robustness-shard={shard}", f"--robustness-report-dir={folder}")
    shards = ["shard_1", "shard_2"]
    merged = [
        "merge",
        *shards,
        "--config",
        "robustness.yaml",
        "--output-dir",
        "merged",
        "--no-html",
    ]
    assert main(merged) == 0
    report = json.loads((project.path / "merged" / "hazelnut.json").read_text())
    assert report["complete"]
    assert {*report["robustness"]["tolerance"]} == {"exposure", "jpeg"}
    assert [v["metric"] for v in report["verdicts"]].count("tolerance") == 2


def test_a_test_that_does_not_judge_gets_conditions_alone(project, declare):
    declare("exposure: {min: 0.07 EV}")
    project.write(
        "test_own.py",
        """\
        def test_rate(robustness_result):
            assert robustness_result.metrics["miss_rate"] <= 1
        """,
    )
    found = outcomes(project.run("-v", "test_own.py"))
    measured = [name for name, outcome in found.items() if outcome == "passed"]
    conditions = ("clean", "exposure-severity_1", "jpeg-severity_1")
    assert measured == [f"hazelnut-{condition}" for condition in conditions]
