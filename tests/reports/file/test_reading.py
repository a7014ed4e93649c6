"""A record read back is the result it was written from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.reports.file.reading import result_from_record
from pytest_robustbench.reports.file.record import condition_record
from tests.reports.report_samples import drawn_result, scores_only, small_benchmark
from tests.reports.stored_reports import contrast, recorded_set


def read_back(condition, record):
    return condition_record(result_from_record(condition, json.loads(json.dumps(record))))


@pytest.mark.parametrize("detector", [contrast, scores_only])
@pytest.mark.parametrize(
    "condition",
    [CLEAN, Condition("geo_jitter", 5), Condition("recorded", recorded="led")],
    ids=lambda condition: condition.id,
)
def test_every_kind_of_condition_survives(detector, condition):
    benchmark = small_benchmark(detector, recorded={"led": recorded_set()})
    record = condition_record(benchmark.evaluate(condition))

    assert read_back(condition, record) == record


def test_what_recalibration_would_have_given_survives():
    point = OperatingPoint(pixel_threshold=20.0, image_threshold=30.0)
    record = condition_record(small_benchmark(operating_point=point).evaluate(CLEAN))

    assert "recalibrated" in record
    assert read_back(CLEAN, record) == record


def test_columns_have_their_types_again():
    first = drawn_result(CLEAN, np.random.default_rng(0))
    again = result_from_record(CLEAN, condition_record(first))

    for name in ("measured", "known", "score", "tp", "fp", "fn", "tn"):
        column = getattr(first.per_image, name)
        np.testing.assert_array_equal(getattr(again.per_image, name), column, strict=True)
    assert again.metrics == first.metrics
