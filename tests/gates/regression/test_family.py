"""Verdicts of a family of regression limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.gates.regression.family import Resampling, judge_family
from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.gates.regression.resampling import bounds, draws_of, exchanges_of, p_values
from pytest_robustbench.metrics.catalogue import REGISTERED
from pytest_robustbench.metrics.metric import Metric
from pytest_robustbench.metrics.outcomes import Outcomes, Ratio
from tests.gates.regression_pairs import (
    RATIOS,
    changed,
    comparison,
    of_parts,
    pair_of,
    subset,
    with_missed,
)

FEW = Resampling(draws=300, exchanges=300)
METRICS = (*RATIOS, "auroc")


def judge(*comparisons, chance=FEW):
    return judge_family(comparisons, chance)


def itself(pair):
    return replace(pair, candidate=pair.baseline)


def test_nothing_to_compare_gives_no_verdict():
    assert judge() == ()


@pytest.mark.parametrize("metric", METRICS)
def test_a_model_against_itself_passes_with_a_difference_of_exactly_zero(metric):
    (verdict,) = judge(comparison(itself(pair_of(12)), metric, 0.0, same_model=True))
    assert (verdict.outcome, verdict.identical, verdict.loss) == ("pass", True, 0.0)
    assert verdict.interval == (verdict.loss, verdict.loss)


@pytest.mark.parametrize("metric", METRICS)
def test_equal_outputs_of_two_models_are_judged_by_the_evidence(metric):
    few, many = (itself(pair_of(n)) for n in (12, 2400))
    outcomes = [judge(comparison(pair, metric, 0.02))[0].outcome for pair in (few, many)]
    # The pooled F1 of small defects falls with one image in a thousand that lights up.
    enough = "inconclusive" if metric == "pixel_segf1" else "pass"
    assert outcomes == ["inconclusive", enough]


def test_the_same_scores_at_another_image_threshold_are_not_identical():
    pair = itself(pair_of())
    moved = replace(pair, candidate=replace(pair.baseline, image_threshold=2.0))
    limits = (comparison(moved, metric, same_model=True) for metric in ("miss_rate", "auroc"))
    miss, ranking = judge(*limits)
    assert (miss.identical, miss.outcome) == (False, "regressed")
    assert (ranking.identical, ranking.outcome) == (True, "pass")


def test_a_clear_loss_has_regressed():
    conditions = [pair_of(160, s, f"blur-severity_{s}", (0.7, 0.5)) for s in range(5)]
    for verdict in judge(*(comparison(pair, value=0.02) for pair in conditions)):
        assert verdict.outcome == "regressed"
        assert verdict.p <= 0.05
        assert verdict.interval[0] <= verdict.loss <= verdict.interval[1]


def test_a_small_difference_on_many_images_passes():
    (verdict,) = judge(comparison(pair_of(600), "pixel_segf1_per_image", 0.05))
    assert verdict.outcome == "pass"
    assert verdict.interval[1] < 0.05


def test_a_small_test_set_is_inconclusive_and_says_how_many_images_would_decide():
    (verdict,) = judge(comparison(pair_of(24), value=0.05))
    assert verdict.outcome == "inconclusive"
    assert verdict.reason
    assert verdict.images_needed > 12


def test_twenty_images_without_any_change_of_decision_do_not_show_that_misses_stay_rare():
    pair = pair_of(40)
    nudged = replace(pair, candidate=changed(pair.baseline, [3], tp=pair.baseline.tp[3] + 1))
    (verdict,) = judge(comparison(nudged, "miss_rate", 0.05))
    assert (verdict.loss, verdict.outcome) == (0.0, "inconclusive")
    assert "defect images count as" in verdict.reason
    assert verdict.images_needed >= 60


def test_a_gain_beyond_the_margin_is_an_improvement_and_the_other_way_a_regression():
    pair = pair_of(300, found=(0.5, 0.8))
    (better,) = judge(comparison(pair))
    (worse,) = judge(comparison(replace(pair, baseline=pair.candidate, candidate=pair.baseline)))
    assert (better.outcome, better.improved) == ("pass", True)
    assert (worse.outcome, worse.improved) == ("regressed", False)
    assert better.loss == -worse.loss
    (within,) = judge(comparison(pair, value=0.6))
    assert (within.outcome, within.improved) == ("pass", False)


def test_no_allowed_loss_passes_only_what_is_surely_better():
    gain, nearly = pair_of(300, found=(0.5, 0.8)), pair_of(300)
    assert [v.outcome for v in judge(comparison(gain, value=0.0))] == ["pass"]
    assert [v.outcome for v in judge(comparison(nearly, value=0.0))] == ["inconclusive"]


def test_a_relative_margin_is_a_share_of_the_baseline():
    (verdict,) = judge(comparison(pair_of(), value=0.1, relative=True))
    assert verdict.allowed == pytest.approx(0.1 * verdict.baseline)


def test_evidence_is_held_against_a_share_of_the_baseline_and_not_of_the_candidate():
    """All of 11 found, then 10: 0.29 of 11 needs 10.3 parts, 0.29 of 10 would need 11.4."""
    found = everything_found(np.array([1] * 11 + [0] * 11))
    pair = Pair("clean", tuple(map(str, range(22))), found, with_missed(found, np.arange(1)))
    (verdict,) = judge(comparison(pair, "recall", 0.29, relative=True))
    assert verdict.reason.startswith("the loss may be as large as")


@pytest.mark.parametrize("name", ["score", "tp", "fp", "fn", "tn"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("who", ["baseline", "candidate"])
def test_a_number_that_one_model_lacks_is_an_error_that_names_the_image(name, bad, who):
    pair = pair_of()
    broken = replace(pair, **{who: changed(getattr(pair, who), [7], **{name: bad})})
    metric = "auroc" if name == "score" else "pixel_segf1"
    sound, verdict = judge(comparison(pair, "recall"), comparison(broken, metric))
    assert verdict.outcome == "error"
    assert who in verdict.reason
    assert "007" in verdict.reason
    assert sound.outcome != "error"


def test_a_candidate_without_maps_is_an_error():
    pair = pair_of()
    lost = dict.fromkeys(("tp", "fp", "fn", "tn"), np.nan)
    blind = replace(pair, candidate=changed(pair.candidate, slice(None), **lost))
    assert judge(comparison(blind, "bg_fpr"))[0].outcome == "error"


@pytest.mark.parametrize("metric", ["pixel_segf1", "pixel_segf1_per_image", "miss_rate", "auroc"])
def test_a_metric_of_defects_is_an_error_without_defects_even_for_equal_models(metric):
    pair = pair_of()
    normals = itself(subset(pair, np.flatnonzero(pair.labels == 0)))
    (verdict,) = judge(comparison(normals, metric))
    assert verdict.outcome == "error"
    assert "not defined" in verdict.reason


def test_columns_of_another_length_and_a_missing_threshold_are_errors():
    pair = pair_of()
    short = replace(pair, ids=pair.ids[:-1])
    unset = replace(pair, candidate=replace(pair.candidate, image_threshold=np.nan))
    found = judge(comparison(short), comparison(unset, "f1"))
    assert [verdict.outcome for verdict in found] == ["error", "error"]


def test_one_defect_image_is_no_sample():
    pair = pair_of()
    one = itself(subset(pair, np.r_[np.flatnonzero(pair.labels == 0), 1]))
    assert judge(comparison(one, "recall"))[0].outcome == "error"


def test_two_defect_images_are_a_sample():
    pair = pair_of()
    two = itself(subset(pair, np.r_[np.flatnonzero(pair.labels == 0), 1, 3]))
    assert judge(comparison(two, "recall"))[0].outcome == "inconclusive"


@pytest.mark.parametrize(("left", "known"), [(0.011, True), (0.009, False)])
def test_a_hundredth_of_the_margin_must_be_left_to_say_how_many_images_decide(left, known):
    pair = pair_of(40)
    lost = replace(pair, candidate=with_missed(pair.baseline, np.array([1])))
    loss = judge(comparison(lost, "recall", 0.9))[0].loss
    (verdict,) = judge(comparison(lost, "recall", loss / (1 - left)))
    assert (verdict.outcome, verdict.images_needed is not None) == ("inconclusive", known)


def test_verdicts_depend_neither_on_the_order_of_limits_nor_on_the_call():
    pairs = [pair_of(60, s, f"c{s}", (0.7, 0.62)) for s in range(3)]
    family = [comparison(pair, metric) for pair in pairs for metric in ("pixel_segf1", "auroc")]
    family.append(comparison(pairs[0], "bg_fpr", benchmark="other"))
    assert judge(*family[::-1])[::-1] == judge(*family)


def test_another_seed_draws_other_images():
    family = [comparison(pair_of(60))]
    assert judge_family(family, replace(FEW, seed=1)) != judge_family(family, FEW)


def test_an_adjusted_p_value_is_never_below_the_one_of_a_smaller_family():
    one = comparison(pair_of(60, 0, "c0", (0.7, 0.66)))
    others = [comparison(pair_of(60, s, f"c{s}")) for s in range(1, 6)]
    assert judge(one)[0].p <= judge(one, *others)[0].p


def test_a_metric_that_draws_leave_undefined_hides_no_regression_of_another():
    rarely = pair_of(160, 1, found=(0.7, 0.4))
    high = np.sort(rarely.baseline.score[1:-1])[-4]
    rarely = replace(
        rarely,
        baseline=replace(rarely.baseline, image_threshold=high),
        candidate=replace(rarely.candidate, score=rarely.baseline.score, image_threshold=high),
    )
    clear, fragile = judge(comparison(rarely), comparison(rarely, "precision"))
    assert clear.outcome == "regressed"
    assert clear.interval is not None
    assert (fragile.outcome, fragile.interval) == ("inconclusive", None)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from(METRICS), st.integers(2, 12))
def test_whole_images_lost_beyond_the_margin_never_pass(seed, metric, missed):
    pair = pair_of(60, seed)
    lost = np.flatnonzero(pair.labels == 1)[:missed]
    worse = replace(pair, candidate=with_missed(pair.baseline, lost))
    (verdict,) = judge(comparison(worse, metric, 0.02))
    assert verdict.outcome != "pass" or verdict.loss < 0.02


def test_p_values_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    losses, exchanged = rng.normal(size=3) * [1, 5, 0], rng.normal(size=(40, 3)) * [1, 5, 0]
    own, errors = rng.random(3) * [1, 5, 0], rng.random((40, 3)) * [1, 5, 0]
    everything, scatter = [losses, *exchanged], [own, *errors]
    least = [0.3 * np.sqrt(np.mean([row[k] ** 2 for row in everything])) for k in range(3)]
    largest, observed = [], []
    for row, error in zip(everything, scatter, strict=True):
        scale = [max(error[k], least[k]) or 1.0 for k in range(3)]
        studentised = [row[k] / scale[k] for k in range(3)]
        observed = observed or studentised
        largest.append(max(studentised))
    expected = [np.mean([m >= one for m in largest]) for one in observed]
    np.testing.assert_allclose(p_values(losses, own, exchanged, errors), expected)


def test_bounds_invert_the_largest_studentised_shift():
    drawn = np.array([[0.1], [0.2], [0.3], [0.4]])
    upper, lower = bounds(np.array([0.25]), np.array([0.1]), drawn, np.full((4, 1), 0.1), 0.05)
    assert upper == pytest.approx([0.4])
    assert lower == pytest.approx([0.1])


def test_a_draw_holds_as_many_images_of_each_label_as_there_are():
    labels = np.array([0, 0, 0, 1, 1])
    ((rows, weights),) = draws_of("a", labels, FEW)
    assert rows == slice(0, 300)
    assert (weights[:, labels == 1].sum(axis=1) == 2).all()
    assert (weights[:, labels == 0].sum(axis=1) == 3).all()


def test_many_images_are_drawn_and_exchanged_in_blocks():
    n = 20_000
    blocks = list(exchanges_of("a", n, FEW))
    assert len(blocks) > 1
    assert sum(len(swaps) for _, swaps in blocks) == FEW.exchanges
    assert blocks[-1][0].stop == FEW.exchanges
    assert np.concatenate([swaps for _, swaps in blocks]).mean() == pytest.approx(0.5, abs=0.01)


def test_a_margin_that_nothing_could_exceed_is_vacuous():
    pair = pair_of(600, found=(0.06, 0.06))
    (verdict,) = judge(comparison(pair, value=0.2))
    assert verdict.outcome == "vacuous"
    assert "can be lost here" in verdict.reason
    assert verdict.images_needed is None
    (verdict,) = judge(comparison(pair, "miss_rate", 20.0, relative=True))
    assert verdict.outcome == "vacuous"


def test_a_share_of_a_baseline_that_is_0_is_set_apart_where_nothing_is_lost():
    """No test set can show that nothing is lost: waiting for more images would be for ever."""
    pair = pair_of(600)
    found = changed(pair.baseline, slice(None), score=np.where(pair.labels == 1, 9.0, -9.0))
    clean = replace(pair, baseline=found, candidate=found)
    (verdict,) = judge(comparison(clean, "miss_rate", 0.5, relative=True))
    assert verdict.outcome == "vacuous"
    assert "a share of a baseline that is 0" in verdict.reason
    defects = np.flatnonzero(pair.labels == 1)
    for n_lost, outcome in ((1, "inconclusive"), (60, "regressed")):
        lost = replace(clean, candidate=changed(found, defects[:n_lost], score=-9.0))
        (verdict,) = judge(comparison(lost, "miss_rate", 0.5, relative=True))
        assert verdict.outcome == outcome


def blind_but_for(pair, n_found, condition):
    """A baseline that finds a few defects, and a candidate that finds none."""
    blind = changed(pair.baseline, slice(None), score=-9.0)
    few = changed(blind, np.arange(1, 2 * n_found, 2), score=9.0)
    return replace(pair, condition=condition, baseline=few, candidate=blind)


@pytest.mark.parametrize(("n_found", "outcome"), [(4, "vacuous"), (5, "regressed")])
def test_a_candidate_that_finds_nothing_has_no_margin(n_found, outcome):
    """Five parts that are lost and none that is won are no chance: 2^-5."""
    pair = blind_but_for(pair_of(100), n_found, "clean")
    (verdict,) = judge(comparison(pair, "miss_rate", 1.0))
    assert verdict.outcome == outcome


def test_what_is_found_under_any_condition_counts():
    """Blind under one condition is no alarm, and a part that is lost everywhere counts once."""
    pair = pair_of(100)
    blind = [blind_but_for(pair, 3, f"c{k}") for k in range(9)]
    for verdict in judge(*(comparison(one, "miss_rate", 0.01) for one in blind)):
        assert verdict.reason != "nothing is found any more"
    other = blind_but_for(pair, 6, "d")
    verdicts = judge(*(comparison(one, "miss_rate", 0.01) for one in (*blind, other)))
    assert {v.reason for v in verdicts} == {"nothing is found any more"}
    seeing = replace(pair, condition="e")
    verdicts = judge(*(comparison(one, "miss_rate", 0.01) for one in (*blind, other, seeing)))
    assert "nothing is found any more" not in {v.reason for v in verdicts}


def test_with_more_benchmarks_it_takes_more_parts_to_be_sure_that_nothing_is_found():
    pair = blind_but_for(pair_of(100), 5, "clean")
    for n, reasons in ((1, {"nothing is found any more"}), (2, set())):
        limits = [comparison(pair, "miss_rate", 0.01, benchmark=f"b{k}") for k in range(n)]
        found = {v.reason for v in judge(*limits)} & {"nothing is found any more"}
        assert found == reasons


def test_a_gain_that_no_part_shows_is_in_the_lower_end():
    """Two models that agree on a few parts need not agree on others, in either direction."""
    (verdict,) = judge(comparison(itself(pair_of(40)), "miss_rate"))
    assert verdict.interval[0] < -0.1
    assert verdict.interval[1] > 0.1


@pytest.mark.parametrize(("allowed", "vacuous"), [(0.5, True), (0.49, False)])
def test_a_margin_of_all_that_there_is_is_vacuous(allowed, vacuous):
    found = everything_found(np.array([1] * 20 + [0] * 20))
    half = with_missed(found, np.arange(10))
    pair = Pair("clean", tuple(map(str, range(40))), half, with_missed(half, np.arange(10, 12)))
    (verdict,) = judge(comparison(pair, "recall", allowed))
    assert verdict.outcome == ("vacuous" if vacuous else "inconclusive")


def test_what_is_surely_better_passes_however_few_images_there_are():
    pair = pair_of(40, found=(0.1, 0.9))
    (verdict,) = judge(comparison(pair, "pixel_segf1_per_image", 0.001))
    assert verdict.interval[1] < 0
    assert (verdict.outcome, verdict.improved) == ("pass", True)


def test_a_loss_beyond_the_margin_that_may_be_chance_says_so():
    pair = pair_of(60)
    worse = replace(pair, candidate=with_missed(pair.baseline, np.array([1, 3])))
    (verdict,) = judge(comparison(worse, value=0.001))
    assert verdict.outcome == "inconclusive"
    assert verdict.loss > verdict.allowed
    assert verdict.reason.startswith("more is lost than allowed, but so much may be chance (p = ")


def test_how_many_images_would_decide_is_said_in_images_of_the_kind_that_counts():
    pair = pair_of(60)
    nudged = replace(pair, candidate=changed(pair.baseline, [3], fp=pair.baseline.fp[3] + 1))
    (pixels,) = judge(comparison(nudged, "bg_fpr", 0.005))
    assert pixels.images_kind == "test"
    assert pixels.images_needed == pytest.approx(600, rel=0.01)
    (good,) = judge(comparison(nudged, "false_reject_rate", 0.05))
    assert (good.images_kind, good.images_needed) == ("normal", 60)


def test_a_loss_of_just_the_margin_is_decided_by_no_number_of_images():
    pair = pair_of(40)
    lost = replace(pair, candidate=with_missed(pair.baseline, np.array([1])))
    loss = judge(comparison(lost, "recall", 0.9))[0].loss
    (verdict,) = judge(comparison(lost, "recall", loss * (1 + 1e-12)))
    assert (verdict.outcome, verdict.images_needed) == ("inconclusive", None)


def test_verdicts_count_parts():
    pair = pair_of(60, found=(0.7, 0.6))
    five = of_parts(subset(pair, np.repeat(np.arange(60), 5)), 5)
    once, often = (judge(comparison(p, "miss_rate", 0.1))[0] for p in (pair, five))
    assert once.parts_needed == once.images_needed
    assert often.parts_needed == pytest.approx(once.parts_needed, rel=0.4)  # other draws
    assert often.images_needed == pytest.approx(5 * often.parts_needed, abs=5)
    assert often.p == pytest.approx(once.p, abs=0.1)


def test_parts_of_which_some_images_are_good_and_some_defective_are_drawn_whole():
    pair = of_parts(pair_of(120, found=(0.7, 0.5)), 4)
    (verdict,) = judge(comparison(pair, "auroc"))
    (alone,) = judge(comparison(subset(pair, np.arange(120)), "auroc"))
    assert verdict.loss == alone.loss
    assert verdict.interval != alone.interval


@pytest.mark.parametrize("metric", ["pixel_segf1", "pixel_segf1_per_image", "miss_rate", "recall"])
def test_a_candidate_that_finds_nothing_fails_however_few_images_there_are(metric):
    pair = pair_of(9)  # of four defects one is left out
    sure = replace(pair, baseline=changed(pair.baseline, slice(1, 8, 2), score=9.0))
    blind = replace(sure, candidate=with_missed(sure.baseline, np.array([1, 3, 5, 7])))
    (verdict,) = judge(comparison(blind, metric))
    assert (verdict.outcome, verdict.reason) == ("regressed", "nothing is found any more")
    nearly = replace(sure, candidate=with_missed(sure.baseline, np.array([1, 3, 5])))
    (verdict,) = judge(comparison(nearly, metric))
    assert verdict.outcome == "inconclusive"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (5, ("regressed", "nothing is found any more")),
        (4, ("inconclusive", "more is lost than allowed, but so much may be chance (p = 0.058)")),
    ],
)
def test_five_of_many_parts_are_not_lost_by_chance_and_four_may_be(found, expected):
    labels = np.array([1] * 12 + [0] * 12)
    before = changed(everything_found(labels), slice(found, 12), score=-9.0)
    after = with_missed(before, np.arange(found))
    pair = Pair("clean", tuple(map(str, range(24))), before, after)
    (verdict,) = judge(comparison(pair, "miss_rate", 0.1), chance=Resampling())
    assert (verdict.outcome, verdict.reason.partition(", or be made good")[0]) == expected


def test_a_metric_that_sees_no_misses_has_not_regressed_because_nothing_is_found():
    before = everything_found(np.array([1, 1, 1, 1, 0, 0, 0, 0]))
    after = changed(with_missed(before, np.arange(4)), [4], score=9.0)
    pair = Pair("clean", tuple("abcdefgh"), before, after)
    misses, rejects = judge(
        comparison(pair, "miss_rate", 0.1), comparison(pair, "false_reject_rate", 0.1)
    )
    assert (misses.outcome, misses.reason) == ("regressed", "nothing is found any more")
    assert (rejects.outcome, rejects.loss) == ("inconclusive", 0.25)


def test_pixels_that_are_found_are_something_whatever_their_images_are_called():
    before = everything_found(np.array([1, 1, 1, 1, 0, 0, 0, 0]))
    dimmed = changed(before, slice(0, 4), score=-9.0, tp=40.0, fn=60.0)
    blind = changed(before, slice(0, 4), tp=0.0, fn=100.0)
    few = tuple("abcdefgh")
    for after, metric in ((dimmed, "pixel_segf1"), (blind, "recall"), (blind, "miss_rate")):
        (verdict,) = judge(comparison(Pair("clean", few, before, after), metric))
        assert verdict.outcome != "regressed", metric
    for after, metric in ((dimmed, "recall"), (blind, "pixel_segf1")):
        (verdict,) = judge(comparison(Pair("clean", few, before, after), metric))
        assert verdict.reason == "nothing is found any more", metric


@pytest.mark.parametrize("labels", [[1, 1, 0], [0, 0, 0]], ids=["unmoved", "no defect"])
def test_a_metric_of_ones_own_that_lost_nothing_or_rests_on_no_defect_is_judged_by_itself(labels):
    REGISTERED["lit_parts"] = Metric(
        "lit_parts", "image", False, "lit", lambda _: None, sees=("misses",), source="line:lit"
    )
    before = everything_found(np.array(labels))
    rises = (0.2, 0.2 if any(labels) else 0.5)
    both = [
        replace(o, own={"lit_parts": Ratio(np.full(3, rise), np.ones(3))})
        for o, rise in zip((before, with_missed(before, np.arange(2))), rises, strict=True)
    ]
    (verdict,) = judge(comparison(Pair("clean", tuple("abc"), *both), "lit_parts", 0.1))
    assert verdict.outcome == "inconclusive"


@pytest.mark.parametrize("metric", ["recall", "pixel_segf1", "miss_rate"])
def test_where_the_baseline_finds_nothing_no_margin_can_be_kept(metric):
    found = everything_found(np.array([1] * 200 + [0] * 200))
    blind = with_missed(found, np.arange(200))
    other = changed(blind, [0], score=-8.0)
    pair = Pair("clean", tuple(map(str, range(400))), blind, other)
    assert judge(comparison(pair, metric))[0].outcome == "vacuous"


def test_the_bound_of_a_sure_loss_leaves_half_of_the_level():
    """Twelve of 40 lost and 4 gained: p is below 5 %, and the loss above 0 only at 5 %."""
    found = everything_found(np.array([1] * 40 + [0] * 40))
    before, after = with_missed(found, np.arange(12, 16)), with_missed(found, np.arange(12))
    pair = Pair("clean", tuple(map(str, range(80))), before, after)
    (verdict,) = judge(comparison(pair, "miss_rate", 0.01), chance=Resampling())
    assert verdict.p == pytest.approx(0.042, abs=0.005)
    assert verdict.outcome == "inconclusive"


def everything_found(labels):
    """Every decision is right."""
    area = 100.0 * labels
    columns = (np.where(labels, 9.0, -9.0), area, 0 * area, 0 * area, 10_000 - area)
    return Outcomes(labels, *columns, 1.0, 0.5)


def test_a_small_loss_in_every_image_may_be_made_good_by_a_kind_that_few_images_do_not_show():
    few, many = pair_of(30, found=(0.5, 0.5)), pair_of(400, found=(0.5, 0.5))
    verdicts = []
    for pair in (few, many):
        duller = 0.9 * pair.baseline.tp
        lost = replace(pair.baseline, tp=duller, fn=pair.baseline.fn + 0.1 * pair.baseline.tp)
        limit = comparison(replace(pair, candidate=lost), "pixel_segf1_per_image", 0.02)
        verdicts += judge(limit)
    assert [v.p <= 0.05 for v in verdicts] == [True, True]
    assert [v.outcome for v in verdicts] == ["inconclusive", "regressed"]
    assert "made good by parts like few of these or none" in verdicts[0].reason


def test_an_interval_holds_no_loss_that_cannot_be():
    pair = of_parts(pair_of(12, found=(0.9, 0.1)), 2)
    for verdict in judge(*(comparison(pair, metric) for metric in METRICS)):
        assert verdict.interval is None or -1 <= verdict.interval[0] <= verdict.interval[1] <= 1
