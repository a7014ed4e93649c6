"""The populations are what they say, losses cost what they should, and wrong verdicts are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import skew
from sklearn.metrics import roc_auc_score

from pytest_robustbench.gates.regression.verdicts import RegressionVerdict
from truth import QUICK, TABLES, judging
from truth.judging import Cell, Known, covered, known_of, rates_of, wrong
from truth.losses import Lit, Missed, Noisier, diffuse, nothing
from truth.population import (
    Layout,
    drawn_parts,
    outcomes_of,
    population,
    seen,
    true_loss,
    value_of,
)
from truth.regimes import LARGER, METRICS, UNEQUAL

LAYOUT = Layout(size=20_000)
PARTS = Layout(5, 0.7, size=20_000)


def known(loss: object, metric: str, size: float, layout: Layout = LAYOUT) -> Known:
    (found,) = known_of(Cell(layout, loss, 20, {}, metric, size))
    return found


# ---- populations -------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_two_fits_are_exactly_as_good_and_yet_differ(metric: str) -> None:
    (images,) = population(PARTS)
    models = [outcomes_of(images, model) for model in (images.baseline, images.candidate)]

    assert true_loss(metric, *models) == pytest.approx(0, abs=1e-12)
    assert not np.array_equal(models[0].score, models[1].score)


def test_images_of_one_part_are_as_alike_as_is_said() -> None:
    (images,) = population(PARTS)
    normal = images.baseline.score[~images.defect.any(axis=1)]

    between_images = np.corrcoef(normal.T)[np.triu_indices(5, 1)]

    assert between_images.mean() == pytest.approx(PARTS.icc, abs=0.05)
    luck = np.corrcoef((images.luck < 0.1).T)[np.triu_indices(5, 1)]
    assert luck.mean() == pytest.approx(PARTS.icc, abs=0.05)


@pytest.mark.parametrize("mixed", [False, True])
def test_a_test_set_has_the_parts_and_images_it_should(mixed: bool) -> None:
    layout = replace(PARTS, mixed=mixed)
    (images,) = population(layout)
    rows = drawn_parts(layout, images, 40, np.random.default_rng(0))

    drawn = seen(outcomes_of(images, images.baseline), rows, 5)

    assert drawn.defective.sum() == 40
    assert (~drawn.defective).sum() == (160 if mixed else 20)
    assert np.bincount(drawn.groups).tolist() == [5] * len(rows)


def test_the_area_under_the_curve_is_that_of_the_metric() -> None:
    (images,) = population(Layout(size=600))
    outcomes = outcomes_of(images, images.baseline)

    assert value_of("auroc", outcomes) == pytest.approx(
        roc_auc_score(outcomes.labels, outcomes.score)
    )


# ---- losses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "metric"),
    [
        (diffuse, "pixel_segf1"),
        (Missed(1.0), "pixel_segf1"),
        (Missed(), "miss_rate"),
        (Missed(), "auroc"),
        (Lit(0.5), "bg_fpr"),
    ],
)
def test_a_loss_costs_what_it_should(loss: object, metric: str) -> None:
    pair = known(loss, metric, 0.05)

    assert true_loss(metric, *pair) == pytest.approx(0.05, abs=1e-3)


def test_test_sets_lose_it_on_average() -> None:
    pair = known(Missed(), "miss_rate", 0.05, PARTS)
    (images,) = population(PARTS)
    rng = np.random.default_rng(0)
    draws = [drawn_parts(PARTS, images, 320, rng) for _ in range(300)]

    losses = [true_loss("miss_rate", *(seen(o, rows, 5) for o in pair)) for rows in draws]

    assert np.mean(losses) == pytest.approx(0.05, abs=3 * np.std(losses) / np.sqrt(300))


def test_no_more_is_lost_than_there_is() -> None:
    assert known_of(Cell(LAYOUT, Missed(), 20, {}, "pixel_segf1", 0.9)) is None


def test_larger_defects_are_missed_more_often() -> None:
    (images,) = population(LAYOUT)
    areas = {
        power: images.area[Missed(power)(images, 0.1)[1].found < images.baseline.found]
        for power in (0.0, 1.0)
    }

    assert areas[1.0].mean() > 2 * areas[0.0].mean()


@pytest.mark.parametrize("loss", [Missed(), Lit()])
def test_images_that_are_not_hit_stay_as_they_were_or_are_those_of_another_fit(
    loss: Missed | Lit,
) -> None:
    (images,) = population(LAYOUT)
    spared = images.luck > 0.2

    same, another = (
        replace(loss, another=another)(images, 0.1)[1].score[spared] for another in (False, True)
    )

    assert np.array_equal(same, images.baseline.score[spared])
    assert np.array_equal(another, images.candidate.score[spared])


@pytest.mark.parametrize("name", UNEQUAL)
def test_equal_means_that_are_not_exchangeable(name: str) -> None:
    pair = known(UNEQUAL[name], "pixel_segf1", 0.0)

    assert true_loss("pixel_segf1", *pair) == pytest.approx(0, abs=1e-4)
    gains = pair.candidate.tp - pair.baseline.tp
    assert UNEQUAL[name] == Noisier(0.2) or abs(skew(gains)) > 1


@pytest.mark.parametrize(("name", "metric"), LARGER)
def test_equal_means_with_few_large_differences(name: str, metric: str) -> None:
    pair = known(LARGER[name, metric], metric, 0.0)

    assert true_loss(metric, *pair) == pytest.approx(0, abs=1e-4)


# ---- verdicts ----------------------------------------------------------------------------------


def judge(outcome: str, interval: tuple[float, float]) -> object:
    def judge_family(family: list, settings: object) -> tuple[RegressionVerdict, ...]:
        return tuple(
            RegressionVerdict(c.benchmark, c.pair.condition, c.change, outcome, interval=interval)
            for c in family
        )

    return judge_family


@pytest.mark.parametrize(
    ("outcome", "interval", "size", "expected"),
    [
        ("pass", (-1, 0.04), 0.05, {"false_pass": 1, "run_passes": 1, "alarm": 0, "upper": 0}),
        ("regressed", (0.01, 0.1), 0.0, {"false_pass": 0, "regressed": 1, "alarm": 1, "lower": 0}),
        ("regressed", (0.01, 0.1), 0.05, {"regressed": 1, "alarm": 0, "lower": 1, "upper": 1}),
        ("inconclusive", (-1, 1), 0.05, {"run_passes": 0, "false_pass": 0, "alarm": 0}),
        ("pass", (-1, 0.04), 0.02, {"false_pass": 0, "upper": 1}),
    ],
)
def test_wrong_verdicts_are_counted(
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    interval: tuple[float, float],
    size: float,
    expected: dict[str, float],
) -> None:
    monkeypatch.setattr(judging, "judge_family", judge(outcome, interval))
    cell = Cell(LAYOUT, Missed(), 20, {"miss_rate": 0.05}, "miss_rate", size)

    (rates,) = rates_of(QUICK, [cell])

    assert {name: getattr(rates, name) for name in expected} == expected


@pytest.mark.parametrize(("loss", "beyond"), [(0.019, 0), (0.021, 1)])
def test_alarms_at_a_small_margin_are_told_from_those_at_a_used_one(
    monkeypatch: pytest.MonkeyPatch, loss: float, beyond: int
) -> None:
    def judge_family(family: list, settings: object) -> tuple[RegressionVerdict, ...]:
        regressed = ("drawn", "", family[0].change, "regressed")
        return (RegressionVerdict(*regressed, loss=loss),)

    monkeypatch.setattr(judging, "judge_family", judge_family)

    (rates,) = rates_of(QUICK, [Cell(LAYOUT, nothing, 20, {"miss_rate": 0.0001})])

    assert (rates.alarm, rates.alarm_beyond) == (1, beyond)


def test_the_gate_itself_judges() -> None:
    effort = replace(QUICK, draws=3, resamples=100)
    gross = Cell(LAYOUT, Missed(), 80, {"miss_rate": 0.1}, "miss_rate", 0.5)
    none = Cell(LAYOUT, nothing, 20, {"miss_rate": 0.1})

    found, harmless = rates_of(effort, [gross, none])

    assert found.regressed == 1
    assert harmless.regressed == 0


def test_what_is_more_than_claimed_is_marked() -> None:
    assert str(wrong(0.0675, 400)) == "6.8 %"
    assert str(wrong(0.0725, 400)) == "**7.2 %**"
    assert str(covered(0.93, 400)) == "93.0 %"
    assert str(covered(0.9275, 400)) == "**92.8 %**"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_numbers(name: str) -> None:
    table = TABLES[name](QUICK)

    assert table.rows
    assert {len(row) for row in table.rows} == {len(table.columns)}
