"""Intervals of one model's metrics: they hold, and they never say more than the images do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pytest_robustbench.gates.intervals import bound_on, interval_of
from pytest_robustbench.gates.summary_intervals import summary_interval_of
from pytest_robustbench.metrics.catalogue import metric_called
from tests.gates.regression_pairs import (
    COUNTS,
    RATIOS,
    changed,
    left_out,
    pair_of,
    subset,
    value_in,
    with_missed,
)

METRICS = (*RATIOS, "auroc")
SHARES = ("miss_rate", "recall", "false_reject_rate", "specificity")


def value_of(metric, outputs, labels):
    if metric == "auroc":
        measured = np.isfinite(outputs.score)
        return roc_auc_score(labels[measured], outputs.score[measured])
    return value_in(metric, outputs)


@pytest.mark.parametrize("metric", METRICS)
def test_the_value_lies_strictly_inside(metric):
    pair = pair_of(60)

    low, high = interval_of(metric_called(metric), pair.baseline, resamples=400)

    assert 0 <= low < value_of(metric, pair.baseline, pair.labels) < high <= 1


@settings(deadline=None, max_examples=25)
@given(
    metric=st.sampled_from(METRICS),
    n=st.integers(2, 30),
    found=st.sampled_from([0.0, 0.3, 0.95, 1.0]),
    seed=st.integers(0, 99),
)
def test_an_interval_holds_the_value_whatever_the_images(metric, n, found, seed):
    pair = pair_of(n + 3, seed, found=(found, found))

    interval = interval_of(metric_called(metric), pair.baseline, resamples=60)

    if interval is not None:
        value = value_of(metric, pair.baseline, pair.labels)
        assert 0 <= interval[0] <= value + 1e-12
        assert value - 1e-12 <= interval[1] <= 1


@pytest.mark.parametrize("metric", ["pixel_segf1", "miss_rate", "auroc"])
def test_more_images_say_more(metric):
    pair = pair_of(30)
    many = subset(pair, np.tile(np.arange(30), 9))

    few, most = (
        np.ptp(interval_of(metric_called(metric), p.baseline, resamples=400)) for p in (pair, many)
    )

    assert most < 0.5 * few


@pytest.mark.parametrize("metric", ["pixel_segf1", "recall", "auroc"])
def test_one_sided_bounds_lie_inside_the_interval_of_the_same_level(metric):
    pair = pair_of(60)

    low, high = interval_of(metric_called(metric), pair.baseline)

    assert low < bound_on("lower", metric_called(metric), pair.baseline)
    assert bound_on("upper", metric_called(metric), pair.baseline) < high
    assert bound_on("lower", metric_called(metric), pair.baseline, level=0.975) == low


def test_pixels_of_one_image_are_no_further_evidence():
    pair = pair_of(40)
    finer = replace(pair.baseline, **{n: 100 * getattr(pair.baseline, n) for n in COUNTS})

    coarse, fine = (interval_of(metric_called("pixel_segf1"), o) for o in (pair.baseline, finer))

    assert fine == pytest.approx(coarse)


def test_images_left_out_change_nothing():
    pair = pair_of(41)
    more = subset(pair, np.r_[np.arange(41), np.full(20, 0)])
    kept = np.flatnonzero(np.isfinite(pair.baseline.score))
    fewer = subset(pair, kept)

    for metric in METRICS:
        with_gaps, without = (
            interval_of(metric_called(metric), p.baseline, resamples=100) for p in (more, fewer)
        )
        assert with_gaps == without


@pytest.mark.parametrize("metric", SHARES)
def test_shares_of_images_have_exact_intervals(metric):
    """Were either end the truth, what was seen or beyond would be seen in 2.5 % of all cases."""
    from scipy.stats import binom

    labels = np.full(40, metric_called(metric).rests_on == "defect", np.int64)
    counts = np.zeros(40)
    scores = np.where(np.arange(40) < 17, 2.0, 0.0)
    outputs = replace(
        pair_of(4).baseline,
        labels=labels,
        groups=np.arange(40),
        score=scores,
        **dict.fromkeys(COUNTS, counts),
    )
    k = round(40 * value_in(metric, outputs))

    low, high = interval_of(metric_called(metric), outputs)

    assert binom.sf(k - 1, 40, low) == pytest.approx(0.025)
    assert binom.cdf(k, 40, high) == pytest.approx(0.025)


def test_without_any_miss_the_rule_of_three_is_left():
    pair = pair_of(40)
    defects = np.flatnonzero(pair.labels == 1)
    outputs = changed(pair.baseline, defects, score=9.0)
    n = int(np.isfinite(outputs.score[defects]).sum())

    assert interval_of(metric_called("miss_rate"), outputs)[0] == 0
    assert bound_on("upper", metric_called("miss_rate"), outputs) == pytest.approx(3 / n, rel=0.1)


@pytest.mark.parametrize(
    ("metric", "good", "most"),
    [("pixel_segf1", 1, 0.7), ("pixel_segf1_per_image", 1, 0.25), ("bg_fpr", 0, 0.25)],
)
def test_images_that_all_say_the_same_are_not_taken_for_certainty(metric, good, most):
    pair = pair_of(40)
    areas = pair.baseline.tp + pair.baseline.fn
    background = pair.baseline.fp + pair.baseline.tn
    perfect = replace(pair.baseline, tp=areas, fn=0 * areas, fp=0 * areas, tn=background)

    low, high = interval_of(metric_called(metric), perfect)

    assert (high if good else low) == good
    assert 0.05 < high - low < most


def test_a_perfect_ranking_is_not_taken_for_certainty():
    pair = pair_of(40)
    outputs = replace(pair.baseline, score=pair.baseline.score + 50 * pair.labels)

    low, high = interval_of(metric_called("auroc"), outputs)

    assert high == 1
    assert 0.6 < low < 0.95


@pytest.mark.parametrize(
    "metric", ["latency_ms_per_image", "aupro", "pixel_auroc", "average_precision"]
)
def test_what_images_do_not_tell_has_no_interval(metric):
    pair = pair_of(20)

    assert interval_of(metric_called(metric), pair.baseline) is None
    assert bound_on("lower", metric_called(metric), pair.baseline) is None
    assert bound_on("upper", metric_called(metric), pair.baseline) is None


@pytest.mark.parametrize("metric", METRICS)
def test_undefined_metrics_have_no_interval(metric):
    pair = pair_of(20)
    nothing = left_out(pair.baseline, range(20))

    assert interval_of(metric_called(metric), nothing) is None


def test_a_metric_that_two_images_carry_may_be_almost_anything():
    pair = pair_of(20)
    outputs = changed(pair.baseline, slice(None), score=0.0)
    outputs = changed(outputs, [1, 2], score=9.0)

    assert value_of("precision", outputs, pair.labels) == 0.5
    low, high = interval_of(metric_called("precision"), outputs)
    assert low < 0.05
    assert high > 0.95


def test_intervals_hold_as_often_as_they_claim():
    """Defects found whole or not at all: the hardest case, on test sets from a known population."""
    rng = np.random.default_rng(0)
    population = pair_of(400)
    missed = np.flatnonzero(population.labels == 1)[::4]
    outputs = with_missed(population.baseline, missed)
    population = replace(population, baseline=outputs)
    kinds = [np.flatnonzero((population.labels == k) & np.isfinite(outputs.tp)) for k in (0, 1)]
    true = value_in("pixel_segf1", outputs)

    def holds():
        drawn = subset(population, np.concatenate([rng.choice(kind, 60) for kind in kinds]))
        low, high = interval_of(metric_called("pixel_segf1"), drawn.baseline, resamples=300)
        return low <= true <= high

    assert np.mean([holds() for _ in range(200)]) >= 0.88


def test_intervals_are_the_same_every_time():
    pair = pair_of(30)

    def interval(seed):
        return interval_of(metric_called("pixel_segf1"), pair.baseline, resamples=100, seed=seed)

    assert interval(0) == interval(0)
    assert interval(0) != interval(1)


def test_what_is_not_asked_for_is_95_percent_by_2000_draws():
    pair, said = pair_of(30), {"level": 0.95, "resamples": 2000, "seed": 0}
    segf1, outputs = metric_called("pixel_segf1"), conditions_of(pair, 0.5)
    assert interval_of(segf1, pair.baseline) == interval_of(segf1, pair.baseline, **said)
    assert bound_on("lower", segf1, pair.baseline) == bound_on("lower", segf1, pair.baseline, 0.95)
    drop = "mean_drop_pixel_segf1"
    assert summary_interval_of(drop, outputs) == summary_interval_of(drop, outputs, **said)


def conditions_of(pair, *found, seed=5):
    """The images of a pair under clean and under corruptions that leave less to be found."""
    rng, measured = np.random.default_rng(seed), np.isfinite(pair.baseline.score)
    defects = (pair.labels == 1) & measured
    outputs = {"clean": pair.baseline}
    for share in found:
        tp = np.where(defects, np.floor(share * pair.baseline.tp * rng.uniform(0.8, 1)), 0)
        fn = np.where(defects, pair.baseline.tp + pair.baseline.fn - tp, 0)
        gone = {"tp": np.where(measured, tp, np.nan), "fn": np.where(measured, fn, np.nan)}
        outputs[f"blur-{share}"] = replace(pair.baseline, **gone)
    return outputs


def summary_of(metric, outputs, labels):
    kind, _, name = metric.partition("_pixel_")
    clean, *levels = (value_in(f"pixel_{name}", o) for o in outputs.values())
    drops = [clean - level for level in levels]
    return {
        "mean_corruption": np.mean(levels),
        "worst_corruption": min(levels),
        "mean_drop": np.mean(drops),
        "worst_drop": max(drops),
    }[kind]


SUMMARIES = tuple(
    f"{kind}_pixel_segf1"
    for kind in ("mean_corruption", "worst_corruption", "mean_drop", "worst_drop")
)


@pytest.mark.parametrize("metric", SUMMARIES)
def test_a_summary_lies_strictly_inside_its_interval(metric):
    pair = pair_of(60)
    outputs = conditions_of(pair, 0.9, 0.5, 0.45)

    low, high = summary_interval_of(metric, outputs, resamples=400)

    assert low < summary_of(metric, outputs, pair.labels) < high


@pytest.mark.parametrize("kind", ["mean", "worst"])
@pytest.mark.parametrize("metric", ["pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "f1"])
def test_a_summary_of_one_condition_is_as_sure_as_that_condition(kind, metric):
    pair = subset(pair_of(62), np.arange(1, 61))  # none is left out
    outputs = {"clean": pair.candidate, "blur": pair.baseline}

    found = summary_interval_of(f"{kind}_corruption_{metric}", outputs)

    assert found == pytest.approx(interval_of(metric_called(metric), pair.baseline))


def test_what_conditions_have_in_common_cancels_in_a_drop():
    """The defects that are hard under every condition say nothing about the drop."""
    pair = pair_of(800)
    missed = np.flatnonzero(pair.labels == 1)[::3]
    outputs = conditions_of(replace(pair, baseline=with_missed(pair.baseline, missed)), 0.9)

    level, drop = (
        np.ptp(summary_interval_of(metric, outputs, resamples=400))
        for metric in ("mean_corruption_pixel_segf1_per_image", "mean_drop_pixel_segf1_per_image")
    )

    assert drop < 0.5 * level


@pytest.mark.parametrize("metric", SUMMARIES)
def test_intervals_of_summaries_hold_as_often_as_they_claim(metric):
    rng = np.random.default_rng(0)
    population = subset(pair_of(402), np.arange(1, 401))
    lost = np.flatnonzero(population.labels == 1)[::4]
    population = replace(population, baseline=with_missed(population.baseline, lost))
    everywhere = conditions_of(population, 0.9, 0.62, 0.6)
    kinds = [np.flatnonzero(population.labels == k) for k in (0, 1)]
    true = summary_of(metric, everywhere, population.labels)

    def holds():
        chosen = np.concatenate([rng.choice(kind, 40) for kind in kinds])
        drawn = {
            c: subset(replace(population, baseline=o), chosen).baseline
            for c, o in everywhere.items()
        }
        low, high = summary_interval_of(metric, drawn, resamples=200)
        return low <= true <= high

    assert np.mean([holds() for _ in range(100)]) >= 0.88


def test_a_summary_that_images_do_not_tell_has_no_interval():
    pair = pair_of(20)
    outputs = conditions_of(pair, 0.9)

    for metric in ("worst_corruption_auroc", "mean_drop_aupro", "mean_drop_latency_p95_ms"):
        assert summary_interval_of(metric, outputs) is None
    nothing = {**outputs, "blur": left_out(pair.baseline, range(20))}
    assert summary_interval_of("mean_drop_pixel_segf1", nothing) is None
    assert summary_interval_of("mean_drop_pixel_segf1", {}) is None


@pytest.mark.parametrize(
    ("metric", "n_conditions"),
    [
        ("worst_corruption_miss_rate", 1),
        ("worst_corruption_miss_rate", 3),  # what they say alike is one doubt, not three
        ("mean_corruption_miss_rate", 3),
        ("mean_drop_recall", 3),
        ("worst_drop_miss_rate", 3),
    ],
)
def test_what_400_parts_do_not_show_may_be_in_as_many_as_the_rule_of_three_says(
    metric, n_conditions
):
    found = subset(pair_of(802), np.arange(1, 801, 2)).baseline
    found = changed(found, slice(None), score=9.0)
    conditions = {f"blur-{k}": found for k in range(n_conditions)}

    interval = summary_interval_of(metric, {"clean": found, **conditions})

    assert interval[1] == pytest.approx(1 - 0.025 ** (1 / 400), rel=0.1)


def test_a_drop_that_no_image_shows_is_not_taken_for_certainty():
    pair = pair_of(40)
    outputs = {"clean": pair.baseline, "blur": pair.baseline}

    low, high = summary_interval_of("worst_drop_miss_rate", outputs)

    assert low < 0 < high
