"""Limits that another test set keeps: exact for shares, of parts, and all of them at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import betabinom

from pytest_robustbench.gates import prediction
from pytest_robustbench.gates.prediction import Predicted, jointly_predicted
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.outcomes import Outcomes

MISS_RATE, REJECTS, SEGF1 = map(metric_called, ("miss_rate", "false_reject_rate", "pixel_segf1"))
PROPOSED = tuple(metric for metric in BUILT_IN if metric.proposed)


def outcomes(found, rejected=(), groups=None):
    """Return defect images found or not and normal images rejected or not, all of 100 pixels."""
    called = np.array([*found, *rejected], bool)
    labels = np.repeat([1, 0], [len(found), len(rejected)])
    tp = np.where(called & (labels == 1), 10.0, 0.0)
    fp = np.where(called, 2.0, 0.0)
    defect = 10.0 * labels
    parts = np.empty(0, np.int64) if groups is None else np.asarray(groups)
    return Outcomes(
        labels, called.astype(float), tp, fp, defect - tp, 100 - defect - fp, 0.5, groups=parts
    )


def of_images(missed, n):
    return outcomes([False] * missed + [True] * (n - missed))


def limits(*values, safety=0.95):
    return jointly_predicted([Predicted(m, s, o) for m, s, o in values], safety)


@pytest.mark.parametrize(("missed", "n"), [(0, 17), (1, 17), (5, 40), (0, 320), (300, 320)])
@pytest.mark.parametrize("safety", [0.5, 0.95])
def test_a_share_has_the_exact_prediction_limit_of_a_binomial_count(missed, n, safety):
    (limit,) = limits((MISS_RATE, "test", of_images(missed, n)), safety=safety)
    exact = betabinom(n, missed + 1, n - missed)
    assert exact.cdf(n * limit) >= safety - 0.01
    assert exact.cdf(n * limit - 1) < safety + 0.01


def test_images_of_one_part_are_one_piece_of_evidence():
    found = [True, True, False, True, True, True, True, True]
    parts = limits((MISS_RATE, "test", outcomes(found)))
    images = limits(
        (MISS_RATE, "test", outcomes(np.repeat(found, 5), groups=np.repeat(range(8), 5)))
    )
    alone = limits((MISS_RATE, "test", outcomes(np.repeat(found, 5))))
    assert images == pytest.approx(parts)
    assert alone[0] < 0.7 * parts[0]


def test_two_parts_of_a_kind_make_nothing_safe_that_rests_on_it():
    two = outcomes([True] * 20, [False] * 20, groups=np.repeat(range(4), 10))
    metrics = [metric for metric in PROPOSED if metric.kind]
    found = limits(*[(metric, "test", two) for metric in metrics])
    assert found.tolist() == [0.0 if metric.more_is_better else 1.0 for metric in metrics]


def test_conditions_that_say_the_same_cost_nothing_and_other_images_do():
    images = outcomes([True] * 40 + [False] * 10)
    one = limits((MISS_RATE, "test", images))
    same = limits(*[(MISS_RATE, "test", images)] * 10)
    others = limits(*[(MISS_RATE, f"recorded-{i}", images) for i in range(10)])
    assert set(same) == set(one)
    assert others.min() > one[0]


def test_a_kind_of_part_that_was_not_seen_is_reckoned_with_in_every_metric():
    perfect = outcomes([True] * 30, [False] * 30)
    perfect = replace(perfect, fp=0 * perfect.fp, tn=perfect.tn + perfect.fp)
    values = [Predicted(metric, "test", perfect) for metric in PROPOSED]
    for metric, limit in zip(PROPOSED, jointly_predicted(values, 0.95), strict=True):
        assert 0 < limit < 1
        assert metric.sign * (limit - ratio_of(metric, perfect).value) > 0.03


def test_a_part_that_was_not_seen_is_missed_and_lights_up_half_of_its_background():
    """Of two parts, none is of its kind in 1/2 of all sets, one in 1/3, and both in 1/6.

    One has 2 * 10 found and, of the other, 10 missed and 45 of 90 background pixels lit.
    """
    perfect = outcomes([True, True])
    perfect = replace(perfect, fp=0 * perfect.fp, tn=perfect.tn + perfect.fp)
    found = [limits((SEGF1, "test", perfect), safety=safety)[0] for safety in (0.4, 0.7, 0.9)]
    assert found == pytest.approx([1.0, 20 / (20 + 10 + 45), 0.0])


@pytest.mark.parametrize("per_part", [1, 4])
def test_another_set_keeps_all_limits_as_often_as_is_said(per_part, monkeypatch):
    monkeypatch.setattr(prediction, "DRAWS", 2000)
    rng = np.random.default_rng(per_part)
    n_draws, broken = 150, 0

    def drawn():
        quality = rng.normal(size=60 // per_part).repeat(per_part)
        groups = np.arange(60 // per_part).repeat(per_part)
        hardness = np.linspace(-1, 1, 5)
        score = [quality + rng.normal(size=60) - h for h in hardness]
        return [outcomes(s[:40] > -1, s[40:] > 2, groups) for s in score]

    for _ in range(n_draws):
        seen, fresh = drawn(), drawn()
        values = [Predicted(metric, "test", o) for o in seen for metric in PROPOSED]
        kept = jointly_predicted(values, 0.95)
        again = [ratio_of(metric, o).value for o in fresh for metric in PROPOSED]
        signs = [metric.sign for _ in fresh for metric in PROPOSED]
        broken += bool((np.multiply(signs, again - kept) > 1e-12).any())
    assert broken / n_draws <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / n_draws)


def test_rare_safety_is_drawn_often_enough():
    loose, tight = (
        limits((MISS_RATE, "test", of_images(3, 100)), safety=s)[0] for s in (0.999, 0.95)
    )
    exact = betabinom(100, 4, 97)
    assert exact.ppf(0.9985) <= 100 * loose + 1e-9 <= exact.ppf(0.9995) + 1e-6
    assert tight < loose


def test_images_without_pixels_or_scores_add_nothing_and_stay_parts():
    images = of_images(4, 20)
    gone = np.arange(20) >= 15
    blank = replace(images, score=np.where(gone, np.nan, images.score)).of(np.arange(20))
    (limit,) = limits((MISS_RATE, "test", blank))
    assert 4 / 15 < limit < 1


def test_a_metric_without_a_largest_value_has_no_safe_ceiling():
    unbounded = replace(MISS_RATE, largest=float("inf"))
    assert limits((unbounded, "test", of_images(3, 50))) == [np.inf]
    assert limits((unbounded, "test", outcomes([False, True], [False] * 9))) == [np.inf]


def test_floors_lie_below_and_do_not_depend_on_the_order_of_values():
    images = outcomes([True] * 60 + [False] * 20, [False] * 40)
    values = [(SEGF1, "test", images), (MISS_RATE, "test", images), (REJECTS, "test", images)]
    found = limits(*values)
    assert 0 < found[0] < ratio_of(SEGF1, images).value
    assert found.tolist() == limits(*values[::-1])[::-1].tolist()
