"""Integers in place of scores sort and tie exactly as the scores do."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.metrics.ranking.order import ordered_bits, stable_argsort
from tests.metrics.metrics_pixels import SCALES

SCORES = st.lists(st.one_of(*SCALES), max_size=40).map(lambda each: np.array(each, np.float32))


@given(SCORES)
@settings(deadline=None, max_examples=150)
def test_integers_compare_as_the_scores_do(scores):
    keys = ordered_bits(scores)

    assert keys.dtype == np.int32
    assert np.array_equal(keys[:, None] < keys, scores[:, None] < scores)
    assert np.array_equal(keys[:, None] == keys, scores[:, None] == scores)


def test_both_zeros_are_zero():
    assert ordered_bits(np.array([-0.0, 0.0], np.float32)).tolist() == [0, 0]


def test_the_next_float_is_the_next_integer():
    scores = np.array([-np.finfo(np.float32).max, -1, -(2.0**-149), 0, 1], np.float32)

    above = ordered_bits(np.nextafter(scores, np.float32(np.inf)))

    assert (above - ordered_bits(scores)).tolist() == [1] * 5


@given(SCORES)
@settings(deadline=None, max_examples=150)
def test_equal_scores_keep_their_order(scores):
    assert stable_argsort(scores).tolist() == np.argsort(scores, kind="stable").tolist()


def test_scores_are_left_as_they_were():
    scores = np.array([[3, 1, -2], [5, 0, 4]], np.float32)[:, ::2]

    stable_argsort(scores[0])

    assert scores.tolist() == [[3, -2], [5, 4]]
