"""A record read back is the result it was written from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.metrics.outcomes import COUNTS
from pytest_robustbench.reports.file.record import condition_record, result_from_record
from tests.reports.report_samples import drawn_result, scores_only, small_benchmark
from tests.reports.stored_reports import contrast, recorded_set


def read_back(condition, record, labels):
    return condition_record(result_from_record(condition, json.loads(json.dumps(record)), labels))


@pytest.mark.parametrize("detector", [contrast, scores_only])
@pytest.mark.parametrize(
    "condition",
    [CLEAN, Condition("geo_jitter", 5), Condition("recorded", recorded="led")],
    ids=lambda condition: condition.id,
)
def test_every_kind_of_condition_survives(detector, condition):
    benchmark = small_benchmark(detector, recorded={"led": recorded_set()})
    result = benchmark.evaluate(condition)
    record = condition_record(result)

    assert read_back(condition, record, result.per_image.labels) == record


def test_what_recalibration_would_have_given_survives():
    point = OperatingPoint(pixel_threshold=20.0, image_threshold=30.0)
    result = small_benchmark(operating_point=point).evaluate(CLEAN)
    record = condition_record(result)

    assert "recalibrated" in record
    assert read_back(CLEAN, record, result.per_image.labels) == record


def test_columns_have_their_types_again():
    first = drawn_result(CLEAN, np.random.default_rng(0))
    again = result_from_record(CLEAN, condition_record(first), first.per_image.labels)

    for name in ("labels", *COUNTS):
        column = getattr(first.per_image, name)
        np.testing.assert_array_equal(getattr(again.per_image, name), column, strict=True)
    scores = (each.per_image.score.astype(np.float32) for each in (first, again))
    np.testing.assert_array_equal(*scores)
    assert again.metrics == first.metrics
