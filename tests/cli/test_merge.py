"""``merge``: the reports of shards, one report, judged like one run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from pytest_robustbench.benchmark import judged_report
from pytest_robustbench.cli.main import main
from pytest_robustbench.config.benchmarks import build_benchmark, gate_of
from pytest_robustbench.config.build import build_detector, build_split
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.fields import error_record
from pytest_robustbench.reports.file.record import condition_record
from pytest_robustbench.reports.file.schema import report_schema

CONDITIONS = ("clean", "blur-severity_2", "blur-severity_4", "jpeg-severity_2", "jpeg-severity_4")
SHARES = (CONDITIONS[::3], CONDITIONS[1::3], CONDITIONS[2::3])
YAML = """\
schema_version: 1
name: caps
dataset: {format: mvtec, root: data, category: bottle}
detector: pixel_gaussian
corruptions: [blur, jpeg]
severities: [2, 4]
accept:
  all: {miss_rate: {max: 0.99}, bg_fpr: {max: 0.9}, one_sided: misses}
  summary: {worst_drop_pixel_segf1: {max: 0.99}}
"""
REGRESSION = """\
regression:
  baseline: "stored/{name}.json"
  bg_fpr: {max_rise: 0.2}
  miss_rate: {max_rise: 0.5}
  one_sided: misses
"""
SEVERAL = """\
schema_version: 1
defaults: {{dataset: {{format: mvtec, root: data, category: bottle}}, detector: pixel_gaussian}}
benchmarks:
  caps: {0}
  cups: {0}
""".format("{corruptions: none, accept: {all: {miss_rate: {max: 0.99}, one_sided: misses}}}")
TIMES = ("started", "command", "memory", "content_sha256")
TIMINGS = ("latency_ms_per_image", "latency", "memory")
SUMMARY = ("robustness_summary", "robustness_summary_undefined")


@pytest.fixture
def project(bottles, capsys):
    """Call commands beside robustness.yaml and data/bottle."""
    return Project(bottles.parent, capsys)


class Project:
    def __init__(self, path, capsys):
        self.path, self._capsys = path, capsys
        self.yaml(YAML)

    def yaml(self, text):
        (self.path / "robustness.yaml").write_text(text, "utf-8")

    def shard(self, folder, conditions, *, name=None, error="", profile=None):
        """Measure some conditions in a run of their own; return the report's path."""
        config = load_config(self.path / "robustness.yaml", profile=profile)
        declaration = {b.name: b for b in config.benchmarks}[name or config.benchmarks[0].name]
        benchmark = build_benchmark(
            declaration,
            config.folder,
            build_split(declaration, config.folder),
            build_detector(declaration.detector, config.folder),
            operating_point=None,
            progress=lambda *_: None,
        )
        asked = [c for c in declaration.conditions if c.id in conditions]
        records = {
            c.id: error_record(error) if error else condition_record(benchmark.evaluate(c))
            for c in asked
        }
        report = judged_report(
            benchmark.header(), declaration.conditions, records, gate_of(declaration)
        )
        path = self.path / folder / f"{declaration.name}.json"
        report.write(path)
        return path

    def shards(self, shares=SHARES):
        return [self.shard(f"shards/{i}", share) for i, share in enumerate(shares)]

    def __call__(self, *arguments):
        code = main(list(map(str, arguments)))
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    def merge(self, *arguments):
        return self("merge", *arguments, "--output-dir", "merged", "--no-html")

    def merged(self, name="caps"):
        report = json.loads((self.path / "merged" / f"{name}.json").read_text("utf-8"))
        jsonschema.validate(report, report_schema())
        return report


def untimed(report):
    """A report without what two runs never have in common."""
    kept = {k: v for k, v in report.items() if k not in TIMES}
    for key in SUMMARY:
        kept[key] = {k: v for k, v in report[key].items() if "latency" not in k}
    kept["robustness"] = _without_timings(report["robustness"])
    return kept


def _without_timings(plain):
    if not isinstance(plain, dict):
        return plain
    return {k: _without_timings(v) for k, v in plain.items() if k not in TIMINGS}


def test_shards_merged_are_what_one_run_is(project):
    project.shards()
    assert project("run", "--config", "robustness.yaml", "--output-dir", "one")[0] == 0
    one = json.loads((project.path / "one/caps.json").read_text("utf-8"))

    code, out, err = project.merge("shards")

    assert (code, out) == (0, "")
    assert untimed(project.merged()) == untimed(one)
    assert project.merged()["complete"]
    assert "5 of 5 conditions, from 3 report(s)" in err
    assert "11 of 11 limits hold" in err
    assert "report: merged/caps.json" in err


