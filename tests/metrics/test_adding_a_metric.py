"""A metric is one row: whatever asks for metrics has it, and a row without its part is named."""

from __future__ import annotations

import pytest

from tests.extras import needs_pages
from tests.package_copy import answers, copied_package, insert

ROW = """\
    Metric(
        "npv",
        "image",
        MORE_IS_BETTER,
        "of the parts called good, those that are",
        lambda o: (o.image_tn, o.image_tn + o.image_fn),
        rests_on="both",
        sees=("misses",),
    ),
"""
ABOVE = '    Metric(\n        "latency_ms_per_image",\n'
YAML = """\
schema_version: 1
dataset:
  {format: synthetic, category: brushed_metal, n_train: 8, n_test_good: 4, n_defect: 4, size: 32}
detector: pixel_gaussian
corruptions: [blur]
severities: [5]
accept:
  all: {npv: {min: 0.01}, one_sided: misses}
  blur: {severity_5: {npv: {min: 1.0}}}
  summary: {worst_drop_npv: {max: 0.99}}
regression: {baseline: "baseline.json", npv: {max_drop: 0.2}, one_sided: misses}
"""
PROGRAM = """
import json
from dataclasses import replace
from pathlib import Path

from pytest_robustbench.config.benchmarks import build_benchmark
from pytest_robustbench.config.build import build_detector, build_split
from pytest_robustbench.config.loader import parse_config
from pytest_robustbench.config.schema import json_schema
from pytest_robustbench.gates.wording import describe
from pytest_robustbench.metrics.outcomes import COUNTS
from pytest_robustbench.reports.compare.regression import Match, judge_matches
from pytest_robustbench.reports.file.integrity import read_comparable
from pytest_robustbench.reports.file.schema import generated
from pytest_robustbench.reports.pages.conditions_csv import conditions_csv
from pytest_robustbench.reports.pages.html.page import report_html
from pytest_robustbench.reports.pages.source import Edition, Source

here = Path()
(declared,) = parse_config(Path("r.yaml").read_text(), here / "r.yaml").benchmarks
benchmark = build_benchmark(
    declared,
    here,
    build_split(declared, here),
    build_detector(declared.detector, here),
    operating_point=None,
    progress=lambda *_: None,
)
report = benchmark.run()
report.write("r.json")
stored = read_comparable(here / "r.json")  # works every metric out again
counts = {n: stored.record("clean")["results"]["metrics"][n] for n in COUNTS}
assert stored.metrics["clean"]["npv"] == counts["tn"] / (counts["tn"] + counts["fn"])
verdicts = {v.condition: v for v in stored.verdicts if v.limit.metric.endswith("npv")}
assert verdicts.keys() == {"clean", "blur-severity_5", "summary"}
assert verdicts["clean"].interval is not None and verdicts["clean"].n_images == 8
assert "npv = " in describe(verdicts["clean"]) and "8 images" in describe(verdicts["clean"])
assert "mean_corruption_npv" in stored.plain["robustness_summary"]

earlier = replace(report, header=report.header.changed(started="2025-01-31T12:00:00+00:00"))
earlier.write("baseline.json")
(judged,) = judge_matches([Match("m", stored, here / "baseline.json", declared.regression.allowed)])
assert {v.outcome for v in judged.verdicts} == {"pass"}, judged.problems

edition = Edition([Source(stored.plain, here / "r.json")], here)
assert ",npv," in conditions_csv(edition).splitlines()[0]
assert "of the parts called good, those that are; more is better" in report_html(edition)
assert "npv" in json.dumps(json_schema()) and "npv" in json.dumps(generated("report"))
"""
COLLECTED = """
from pathlib import Path
from pytest_robustbench.config.loader import parse_config
from pytest_robustbench.errors import ConfigError

text = Path("r.yaml").read_text()
for wrong in ("npv: {max: 0.01}", "npw: {min: 0.01}"):
    try:
        parse_config(text.replace("npv: {min: 0.01}", wrong), Path("r.yaml"))
    except ConfigError as error:
        print(error)
"""


@pytest.fixture
def package(tmp_path):
    (tmp_path / "r.yaml").write_text(YAML, encoding="utf-8")
    return copied_package(tmp_path)


@needs_pages
def test_a_metric_is_one_row(package, tmp_path):
    insert(package / "metrics/catalogue.py", ROW, above=ABOVE)

    assert answers(tmp_path, PROGRAM) == ""
    wrong_bound, wrong_name = answers(tmp_path, COLLECTED).splitlines()
    assert "'max' on npv under accept.all: more of it is better" in wrong_bound
    assert "did you mean 'npv'" in wrong_name


@needs_pages
def test_a_row_without_a_formula_is_named(package, tmp_path):
    row = ROW.replace("        lambda o: (o.image_tn, o.image_tn + o.image_fn),\n", "")
    insert(package / "metrics/catalogue.py", row, above=ABOVE)

    with pytest.raises(AssertionError, match="without a formula that nothing measures: npv"):
        answers(tmp_path, PROGRAM)
