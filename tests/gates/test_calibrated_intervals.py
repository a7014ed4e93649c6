"""Intervals in a run that calibrates hold what other calibration images would have given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_robustbench.gates.intervals import bound_on, interval_of
from pytest_robustbench.gates.recalibrated import extremes
from pytest_robustbench.gates.summary_intervals import summary_interval_of
from pytest_robustbench.metrics.catalogue import REGISTERED, metric_called
from pytest_robustbench.metrics.measured import value_of
from pytest_robustbench.metrics.metric import Metric
from pytest_robustbench.metrics.outcomes import Outcomes, Ratio
from pytest_robustbench.metrics.redrawn import HIGHEST, LOWEST, Decided, Redrawn
from tests.gates.regression_pairs import RATIOS

PIXELS = 64


def measured(maps, masks, labels, pixel, image):
    called = maps > pixel
    tp, fp = (called & masks).sum(axis=1), (called & ~masks).sum(axis=1)
    fn, tn = masks.sum(axis=1) - tp, (~masks).sum(axis=1) - fp
    counts = [column.astype(float) for column in (tp, fp, fn, tn)]
    scores = maps.max(axis=1).astype(np.float32).astype(float)
    return Outcomes(labels, scores, *counts, image_threshold=image, pixel_threshold=pixel)


def images(rng, n=80):
    labels = (np.arange(n) % 2).astype(np.int64)
    masks = (np.arange(PIXELS) < 12)[None] & (labels == 1)[:, None]
    maps = rng.normal(0, 1, (n, PIXELS)) + masks * rng.normal(3, 1, (n, 1))
    return maps, masks, labels


def calibrated(test, thresholds, ends, image_ends):
    """Outcomes at thresholds, with those at the ends of what they might have been."""
    outcomes = measured(*test, *thresholds)
    totals = outcomes.tp + outcomes.fn, outcomes.fp + outcomes.tn
    decided = []
    for side, pixel, image in zip((LOWEST, HIGHEST), ends, image_ends, strict=True):
        at = None if pixel is None else measured(*test, pixel, 0.0)
        counts = at and (at.tp, at.fp)
        decided.append(Decided.at(side, (pixel, image), counts, totals))
    return replace(outcomes, redrawn=(Redrawn(0.025, *decided),))


def example(seed=0):
    return calibrated(images(np.random.default_rng(seed)), (2.5, 3.5), (2.0, 4.0), (3.0, None))


@pytest.mark.parametrize("metric", RATIOS)
def test_whatever_lies_between_lies_within(metric):
    test = images(np.random.default_rng(0))
    outcomes, row = example(), metric_called(metric)

    low, high = interval_of(row, outcomes, resamples=200)

    for pixel, image in zip(np.linspace(2, 4, 9), np.linspace(3, 9, 9), strict=True):
        assert low <= (value_of(row, measured(*test, pixel, image)) or 0.0) <= high
    here = interval_of(row, outcomes.as_calibrated(), resamples=200)
    assert low <= here[0]
    assert here[1] <= high


def test_thresholds_that_were_given_have_no_calibration_in_their_interval():
    row, outcomes = metric_called("bg_fpr"), example()

    given, calibrated = interval_of(row, outcomes.as_calibrated()), interval_of(row, outcomes)

    assert given[0] > 0 == calibrated[0]
    assert given[1] < calibrated[1]


def test_a_bound_holds_the_calibration_too():
    outcomes, row = example(), metric_called("bg_fpr")

    given, calibrated = (bound_on("upper", row, o) for o in (outcomes.as_calibrated(), outcomes))

    assert calibrated > 1.2 * given


def test_an_end_that_nothing_bounds_is_that_of_a_detector_that_calls_nothing():
    assert interval_of(metric_called("miss_rate"), example())[1] == 1
    assert interval_of(metric_called("recall"), example())[0] == 0


def test_what_is_known_at_the_very_level_is_enough():
    best, worst = extremes(example(), 0.025 * (1 - 1e-12))  # a level has no exact half

    assert best.fp.tolist() == example().redrawn[0].highest.fp.tolist()
    assert worst.tp.tolist() == example().redrawn[0].highest.tp.tolist()


@pytest.mark.parametrize("alpha", [0.001, 0.0249])
def test_further_out_than_what_is_known_a_threshold_may_lie_anywhere(alpha):
    best, worst = extremes(example(), alpha)

    assert best.fp.sum() == 0
    assert best.fn.sum() == 0
    assert worst.tp.sum() == 0
    assert worst.tn.sum() == 0
    assert not (best.image_fp + best.image_fn).any()


def test_rankings_have_no_threshold():
    row = metric_called("auroc")

    assert interval_of(row, example()) == interval_of(row, example().as_calibrated())


@pytest.mark.parametrize("kind", ["mean_corruption", "worst_corruption", "mean_drop", "worst_drop"])
@pytest.mark.parametrize("metric", ["bg_fpr", "pixel_segf1"])
def test_a_summary_holds_the_calibration_too(kind, metric):
    outcomes = {"clean": example(), "blur-severity_3": example(1)}
    here = {c: o.as_calibrated() for c, o in outcomes.items()}

    low, high = summary_interval_of(f"{kind}_{metric}", outcomes, resamples=200)
    inner_low, inner_high = summary_interval_of(f"{kind}_{metric}", here, resamples=200)

    assert low <= inner_low
    assert inner_high <= high
    assert high - low > 1.3 * (inner_high - inner_low)


@pytest.fixture
def lit_parts():
    """A metric of one's own."""
    metric = Metric("lit_parts", "image", False, "lit", lambda _: None, source="line:lit")
    REGISTERED["lit_parts"] = metric
    return metric


def with_lit_parts(outcomes):
    n = len(outcomes.labels)
    return replace(outcomes, own={"lit_parts": Ratio(np.arange(n) % 4 / 4, np.ones(n))})


def test_what_other_thresholds_make_of_a_metric_of_ones_own_is_not_known(lit_parts):
    outcomes = with_lit_parts(example())

    assert interval_of(lit_parts, outcomes) == (0, 1)
    low, high = interval_of(lit_parts, outcomes.as_calibrated())
    assert 0.3 < low < 0.375 < high < 0.45


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("worst_corruption", (0, 1)), ("mean_drop", (-1, 1)), ("worst_drop", (-1, 1))],
)
def test_nor_what_they_make_of_its_summaries(lit_parts, kind, ends):
    outcomes = {"clean": with_lit_parts(example()), "blur": with_lit_parts(example(1))}

    assert summary_interval_of(f"{kind}_{lit_parts.name}", outcomes) == ends