def test_shards_of_pytest_merged_are_what_one_run_of_pytest_is(project):
    module = "from pytest_robustbench.suite import test_robustness\n"
    (project.path / "test_caps.py").write_text(module, "utf-8")
    for folder, words in (("a", "blur"), ("b", "not blur"), ("one", "")):
        found = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider"),
                *("-k", words, f"--robustness-report-dir={folder}"),
            ],
            cwd=project.path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert found.returncode == 0, found.stdout + found.stderr
    one = json.loads((project.path / "one/caps.json").read_text("utf-8"))

    code, _, err = project.merge("a", "b")

    assert code == 0, err
    assert untimed(project.merged()) == untimed(one)


def test_violated_limits_are_judged_anew_and_fail(project):
    project.yaml(YAML.replace("bg_fpr: {max: 0.9}", "bg_fpr: {max: 0.0}"))
    project.shards()

    code, _, err = project.merge("shards")

    assert code == 1
    assert "bg_fpr" in err
    assert "robustness.yaml:8" in err


def test_a_violated_summary_fails(project):
    floor = "mean_corruption_pixel_segf1: {min: 1.0}"
    project.yaml(YAML.replace("worst_drop_pixel_segf1: {max: 0.99}", floor))
    project.shards()

    code, _, err = project.merge("shards")

    assert code == 1
    assert "mean_corruption_pixel_segf1" in err


def test_missing_conditions_are_listed_and_fail(project):
    project.yaml(YAML + REGRESSION)
    project.shards(SHARES[:2])

    code, _, err = project.merge("shards")

    report = project.merged()
    assert code == 1
    assert (report["complete"], report["missing"]) == (False, ["blur-severity_4"])
    assert "missing: blur-severity_4" in err
    assert "summary: not judged: 1 of 5 conditions are missing" in err
    assert "regression: not judged: 1 of 5 conditions were not measured" in err
    assert {v["condition"] for v in report["verdicts"]} == {*CONDITIONS} - {"blur-severity_4"}
    assert "regression" not in report


def test_a_condition_that_failed_in_its_shard_fails_the_merge(project):
    project.shards(SHARES[:2])
    project.shard("shards/2", SHARES[2], error="the detector raised")

    code, _, err = project.merge("shards")

    assert code == 1
    assert "blur-severity_4 could not be measured: the detector raised" in err
    assert project.merged()["missing"] == ["blur-severity_4"]
    assert "missing:" not in err


def test_a_baseline_is_held_against_the_whole(project):
    project.yaml(YAML + REGRESSION)
    project.shards()
    code, _, err = project.merge("shards")
    assert code == 1
    assert "no baseline" in err

    (project.path / "stored").mkdir()
    shutil.copy(project.path / "merged/caps.json", project.path / "stored/caps.json")
    code, _, err = project.merge("shards")
    assert code == 1
    assert "the baseline" in err
    assert "is this very run" in err

    project.shards()
    code, _, err = project.merge("shards")

    assert code == 0, err
    assert "caps against baseline caps.json: PASS" in err
    (compared,) = project.merged()["regression"]
    assert compared["outcome"] == "pass"
    assert {v["condition"] for v in compared["verdicts"]} == {*CONDITIONS}


def test_a_merged_report_is_not_written_over_its_baseline(project):
    project.yaml(YAML + REGRESSION)
    project.shards()

    code, _, err = project("merge", "shards", "--output-dir", "stored")

    assert code == 2
    assert "would be written over its own baseline" in err


def test_a_merged_report_may_become_the_baseline(project):
    project.shards()
    project.merge("shards")

    code, _, err = project(
        "accept", "merged/caps.json", "--reason", "first", "--baseline", "stored/caps.json"
    )

    assert (code, err) == (0, "")


def test_benchmarks_without_a_report_are_missing(project):
    project.yaml(SEVERAL)
    project.shard("shards", ["clean"], name="caps")

    code, _, err = project.merge("shards")

    assert code == 1
    assert "cups: missing: none of the reports is of it" in err
    assert project.merged("caps")["complete"]
    assert not (project.path / "merged/cups.json").exists()


