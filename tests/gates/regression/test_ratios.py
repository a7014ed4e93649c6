"""Metrics of two models and the spread of their differences, against slow references."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pytest_robustbench.gates.names import MIN_METRICS
from pytest_robustbench.gates.regression.changes import FROM_COUNTS
from pytest_robustbench.gates.regression.rankings import auroc_difference
from pytest_robustbench.gates.regression.ratios import PIXEL_METRICS, difference_of, ratio_of
from pytest_robustbench.metrics import counts
from pytest_robustbench.metrics.images import decide
from tests.gates.regression_pairs import changed, pair_of, subset

seeds = st.integers(0, 10_000)


def difference(metric, pair):
    if metric == "auroc":
        return auroc_difference(pair)
    return difference_of(metric, pair, -1 if metric in MIN_METRICS else 1)


def as_evaluated(metric, outputs, labels):
    """What the evaluation itself would report."""
    if metric not in PIXEL_METRICS:
        kept = np.isfinite(outputs.score)
        decisions = decide(
            outputs.score[kept].astype(np.float32), labels[kept], outputs.image_threshold
        )
        return getattr(decisions, metric)
    known = np.isfinite(outputs.tp)
    whole = (np.nan_to_num(getattr(outputs, n)).astype(np.int64) for n in ("tp", "fp", "fn", "tn"))
    return getattr(counts, metric)(counts.CountColumns(*whole, labels == 1, known))


@pytest.mark.parametrize("metric", FROM_COUNTS)
def test_a_metric_is_the_one_that_the_evaluation_reports(metric):
    pair = pair_of(seed=3)
    for outputs in (pair.baseline, pair.candidate):
        found = ratio_of(metric, outputs, pair.labels).value
        assert found == pytest.approx(as_evaluated(metric, outputs, pair.labels), abs=1e-12)


def test_scores_are_compared_with_the_threshold_in_float32_as_in_the_evaluation():
    pair = pair_of()
    at_threshold = float(np.float32(0.1))  # above 0.1 in float64
    everywhere = np.where(np.isnan(pair.baseline.score), np.nan, at_threshold)
    outputs = replace(pair.baseline, score=everywhere, image_threshold=0.1)
    assert ratio_of("miss_rate", outputs, pair.labels).value == 1.0


def test_pixel_segf1_is_not_defined_where_there_is_no_defect_pixel():
    pair = pair_of()
    normals = subset(pair, np.flatnonzero(pair.labels == 0))
    assert normals.baseline.fp[1:].sum() > 0
    assert np.isnan(ratio_of("pixel_segf1", normals.baseline, normals.labels).value)


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_auroc_is_that_of_scikit_learn(seed):
    pair = pair_of(30, seed)
    tied = replace(pair, candidate=replace(pair.candidate, score=np.round(pair.candidate.score)))
    kept = np.isfinite(tied.candidate.score)
    before, after = (
        roc_auc_score(tied.labels[kept], outputs.score[kept])
        for outputs in (tied.baseline, tied.candidate)
    )
    assert auroc_difference(tied).loss() == pytest.approx(before - after, abs=1e-12)


@pytest.mark.parametrize("metric", [*FROM_COUNTS, "auroc"])
def test_a_draw_is_the_estimate_on_the_images_it_repeats(metric):
    pair = pair_of(40, 1, found=(0.7, 0.5))
    images = np.sort(np.random.default_rng(0).integers(0, 40, 40))
    weights = np.bincount(images, minlength=40)[None].astype(np.float64)
    repeated = difference(metric, subset(pair, images))
    (loss,), _ = difference(metric, pair).resampled(weights)
    assert loss == pytest.approx(repeated.loss(), abs=1e-12)


@pytest.mark.parametrize("metric", ["pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "auroc"])
def test_the_standard_error_of_a_draw_is_that_of_the_images_it_repeats(metric):
    pair = pair_of(40, 2, found=(0.7, 0.5))
    rng = np.random.default_rng(1)
    strata = [np.flatnonzero(pair.labels == label) for label in (0, 1)]
    images = np.concatenate([rng.choice(members, len(members)) for members in strata])
    repeated = difference(metric, subset(pair, images))
    _, (expected,) = repeated.resampled(np.ones((1, 40)))
    weights = np.bincount(images, minlength=40)[None].astype(np.float64)
    _, (error,) = difference(metric, pair).resampled(weights)
    assert error == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "metric", ["pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "f1", "accuracy", "auroc"]
)
def test_the_standard_error_agrees_with_the_stratified_jackknife(metric):
    pair = pair_of(300, 5, found=(0.7, 0.6))
    _, (error,) = difference(metric, pair).resampled(np.ones((1, 300)))
    assert error == pytest.approx(jackknife_error(metric, pair), rel=0.05)


def jackknife_error(metric, pair):
    variance = 0.0
    for label in (0, 1):
        members = np.flatnonzero(pair.labels == label)
        losses, _ = difference(metric, pair).resampled(1 - np.eye(len(pair.ids))[members])
        n = len(members)
        variance += (n - 1) / n * ((losses - losses.mean()) ** 2).sum()
    return np.sqrt(variance)


@pytest.mark.parametrize("metric", [*FROM_COUNTS, "auroc"])
def test_an_exchange_is_the_loss_of_models_whose_outputs_have_been_exchanged(metric):
    pair = pair_of(24, 4, found=(0.7, 0.4))
    swaps = np.random.default_rng(2).integers(0, 2, (20, 24)).astype(np.float64)
    found = difference(metric, pair).exchanged(swaps)
    expected = [difference(metric, exchanged_by_hand(pair, row, metric)).loss() for row in swaps]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def exchanged_by_hand(pair, swaps, metric):
    """Exchange image by image; of scores what exchanging can compare: decisions, or ranks."""
    b, c = (comparable(outputs, metric) for outputs in (pair.baseline, pair.candidate))
    for i in np.flatnonzero(swaps):
        columns = ("score", "tp", "fp", "fn", "tn")
        of_b, of_c = ({n: getattr(o, n)[i] for n in columns} for o in (b, c))
        b, c = changed(b, [i], **of_c), changed(c, [i], **of_b)
    return replace(pair, baseline=b, candidate=c)


def comparable(outputs, metric):
    if metric in PIXEL_METRICS:
        return outputs
    score = outputs.score
    if metric == "auroc":
        ranks = np.array([np.sum(score < s) + np.sum(score == s) / 2 for s in score])
        return replace(outputs, score=np.where(np.isnan(score), np.nan, ranks))
    called = np.where(np.isnan(score), np.nan, score > outputs.image_threshold)
    return replace(outputs, score=called, image_threshold=0.5)


@settings(deadline=None, max_examples=15)
@given(seeds, st.sampled_from([*FROM_COUNTS, "auroc"]))
def test_exchanging_every_image_turns_the_loss_round(seed, metric):
    pair = pair_of(30, seed)
    there = difference(metric, pair)
    (back,) = there.exchanged(np.ones((1, 30)))
    assert back == pytest.approx(-there.loss(), abs=1e-12)
