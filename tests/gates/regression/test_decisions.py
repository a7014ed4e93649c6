"""Images that two models decide differently: which, in what direction, and the worst first."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.gates.regression.decisions import KINDS, changed_decisions
from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.metrics.outcomes import Outcomes


def outcomes(labels, score, threshold=10.0):
    score = np.array(score, np.float64)
    counts = {name: np.full(score.shape, np.nan) for name in ("tp", "fp", "fn", "tn")}
    labels = np.array(labels, np.int64)
    return Outcomes(labels, score, **counts, image_threshold=threshold)


def pair(labels, baseline, candidate, thresholds=(10.0, 10.0)):
    ids = tuple(f"test/{i:03d}" for i in range(len(labels)))
    scores = zip((baseline, candidate), thresholds, strict=True)
    first, second = (outcomes(labels, *each) for each in scores)
    return Pair("blur-severity_3", ids, first, second)


@pytest.mark.parametrize(
    ("label", "baseline", "candidate", "kind"),
    [
        (1, 12, 8, "new miss"),
        (0, 8, 12, "new false reject"),
        (1, 8, 12, "fixed miss"),
        (0, 12, 8, "fixed false reject"),
    ],
)
def test_the_direction(label, baseline, candidate, kind):
    (found,) = changed_decisions(pair([label], [baseline], [candidate]))

    assert (found.kind, found.label, found.id) == (kind, label, "test/000")
    assert (found.baseline, found.candidate) == (baseline > 10, candidate > 10)


def test_each_model_is_judged_at_its_own_threshold():
    scores = [[5.0, 100.0], [600.0, 400.0]]
    (found,) = changed_decisions(pair([1, 1], *scores, thresholds=(4.0, 500.0)))

    assert (found.id, found.kind) == ("test/001", "new miss")
    assert (found.baseline_threshold, found.candidate_threshold) == (4.0, 500.0)


def test_a_score_on_the_threshold_is_called_good():
    assert changed_decisions(pair([1], [10.0], [9.0])) == ()
    assert [d.kind for d in changed_decisions(pair([1], [10.5], [10.0]))] == ["new miss"]


def test_a_score_is_compared_as_the_float32_it_was_measured_as():
    threshold = float(np.float32(0.1))
    just_above_as_float64 = threshold + 1e-12
    equal = pair([1], [just_above_as_float64], [threshold], (threshold, threshold))

    assert changed_decisions(equal) == ()


def test_an_image_that_one_side_did_not_measure_is_not_decided():
    assert changed_decisions(pair([1, 0], [12, np.nan], [np.nan, 12])) == ()


def test_the_worst_comes_first():
    labels = [0, 1, 1, 0, 1, 0]
    baseline = [9, 11, 11, 9, 1, 30]
    candidate = [12, 9, 5, 20, 11, 9]
    found = changed_decisions(pair(labels, baseline, candidate))

    assert [(d.kind, d.id) for d in found] == [
        ("new miss", "test/002"),
        ("new miss", "test/001"),
        ("new false reject", "test/003"),
        ("new false reject", "test/000"),
        ("fixed miss", "test/004"),
        ("fixed false reject", "test/005"),
    ]


def test_margins_do_not_depend_on_the_scale_of_a_model():
    labels, baseline, candidate = [1, 1, 0], [12, 11, 9], [7, 12, 11]
    found = changed_decisions(pair(labels, baseline, candidate))
    scaled = changed_decisions(
        pair(labels, baseline, [1000 * c for c in candidate], (10.0, 10_000.0))
    )

    assert [d.candidate_margin for d in found] == [d.candidate_margin for d in scaled]
    assert found[0].candidate_margin == -1.5  # the distances are 3, 2 and 1: their median is 2


def test_scores_that_all_lie_on_the_threshold_have_no_scale_and_still_an_order():
    (found,) = changed_decisions(pair([1, 1, 1], [12, 9, 8], [10, 10, 10]))

    assert found.candidate_margin == 0.0


def test_a_line_says_what_happened():
    (found,) = changed_decisions(pair([1], [12.25], [10.0]))

    assert found.describe() == (
        "blur-severity_3 test/000: new miss: score 10 at 10, in the baseline 12.25 above 10"
    )


def test_a_line_tells_a_score_from_its_threshold_however_close_it_is():
    (found,) = changed_decisions(pair([1], [12.0], [9.999995]))

    assert "score 9.999995 below 10," in found.describe()


def test_it_is_plain_json():
    (found,) = changed_decisions(pair([1], [12], [8]))

    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["kind"] == "new miss"


scores = st.floats(-50, 50, width=32) | st.just(float("nan")) | st.just(10.0)


@given(st.lists(st.tuples(st.sampled_from([0, 1]), scores, scores), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_it_finds_what_a_loop_over_the_images_finds(rows):
    labels, baseline, candidate = (list(column) for column in zip(*rows, strict=True))
    expected = {}
    for i, (label, before, after) in enumerate(rows):
        if math.isnan(before) or math.isnan(after) or (before > 10) == (after > 10):
            continue
        direction = "miss" if label else "false reject"
        wrong_now = (after > 10) != bool(label)
        expected[f"test/{i:03d}"] = f"{'new' if wrong_now else 'fixed'} {direction}"
    found = changed_decisions(pair(labels, baseline, candidate))

    assert {d.id: d.kind for d in found} == expected
    assert [d.rank for d in found] == sorted(d.rank for d in found)
    assert [KINDS.index(d.kind) for d in found] == sorted(KINDS.index(d.kind) for d in found)
