"""How much evidence a test set carries, and what it may have missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.gates.regression.evidence import (
    UNSEEN_VARIANCE,
    Evidence,
    evidence_of,
)
from tests.gates.regression_pairs import changed, comparison, pair_of, value_in, with_missed

POSITIVE = st.floats(1e-6, 1.0)


def evidence(pair, metric="pixel_segf1", value=0.05, loss=0.0):
    change = comparison(pair, metric, value).change
    return evidence_of(change, pair, value_in(metric, pair.baseline), loss)


def test_pixel_segf1_needs_images_of_equal_defect_area_by_the_published_formula():
    pair = pair_of(160)
    area = np.nan_to_num(pair.baseline.tp + pair.baseline.fn)[pair.labels == 1]
    f1 = value_in("pixel_segf1", pair.baseline)

    found = evidence(pair, value=0.03)

    assert found.effective == pytest.approx(area.sum() ** 2 / (area**2).sum())
    assert found.needed == pytest.approx(3 * f1 * (1 - f1 / 2) / 0.03)
    assert found.kind == "defect"


def test_one_huge_defect_leaves_little_evidence():
    pair = pair_of(160)
    huge = changed(pair.baseline, [1], tp=1e6, fn=1e6)
    assert evidence(replace(pair, baseline=huge)).effective == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("metric", ["pixel_segf1", "pixel_segf1_per_image"])
def test_a_loss_in_whole_images_scatters_as_the_evidence_says(metric):
    """Miss images at random: the variance of the loss per unit of loss is what `unseen` is of."""
    pair = pair_of(400)
    defects = np.flatnonzero(pair.labels == 1)[:-1]
    blind = defects[len(defects) // 3 :]
    found = changed(pair.baseline, blind, tp=0.0, fn=(pair.baseline.tp + pair.baseline.fn)[blind])
    pair = replace(pair, baseline=found)
    before = value_in(metric, found)
    rng = np.random.default_rng(0)
    hits = [defects[rng.random(len(defects)) < 0.04] for _ in range(800)]
    losses = [before - value_in(metric, with_missed(found, hit)) for hit in hits]

    scatter = np.var(losses) / np.mean(losses)

    assert scatter == pytest.approx(evidence(pair, metric).unseen / UNSEEN_VARIANCE, rel=0.15)


@given(POSITIVE)
def test_without_scatter_it_is_the_rule_of_three(unseen):
    assert Evidence(10, 5, unseen, "defect", 10).reach(0.0) == pytest.approx(unseen)


@given(POSITIVE)
def test_without_unseen_losses_it_is_the_bootstraps(drawn):
    assert Evidence(10, 5, 0.0, "defect", 10).reach(drawn) == pytest.approx(drawn)


@given(POSITIVE, POSITIVE)
def test_both_uncertainties_add(unseen, drawn):
    reach = Evidence(10, 5, unseen, "defect", 10).reach(drawn)
    assert reach >= max(unseen, drawn)
    assert reach <= unseen + drawn + 1e-12
    assert reach**2 == pytest.approx(drawn**2 + unseen * reach)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_so_many_more_images_make_the_reach_as_small_as_wanted(unseen, drawn, wanted):
    factor = Evidence(10, 5, unseen, "defect", 10).factor(drawn, wanted)
    many = Evidence(10, 5, unseen / factor, "defect", 10)
    reach = many.reach(drawn / factor**0.5)
    assert reach <= wanted * (1 + 1e-9)
    assert factor == 1 or reach == pytest.approx(wanted)


def test_a_bootstrap_without_bound_reaches_everywhere():
    assert Evidence(10, 5, 0.1, "defect", 10).reach(float("inf")) == float("inf")


def test_a_gain_that_must_be_sure_is_a_margin_of_its_own():
    pair = pair_of(160)
    assert evidence(pair, value=0.0, loss=-0.1).needed == evidence(pair, value=0.1).needed
    assert evidence(pair, value=0.0, loss=0.1).needed == float("inf")
