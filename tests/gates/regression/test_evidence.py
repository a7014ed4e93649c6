"""How much evidence a test set carries, and what it may have missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.regression.evidence import (
    UNSEEN_VARIANCE,
    Evidence,
    evidence_of,
)
from pytest_robustbench.gates.regression.pairs import Pair, flaw_of
from pytest_robustbench.metrics.catalogue import REGISTERED
from pytest_robustbench.metrics.metric import Metric
from pytest_robustbench.metrics.outcomes import Outcomes, Ratio
from tests.gates.regression_pairs import (
    changed,
    comparison,
    of_parts,
    pair_of,
    subset,
    value_in,
)

POSITIVE = st.floats(1e-6, 1.0)


def evidence(pair, metric="pixel_segf1", value=0.05, loss=0.0):
    change = comparison(pair, metric, value).change
    baseline = 0.8 if metric == "auroc" else value_in(metric, pair.baseline)
    return evidence_of(change, pair, baseline, loss)


def even_pair(n=80):
    """Every defect is found to the same share, and every image has the same size."""
    labels = np.arange(n) % 2
    area = 400.0 * labels
    columns = (labels + 0.5, 0.6 * area, 0 * area + 20, 0.4 * area, 10_000 - area - 20)
    outputs = Outcomes(labels.astype(np.int64), *columns, 1.0, 0.5)
    return Pair("clean", tuple(map(str, range(n))), outputs, outputs)


def test_a_mean_over_defect_images_needs_the_rule_of_three_of_what_one_of_them_has():
    f1 = value_in("pixel_segf1_per_image", even_pair().baseline)
    found = evidence(even_pair(), "pixel_segf1_per_image", 0.03)
    assert found.effective == pytest.approx(40)
    assert found.needed == pytest.approx(3 * f1 / 0.03)
    assert (found.kind, found.counted, found.images) == ("defect", 40, 40)


def test_an_image_that_lights_up_costs_its_whole_background():
    found = evidence(even_pair(), "bg_fpr", 0.02)
    assert found.needed == pytest.approx(3 * (1 - 0.002) / 0.02, rel=0.01)
    assert (found.kind, found.counted) == ("test", 80)


def test_pixel_segf1_suffers_from_good_images_that_light_up_more_than_from_missed_defects():
    pair = even_pair(800)
    lit = changed(pair.baseline, [0], fp=10_000.0, tn=0.0)
    loss = value_in("pixel_segf1", pair.baseline) - value_in("pixel_segf1", lit)
    found = evidence(pair)
    assert found.kind == "test"
    assert found.needed / found.effective == pytest.approx(3 * loss / 0.05, rel=0.1)


def test_a_ranking_suffers_from_images_of_the_kind_that_is_rare():
    pair = pair_of(80)
    few = subset(pair, np.concatenate([np.arange(1, 79, 2), np.arange(2, 22, 2)]))
    found = evidence(few, "auroc")
    assert (found.kind, found.counted) == ("normal", 10)


def test_images_of_one_part_are_one_piece_of_evidence():
    alone, in_parts = evidence(even_pair(), "bg_fpr"), evidence(of_parts(even_pair(), 10), "bg_fpr")
    assert (in_parts.counted, in_parts.images) == (8, 80)
    assert in_parts.effective == pytest.approx(alone.effective / 10, rel=0.01)
    assert in_parts.needed == pytest.approx(alone.needed)
    assert "80 test images of 8 parts count as 8" in in_parts.reason


def test_one_huge_defect_leaves_little_evidence():
    pair = pair_of(160)
    huge = changed(pair.baseline, [1], tp=1e6, fn=1e6)
    assert evidence(replace(pair, baseline=huge)).effective == pytest.approx(1, abs=0.5)


def test_losses_that_strike_large_defects_scatter_as_the_evidence_says():
    """Miss images in proportion to their cost: the variance per unit of loss is `unseen`."""
    pair = pair_of(400)
    cost = np.where(pair.labels == 1, np.nan_to_num(pair.baseline.image_tp), 0.0)
    parts = np.sort(np.random.default_rng(3).integers(0, 60, 400))
    pair = replace(pair, baseline=replace(pair.baseline, groups=parts))
    cost = np.bincount(parts, cost) / cost[pair.labels == 1].size
    rng = np.random.default_rng(0)
    losses = rng.poisson(0.02 * cost / cost.max(), (40_000, len(cost))) @ cost

    scatter = np.var(losses) / np.mean(losses)

    assert scatter == pytest.approx(evidence(pair, "miss_rate").unseen / UNSEEN_VARIANCE, rel=0.3)


@pytest.mark.parametrize(
    ("per_part", "expected"),
    [([1] * 30, 3 / 30), ([10] + [1] * 20, 2 * (1000 + 20) / (100 + 20) / 30)],
)
def test_what_equal_parts_may_hide_is_the_rule_of_three_and_of_unequal_ones_more(
    per_part, expected
):
    pair = even_pair(60)
    defects = subset(pair, np.arange(1, 60, 2))
    groups = np.repeat(np.arange(len(per_part)), per_part)
    both = (replace(o, groups=groups) for o in (defects.baseline, defects.candidate))
    found = evidence(Pair("clean", defects.ids, *both), "miss_rate")
    assert found.unseen == pytest.approx(expected)


@pytest.mark.parametrize(("n_normals", "shown"), [(59, False), (60, True)])
def test_every_kind_has_to_be_shown_however_many_parts_of_others_there_are(n_normals, shown):
    pair = even_pair(160)
    some = subset(pair, np.r_[np.arange(1, 160, 2), np.arange(0, 2 * n_normals, 2)])
    assert (evidence(some, "bg_fpr").unseen_gain == 0) == shown


def test_above_the_loss_the_baseline_may_have_had_more_to_lose_and_below_it_the_candidate():
    pair = even_pair()
    area = 400.0 * pair.labels
    duller = replace(pair.baseline, tp=0.3 * area, fn=0.7 * area)
    found = evidence(replace(pair, candidate=duller), "pixel_segf1_per_image")
    before, after = (value_in("pixel_segf1_per_image", o) for o in (pair.baseline, duller))
    assert found.unseen == pytest.approx(3 * before / 40)
    assert found.unseen_below == pytest.approx(3 * after / 40)


def test_a_metric_of_ones_own_may_lose_all_that_it_has():
    pair = even_pair()
    lit = Ratio(np.full(80, 0.25), np.ones(80))
    own = replace(pair.baseline, own={"lit_parts": lit})
    metric = Metric("lit_parts", "image", False, "lit", unknown_here, source="line:lit")
    change = AllowedChange("lit_parts", "max_rise", 0.05, relative=False, source="r.yaml:9")
    REGISTERED["lit_parts"] = metric
    found = evidence_of(change, replace(pair, baseline=own, candidate=own), 0.25, 0.0)
    assert found.needed == pytest.approx(3 * 0.75 / 0.05)
    assert found.effective == pytest.approx(80)


@pytest.mark.parametrize(
    ("n_defects", "hidden"), [(17, 3 * 0.25 / 17), (59, 3 * 0.25 / 59), (60, 0)]
)
def test_a_kind_of_a_twentieth_may_gain_what_is_not_found_yet(n_defects, hidden):
    found = evidence(even_pair(2 * n_defects), "pixel_segf1_per_image")
    f1 = value_in("pixel_segf1_per_image", even_pair().baseline)
    assert found.unseen_gain == pytest.approx(hidden * (1 - f1) / 0.25)


@pytest.mark.parametrize(("n_each", "hidden"), [(29, 3 / 58), (31, 0)])
def test_a_kind_of_a_tenth_may_gain_that_the_baseline_alone_lights_up_whole(n_each, hidden):
    pair = even_pair(2 * n_each)
    dark = replace(pair.baseline, fp=0 * pair.baseline.fp, tn=pair.baseline.tn + 20)
    found = evidence(replace(pair, baseline=dark), "bg_fpr")
    assert found.unseen_gain == pytest.approx(hidden, rel=0.05)


def test_sixty_parts_show_a_kind_only_where_they_weigh_alike():
    pair = even_pair(160)
    large = np.arange(1, 21, 2)
    heavy = changed(pair.baseline, large, tp=100 * 240.0, fn=100 * 160.0)
    assert evidence(pair).unseen_gain == 0
    assert evidence(replace(pair, baseline=heavy)).unseen_gain > 0.05


@pytest.mark.parametrize(
    ("more_is_better", "gain"), [(False, 0.25), (True, 0.75)], ids=["to none", "to all"]
)
def test_a_metric_of_ones_own_may_gain_all_that_is_left(more_is_better, gain):
    pair = even_pair()
    own = replace(pair.baseline, own={"lit_parts": Ratio(np.full(80, 0.25), np.ones(80))})
    metric = Metric("lit_parts", "image", more_is_better, "lit", unknown_here, source="line:lit")
    bound = "max_drop" if more_is_better else "max_rise"
    change = AllowedChange("lit_parts", bound, 0.05, relative=False, source="r.yaml:9")
    REGISTERED["lit_parts"] = metric
    found = evidence_of(change, replace(pair, baseline=own, candidate=own), 0.25, 0.0)
    assert found.unseen_gain == pytest.approx(3 * gain / 80)


def test_where_ones_own_metric_is_unbounded_an_image_may_be_as_bad_as_the_worst_of_either_model():
    pair, some = even_pair(), np.arange(80) % 4 > 0  # an image in four adds nothing
    before, after = (Ratio(value * some, 1.0 * some) for value in (0.1, 0.25))
    both = [replace(pair.baseline, own={"cracks": each}) for each in (before, after)]
    REGISTERED["cracks"] = Metric(
        "cracks", "image", False, "cracks", unknown_here, largest=np.inf, source="line:cracks"
    )
    change = AllowedChange("cracks", "max_rise", 0.05, relative=False, source="r.yaml:9")
    found = evidence_of(change, replace(pair, baseline=both[0], candidate=both[1]), 0.1, 0.15)
    assert found.needed == pytest.approx(3 * (0.25 - 0.1) / 0.05)
    assert found.effective == pytest.approx(60)


@pytest.mark.parametrize("who", ["baseline", "candidate"])
def test_a_metric_of_ones_own_that_one_model_lacks_is_an_error(who):
    pair = even_pair()
    own = replace(pair.baseline, own={"lit_parts": Ratio(np.full(80, 0.25), np.ones(80))})
    metric = Metric("lit_parts", "image", False, "lit", unknown_here, source="line:lit")
    REGISTERED["lit_parts"] = metric
    change = AllowedChange("lit_parts", "max_rise", 0.05, relative=False, source="r.yaml:9")
    both = replace(pair, baseline=own, candidate=own)
    assert flaw_of(both, change) == ""
    lacking = replace(both, **{who: pair.baseline})
    assert flaw_of(lacking, change) == f"the {who} has no value of lit_parts"


def unknown_here(outcomes):
    raise AssertionError("the columns that were measured are enough")


def something(unseen):
    return Evidence(10, 5, unseen, 0.0, 0.0, "defect", 10, 10)


@given(POSITIVE)
def test_without_scatter_it_is_the_rule_of_three(unseen):
    assert something(unseen).reach(0.0) == pytest.approx(unseen)


@given(POSITIVE)
def test_without_unseen_losses_it_is_the_bootstraps(drawn):
    assert something(0.0).reach(drawn) == pytest.approx(drawn)


@given(POSITIVE, POSITIVE)
def test_both_uncertainties_add(unseen, drawn):
    reach = something(unseen).reach(drawn)
    assert reach >= max(unseen, drawn)
    assert reach <= unseen + drawn + 1e-12
    assert reach**2 == pytest.approx(drawn**2 + unseen * reach)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_so_many_more_images_make_the_reach_as_small_as_wanted(unseen, drawn, wanted):
    factor = something(unseen).factor(drawn, wanted)
    many = something(unseen / factor)
    reach = many.reach(drawn / factor**0.5)
    assert reach <= wanted * (1 + 1e-9)
    assert factor == 1 or reach == pytest.approx(wanted)


def test_a_bootstrap_without_bound_reaches_everywhere():
    assert something(0.1).reach(float("inf")) == float("inf")


def test_a_gain_that_must_be_sure_is_a_margin_of_its_own():
    pair = pair_of(160)
    assert evidence(pair, value=0.0, loss=-0.1).needed == evidence(pair, value=0.1).needed
    assert evidence(pair, value=0.0, loss=0.1).needed == float("inf")
