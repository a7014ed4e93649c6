"""Several images of one part, from the samples to the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_robustbench.benchmark import Benchmark, Gate
from pytest_robustbench.datasets.grouping import grouped
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.wording import describe
from pytest_robustbench.reports.compare.regression import Match, judge_matches
from tests.reports.report_samples import contrast
from tests.reports.stored_reports import edit

LIMITS = {
    "clean": (Limit("bg_fpr", "max", 0.9, "r.yaml:5"), Limit("miss_rate", "max", 0.9, "r.yaml:6"))
}
SLOWLY = AllowedChange("bg_fpr", "max_rise", 0.1, relative=False, source="r.yaml:9")
TENS = r"/([a-z]+/\d\d)\d$|calibration.*(\d)$|train.*(\d)$"
"""Ten neighbours of a folder show one part."""


def measured(pattern):
    drawn = load_split("synthetic", n_train=8, n_test_good=12, n_defect=24, size=32)
    split = grouped(replace(drawn, train=(), calibration=drawn.train), pattern)
    options = {
        "corruptions": ["blur"],
        "severities": [3],
        "gate": Gate(LIMITS, one_sided={"clean": "misses"}),
    }
    return Benchmark(split, contrast, fitted=True, **options).run()


@pytest.fixture(scope="module")
def report():
    return measured(TENS)


def test_the_report_says_which_part_an_image_shows(report):
    samples = report.header.samples
    assert len(set(samples.group)) < len(samples.id)
    assert all(name.endswith(tuple("0123456789")) for name in samples.id)


def test_verdicts_count_images_and_parts(report):
    n_parts = len(set(report.header.samples.group))
    pixels = next(v for v in report.verdicts if v.limit.metric == "bg_fpr")
    assert (pixels.n_images, pixels.n_parts) == (36, n_parts)
    assert f"36 images of {n_parts} parts" in describe(pixels)


def test_fewer_parts_say_less(report):
    alone = {v.limit.metric: v for v in measured(None).verdicts}
    for verdict in report.verdicts:
        one = alone[verdict.limit.metric]
        assert verdict.value == one.value
        assert verdict.n_parts < one.n_parts == one.n_images
        widths = [v.interval[1] - v.interval[0] for v in (one, verdict)]
        if verdict.limit.metric == "bg_fpr":
            assert widths[0] < widths[1]


def test_reports_that_put_other_images_together_are_not_compared(report, tmp_path):
    for name in ("base", "candidate"):
        report.write(tmp_path / f"{name}.json")
    edit(tmp_path / "base.json", lambda plain: plain["samples"].update(group=[None] * 36))
    match = Match("nuts", tmp_path / "candidate.json", tmp_path / "base.json", (SLOWLY,))
    (judged,) = judge_matches([match])
    assert judged.outcome == "error"
    assert any("are said to show other parts" in problem for problem in judged.problems)
