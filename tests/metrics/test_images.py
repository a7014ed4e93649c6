"""Image decisions at the frozen threshold, what is undefined, and what retuning would buy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.ranking.exact import UNDEFINED
from tests.metrics.metrics_columns import decided, scored, value

DECISIONS = (
    *("precision", "recall", "f1", "specificity", "accuracy"),
    *("miss_rate", "false_reject_rate"),
)


@st.composite
def image_sets(draw, both=True):
    """Scores, often tied, and labels; of both classes where wanted."""
    labels = draw(st.lists(st.integers(0, 1), min_size=1, max_size=20))
    labels = [*labels, 0, 1] if both else labels
    value = st.one_of(st.integers(-3, 3), st.floats(-(2.0**99), 2.0**99, width=32))
    scores = draw(st.lists(value, min_size=len(labels), max_size=len(labels)))
    return np.array(scores, np.float32), np.array(labels)


@given(image_sets())
@settings(deadline=None, max_examples=60)
def test_ranking_is_scikit_learns(images):
    scores, labels = images

    ranking = rank_images(scores, labels)

    assert ranking.auroc == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
    expected = average_precision_score(labels, scores)
    assert ranking.average_precision == pytest.approx(expected, abs=1e-9)


def test_ranking_leaves_the_scores_as_they_were():
    scores = np.array([3, 1, 2], np.float32)

    rank_images(scores, [0, 0, 1])

    assert scores.tolist() == [3, 1, 2]


@pytest.mark.parametrize("label", [0, 1])
def test_ranking_one_class_is_not_defined(label):
    assert rank_images(np.arange(3, dtype=np.float32), [label] * 3) == UNDEFINED


@given(image_sets(), st.integers(-3, 3))
@settings(deadline=None, max_examples=60)
def test_decisions_are_scikit_learns_where_both_are_defined(images, threshold):
    scores, labels = images
    called = scores > threshold

    found = scored(scores, labels, threshold)

    assert sum(getattr(found, f"image_{n}").sum() for n in ("tp", "fp", "fn", "tn")) == labels.size
    assert value("recall", found) == pytest.approx(recall_score(labels, called))
    assert value("specificity", found) == pytest.approx(recall_score(labels, called, pos_label=0))
    assert value("accuracy", found) == pytest.approx(accuracy_score(labels, called))
    assert value("f1", found) == pytest.approx(f1_score(labels, called))
    assert value("miss_rate", found) == pytest.approx(1 - value("recall", found))
    assert value("false_reject_rate", found) == pytest.approx(1 - value("specificity", found))
    if called.any():
        assert value("precision", found) == pytest.approx(precision_score(labels, called))
    else:
        assert value("precision", found) is None


def test_a_score_equal_to_the_threshold_is_good():
    assert scored([1, 2], [1, 1], 1.0).called.tolist() == [False, True]
    assert not scored([0.1], [0], 0.1).called.any()


@pytest.mark.parametrize(
    ("numbers", "undefined"),
    [
        ({"fn": 3, "tn": 3}, {"precision"}),
        ({"tn": 3}, {"precision", "recall", "miss_rate", "f1", "accuracy"}),
        ({"fp": 1, "tn": 2}, {"precision", "recall", "miss_rate", "f1", "accuracy"}),
        ({"tp": 2, "fn": 1}, {"precision", "specificity", "false_reject_rate", "f1", "accuracy"}),
        ({"tp": 1, "fp": 1, "fn": 1, "tn": 1}, set()),
    ],
)
def test_a_share_of_nothing_is_none(numbers, undefined):
    found = decided(**numbers)

    assert {name for name in DECISIONS if value(name, found) is None} == undefined


def test_nothing_found_is_an_f1_of_zero():
    assert value("f1", decided(fn=3, tn=3)) == 0
    assert value("f1", decided(fp=1, fn=1, tn=2)) == 0


@given(image_sets())
@settings(deadline=None, max_examples=100)
def test_best_f1_is_reproduced_by_its_threshold_and_never_beaten(images):
    scores, labels = images

    best = best_f1(scores, labels)

    assert np.float32(best.threshold) == best.threshold
    reached = scored(scores, labels, best.threshold)
    assert value("f1", reached) == best.f1
    everything = np.nextafter(scores.min(), np.float32(-np.inf))
    tried = [scored(scores, labels, threshold) for threshold in [everything, *scores]]
    assert best.f1 == max(value("f1", each) for each in tried)
    misses = min(each.image_fn.sum() for each in tried if value("f1", each) == best.f1)
    assert reached.image_fn.sum() == misses


def test_best_f1_between_neighbouring_floats():
    low = np.float32(1)
    high = np.nextafter(low, np.float32(2))

    assert best_f1(np.array([low, high], np.float32), [0, 1]) == (1.0, 1.0)


def test_best_f1_without_defect_is_not_defined():
    assert best_f1(np.ones(2, np.float32), [0, 0]) is None
    assert best_f1(np.empty(0, np.float32), []) is None


@given(image_sets())
@settings(deadline=None, max_examples=40)
def test_only_the_order_of_scores_matters(images):
    scores, labels = images
    ranks = np.unique(scores, return_inverse=True)[1].astype(np.float32) ** 3 - 7

    assert rank_images(ranks, labels) == rank_images(scores, labels)
    assert best_f1(ranks, labels).f1 == best_f1(scores, labels).f1


@pytest.mark.parametrize("function", [rank_images, best_f1])
def test_scores_and_labels_must_fit(function):
    with pytest.raises(ValueError, match="2 scores, but 3 labels"):
        function(np.ones(2, np.float32), [0, 1, 1])
