"""What a drift did to decisions: dead, unmoved or graded."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.gates.effects import by_effect, effect_of, is_dead
from pytest_robustbench.metrics.outcomes import Outcomes

THRESHOLD = 1.0


def outcomes(good, defective):
    """Images whose scores are given, judged at 1."""
    score = np.array([*good, *defective], float)
    labels = np.array([0] * len(good) + [1] * len(defective))
    unknown = np.full(len(score), np.nan)
    return Outcomes(labels, score, *[unknown] * 4, image_threshold=THRESHOLD)


CLEAN = outcomes([0.1] * 18 + [2, 2], [2] * 19 + [0.5])


@pytest.mark.parametrize(
    ("good", "defective", "effect"),
    [
        ([0.1] * 18 + [2, 2], [2] * 19 + [0.5], "unmoved"),
        ([0.9] * 18 + [9, 1.1], [1.5] * 19 + [0.9], "unmoved"),  # scores moved, no decision did
        ([0.1] * 17 + [2, 2, 2], [2] * 19 + [0.5], "graded"),
        ([2] * 18 + [0, 0], [2] * 20, "graded"),  # nine in ten rejected are not nearly all
        ([2] * 19 + [0], [2] * 20, "dead"),
        ([0.1] * 20, [0] * 19 + [2], "dead"),
        ([np.nan] * 9 + [0.1] * 9 + [2, 2], [2] * 19 + [0.5], "unmoved"),  # what is left out
    ],
)
def test_decisions_alone_say_what_a_drift_did(good, defective, effect):
    assert effect_of(outcomes(good, defective), CLEAN) == effect


@pytest.mark.parametrize(
    ("good", "defective", "dead"), [([], [2, 2], False), ([2, 2], [], True), ([], [0], True)]
)
def test_one_kind_alone_can_be_dead(good, defective, dead):
    assert is_dead(outcomes(good, defective)) == dead


def test_conditions_are_told_by_kind():
    found = by_effect({"a": "dead", "b": "graded", "c": "dead"})
    assert found == {"dead": ["a", "c"], "unmoved": [], "graded": ["b"]}