def test_a_benchmark_that_is_refused_leaves_the_others_intact(project):
    project.yaml(SEVERAL)
    project.shard("shards/0", ["clean"], name="caps")
    project.shard("shards/0", ["clean"], name="cups")
    project.shard("shards/1", ["clean"], name="cups", error="raised")

    code, _, err = project.merge("shards")

    assert code == 2
    assert "disagree on clean" in err
    assert project.merged("caps")["complete"]
    assert not (project.path / "merged/cups.json").exists()


def edit(path, place, value):
    plain = json.loads(path.read_text("utf-8"))
    inner = plain
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text(json.dumps(sealed(plain)), "utf-8")


REFUSED = [
    (("robustness", "clean", "results", "auroc"), 0.1, "shards/0/caps.json cannot be merged"),
    (("complete",), True, "edited after it was measured"),
    (("narrowed",), ["--robustness-limit-test"], "--robustness-limit-test"),
    (("trouble",), "the workers differ", "cannot be merged: the workers differ"),
    (("name",), "cups", "declares no benchmark 'cups'"),
    (("profile",), "nightly", "profile"),
    (("schema_version",), 1, "schema version"),
]


@pytest.mark.parametrize(("place", "value", "told"), REFUSED)
def test_what_is_refused_is_one_line_and_code_2(project, place, value, told):
    first, *_ = project.shards(SHARES[:2])
    edit(first, place, value)

    code, out, err = project.merge("shards")

    assert (code, out) == (2, "")
    assert told in err
    assert err.startswith("pytest-robustbench merge: ")
    assert err.count("\n") == 1
    assert not list(project.path.glob("merged/*.json"))


def test_another_yaml_is_refused_with_what_differs(project):
    project.shards(SHARES[:1])
    project.yaml(YAML.replace("bg_fpr: {max: 0.9}", "bg_fpr: {max: 0.95}"))

    code, _, err = project.merge("shards")

    assert code == 2
    assert "robustness.yaml differs from the one the shards of 'caps' ran" in err
    assert "accept.clean.bg_fpr.max: 0.95 and 0.9" in err
    assert err.count("\n") == 1


def test_the_profile_is_the_one_of_the_shards(project):
    project.yaml(YAML + "profiles: {pr: {severities: [2]}}\n")
    path = project.shard("shards", CONDITIONS, profile="pr")
    edit(path, ("profile",), "pr")

    code, _, err = project.merge("shards")
    assert code == 2
    assert "they ran profile 'pr': give --profile pr" in err

    assert project.merge("shards", "--profile", "pr")[0] == 0
    assert project.merged()["profile"] == "pr"


def test_other_thresholds_are_refused(project):
    project.shard("shards/0", SHARES[0])
    for image in sorted((project.path / "data/bottle/train/good").iterdir())[:3]:
        image.unlink()
    project.shard("shards/1", SHARES[1])

    code, _, err = project.merge("shards")

    assert code == 2
    assert "shards/0/caps.json and shards/1/caps.json cannot be merged: operating point" in err


def test_inputs_are_never_replaced(project):
    path = project.shard("merged", CONDITIONS)
    before = path.read_bytes()

    code, _, err = project.merge("merged")

    assert code == 2
    assert "one of the reports to merge" in err
    assert path.read_bytes() == before


def test_what_was_merged_can_be_merged_again(project):
    project.shards(SHARES[:2])
    project.merge("shards")
    (project.path / "merged").rename(project.path / "earlier")
    last = project.shard("last", SHARES[2])

    code, _, err = project.merge("earlier", last)

    assert code == 0, err
    assert project.merged()["complete"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone"], "gone does not exist"),
        (["empty"], "empty holds no report"),
        (["empty/session.json"], "no report among empty/session.json"),
        (["robustness.yaml"], "cannot read the report robustness.yaml"),
        (["shards", "--profile", "pr"], "pr"),
        (["shards", "--config", "other.yaml"], "other.yaml"),
    ],
)
def test_mistakes_are_one_line_and_code_2(project, arguments, told):
    (project.path / "empty").mkdir()
    (project.path / "empty/session.json").write_text("{}", "utf-8")
    project.shard("shards", ["clean"])

    code, out, err = project.merge(*arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_without_a_yaml_the_remedy_is_told(project):
    project.shard("shards", ["clean"])
    Path("robustness.yaml").unlink()

    code, _, err = project.merge("shards")

    assert code == 2
    assert "--config" in err


def test_a_place_that_cannot_be_written_is_told(project):
    project.shard("shards", CONDITIONS)
    (project.path / "merged").write_text("a file", "utf-8")

    code, _, err = project.merge("shards")

    assert code == 2
    assert "--output-dir merged cannot be written" in err
