"""Metrics of two models and the spread of their differences, against slow references."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from pytest_robustbench.gates.regression.rankings import auroc_difference
from pytest_robustbench.gates.regression.ratios import difference_of
from pytest_robustbench.metrics.catalogue import metric_called
from tests.gates.regression_pairs import RATIOS, changed, of_parts, pair_of, subset, value_in

seeds = st.integers(0, 10_000)


def difference(metric, pair):
    if metric == "auroc":
        return auroc_difference(pair)
    return difference_of(metric_called(metric), pair)


def slowly(metric, outputs):
    """The metric of decisions by scikit-learn, that of pixels image by image."""
    kept = np.isfinite(outputs.score)
    truth, called = outputs.labels[kept], outputs.score[kept] > outputs.image_threshold
    images = [
        (label, *map(int, counts))
        for label, *counts in zip(
            outputs.labels, *(getattr(outputs, n) for n in ("tp", "fp", "fn", "tn")), strict=True
        )
        if not np.isnan(counts[0])
    ]
    tp, fp, fn, tn = np.sum([counts for _, *counts in images], axis=0)
    normal = [(fp, tn) for label, _, fp, _, tn in images if label == 0]
    recall, specificity = (recall_score(truth, called, pos_label=k) for k in (1, 0))
    return {
        "pixel_segf1": 2 * tp / (2 * tp + fp + fn),
        "pixel_segf1_per_image": np.mean(
            [2 * tp / (2 * tp + fp + fn) for label, tp, fp, fn, _ in images if label]
        ),
        "bg_fpr": fp / (fp + tn),
        "normal_fpr": sum(fp for fp, _ in normal) / sum(map(sum, normal)),
        "recall": recall,
        "miss_rate": 1 - recall,
        "specificity": specificity,
        "false_reject_rate": 1 - specificity,
        "precision": precision_score(truth, called),
        "f1": f1_score(truth, called),
        "accuracy": accuracy_score(truth, called),
    }[metric]


@pytest.mark.parametrize("metric", RATIOS)
def test_a_metric_is_the_one_that_the_evaluation_reports(metric):
    pair = pair_of(seed=3)
    for outputs in (pair.baseline, pair.candidate):
        found = value_in(metric, outputs)
        assert found == pytest.approx(slowly(metric, outputs), abs=1e-12)


def test_scores_are_compared_with_the_threshold_in_float32_as_in_the_evaluation():
    pair = pair_of()
    at_threshold = float(np.float32(0.1))  # above 0.1 in float64
    everywhere = np.where(np.isnan(pair.baseline.score), np.nan, at_threshold)
    outputs = replace(pair.baseline, score=everywhere, image_threshold=0.1)
    assert value_in("miss_rate", outputs) == 1.0


def test_pixel_segf1_is_not_defined_where_there_is_no_defect_pixel():
    pair = pair_of()
    normals = subset(pair, np.flatnonzero(pair.labels == 0))
    assert normals.baseline.fp[1:].sum() > 0
    assert np.isnan(value_in("pixel_segf1", normals.baseline))


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


@pytest.mark.parametrize("metric", [*RATIOS, "auroc"])
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


@pytest.mark.parametrize("metric", [*RATIOS, "auroc"])
def test_the_same_images_of_a_part_say_no_more_than_one_of_them(metric):
    pair = pair_of(30, 2, found=(0.7, 0.5))
    five = difference(metric, of_parts(subset(pair, np.repeat(np.arange(30), 5)), 5))
    rng = np.random.default_rng(3)
    draws = rng.multinomial(30, np.full(30, 1 / 30), 20).astype(np.float64)
    swaps = rng.integers(0, 2, (20, 30)).astype(np.float64)
    once = difference(metric, pair)
    np.testing.assert_allclose(five.resampled(draws), once.resampled(draws), atol=1e-9)
    np.testing.assert_allclose(five.exchanged(swaps), once.exchanged(swaps), atol=1e-9)


@pytest.mark.parametrize("metric", [*RATIOS, "auroc"])
def test_an_exchange_is_the_loss_of_models_whose_outputs_have_been_exchanged(metric):
    pair = pair_of(24, 4, found=(0.7, 0.4))
    swaps = np.random.default_rng(2).integers(0, 2, (20, 24)).astype(np.float64)
    found, _ = difference(metric, pair).exchanged(swaps)
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
    if metric_called(metric).counts_pixels:
        return outputs
    score = outputs.score
    if metric == "auroc":
        ranks = np.array([np.sum(score < s) + np.sum(score == s) / 2 for s in score])
        return replace(outputs, score=np.where(np.isnan(score), np.nan, ranks))
    called = np.where(np.isnan(score), np.nan, score > outputs.image_threshold)
    return replace(outputs, score=called, image_threshold=0.5)


@settings(deadline=None, max_examples=15)
@given(seeds, st.sampled_from([*RATIOS, "auroc"]))
def test_exchanging_every_image_turns_the_loss_round(seed, metric):
    pair = pair_of(30, seed)
    there = difference(metric, pair)
    (back,), (error,) = there.exchanged(np.ones((1, 30)))
    assert back == pytest.approx(-there.loss(), abs=1e-12)
    assert error == pytest.approx(there.resampled(np.ones((1, 30)))[1][0], abs=1e-12)
