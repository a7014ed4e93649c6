"""The built-in detector on real images: good enough to be useful, and reported completely."""

from __future__ import annotations

import json

import pytest

from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.reports.file.fields import metrics_of
from pytest_robustbench.reports.file.schema import report_schema
from tests.integration.integration_data import CATEGORIES, clean_result, quick_benchmark

pytest.importorskip("torch")
jsonschema = pytest.importorskip("jsonschema")

BYTES_IN_GIT = 300_000


@pytest.mark.parametrize("category", CATEGORIES)
def test_clean_images_are_told_apart_better_than_by_chance(test_data, category):
    result = clean_result(test_data, category)

    # Without an image called defective there is no precision; all else is defined on real data.
    assert set(result.undefined) <= {"precision"}
    assert result.metrics["auroc"] > 0.6
    assert result.metrics["pixel_auroc"] > 0.7
    assert result.per_image.counted.all()
    assert len(result.latency.calls) == len(result.per_image.score)


@pytest.mark.parametrize(
    ("category", "metric", "floor"),
    [
        ("hazelnut_toy", "auroc", 0.97),
        ("hazelnut_toy", "pixel_auroc", 0.97),
        ("hazelnut_toy", "pixel_segf1", 0.5),
        ("magnetic_tile", "auroc", 0.93),
        ("grid", "pixel_auroc", 0.93),
    ],
)
def test_detects_real_defects(test_data, category, metric, floor):
    result = clean_result(test_data, category)

    assert result.metrics[metric] >= floor


def test_calls_few_pixels_of_good_parts(test_data):
    assert clean_result(test_data, "hazelnut_toy").metrics["normal_fpr"] <= 0.01


@pytest.fixture(scope="module", params=CATEGORIES)
def report(request, test_data):
    return quick_benchmark(test_data, request.param).run()


def test_all_conditions_make_a_valid_report(report, tmp_path):
    report.write(tmp_path / "report.json")

    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    plain = json.loads(text)
    jsonschema.validate(plain, report_schema(), cls=jsonschema.Draft202012Validator)
    assert plain == json.loads(json.dumps(report.to_dict()))
    assert plain["complete"] is True
    assert len(report.records) == 26
    assert sum(map(len, plain["robustness"]["corruptions"].values())) == 25
    assert len(text) < BYTES_IN_GIT
    assert (
        OperatingPoint.read(tmp_path / "report.json").digest == plain["operating_point"]["digest"]
    )


def test_the_columns_of_the_report_are_enough_to_pool_again(report):
    plain = report.to_dict()
    labels = plain["samples"]["label"]

    for record in report.records.values():
        columns = record["per_image"]
        tp, fp, fn, tn = (sum(filter(None, columns[name])) for name in ("tp", "fp", "fn", "tn"))
        metrics = metrics_of(record)
        assert metrics["pixel_segf1"] == 2 * tp / (2 * tp + fp + fn)
        assert metrics["bg_fpr"] == fp / (fp + tn)
        threshold = record["results"]["threshold"]
        missed = [
            score <= threshold
            for score, label in zip(columns["score"], labels, strict=True)
            if label and score is not None
        ]
        assert metrics["miss_rate"] == sum(missed) / len(missed)


def test_the_worst_corruption_hurts(report):
    """A summary whose worst value equalled the clean one would have measured nothing."""
    summary = report.summary().metrics

    assert summary["worst_corruption_pixel_segf1"] < 0.8 * summary["clean_pixel_segf1"]
    assert summary["worst_corruption_pixel_segf1"] <= summary["mean_corruption_pixel_segf1"]
    assert summary["worst_corruption_bg_fpr"] > 2 * summary["clean_bg_fpr"]
