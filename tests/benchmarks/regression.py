"""How often the regression gate is right: verdicts on pairs of models whose true loss is known.

Test sets are drawn from real images with what two fits of one model said about them
(`image_population`); losses of known size are inflicted on the candidate (`loss_scenarios`). Every
draw is judged by the gate itself, all conditions and metrics as one family, with fewer resamples
than the gate takes by default.

- *false alarm*: exchangeable pairs; share of draws with any limit regressed.
- *false pass*: the loss equals the margin in all conditions; among the limits whose true loss
  reaches their margin, the share that passes; the share of draws in which any of them passes; and
  that in which all limits of the run pass, so that its item does.
- *power*: a loss of twice the margin in all conditions, or in `lighting` only; share of draws
  with any limit regressed.
- *coverage*: a loss equal to the margin; share of draws in which the upper bounds of all limits
  hold at once. A bound that is not known does not fail.
- *decided*: exchangeable pairs; what the limits of one metric end as, all conditions together.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from image_population import population
from loss_scenarios import KINDS, NOTHING, drawn_pairs, loss_of, true_loss
from table import Table

from pytest_robustbench.gates.names import MIN_METRICS
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.regression.family import Comparison, judge_family
from pytest_robustbench.gates.regression.resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from image_population import Population
    from loss_scenarios import Kind, Loss

    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict

SEGMENTATION = ("pixel_segf1", "pixel_segf1_per_image")
BG_FPR_RISE, MISS_RATE_RISE = 0.005, 0.05
ROUNDING = 1e-9


@dataclass(frozen=True)
class Effort:
    """How much is simulated: draws of a test set, resamples per draw, sizes, margins."""

    draws: int
    resamples: int
    defects: tuple[int, ...]
    margins: tuple[float, ...]
    decided_margins: tuple[float, ...]


FULL = Effort(200, 500, (20, 80, 160, 320), (0.02, 0.05), (0.01, 0.02, 0.03, 0.05, 0.1))
QUICK = Effort(3, 40, (8, 12), (0.05,), (0.05, 0.2))


class Scenario(NamedTuple):
    """Which loss, as a multiple of the margin of its metric, in which conditions."""

    metric: str
    kind: Kind
    multiple: float
    conditions: tuple[str, ...]


class Rates(NamedTuple):
    """Shares of the draws."""

    alarm: float
    false_pass: float
    any_false_pass: float
    run_passes: float
    covered: float


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    images, effort = population(quick), QUICK if quick else FULL
    return [alarms(images, effort), losses(images, effort), decided(images, effort)]


# ---- tables ------------------------------------------------------------------------------------


def alarms(images: Population, effort: Effort) -> Table:
    rows = []
    for n in effort.defects:
        for margin in effort.margins:
            found = rates(images, effort, n, margin, None)
            assert found is not None, "no loss can always be inflicted"
            rows.append((n, margin, found.alarm, found.covered))
    columns = ("defect images", "margin", "false alarms", "coverage")
    return Table("Two fits that are exchangeable", columns, tuple(rows), notes(images, effort))


def losses(images: Population, effort: Effort) -> Table:
    rows = [
        row for n in effort.defects for m in effort.margins for row in _losses(images, effort, n, m)
    ]
    columns = (
        "defect images",
        "margin",
        "lost",
        "kind",
        "false pass of a limit",
        "of any limit",
        "of the run",
        "coverage",
        "regressed at 2 x margin",
        "the same, in one corruption",
    )
    return Table("A loss of exactly the margin", columns, tuple(rows), notes(images, effort))


def _losses(
    images: Population, effort: Effort, n: int, margin: float
) -> Iterator[tuple[object, ...]]:
    everywhere = tuple(images.first)
    # Margins of the other metrics do not change: they are simulated once.
    others = ("bg_fpr", "miss_rate") if margin == effort.margins[0] else ()
    for metric in (*SEGMENTATION, *others):
        for kind in KINDS:
            at, twice, once = (
                rates(images, effort, n, margin, Scenario(metric, kind, multiple, where))
                for multiple, where in ((1, everywhere), (2, everywhere), (2, everywhere[1:2]))
            )
            if at is None:
                continue
            power = [None if each is None else each.alarm for each in (twice, once)]
            size = margins_of(margin)[metric]
            false = at.false_pass, at.any_false_pass, at.run_passes
            yield n, size, metric, kind, *false, at.covered, *power


def decided(images: Population, effort: Effort) -> Table:
    rows = tuple(
        (metric, margin, n, *shares)
        for margin in effort.decided_margins
        for n in effort.defects
        for metric, shares in _decided(images, effort, n, margin).items()
    )
    columns = ("metric", "max_drop", "defect images", "pass", "inconclusive", "regressed")
    return Table(
        "What becomes of a refit that is as good",
        columns,
        tuple(sorted(rows)),
        notes(images, effort),
    )


def _decided(
    images: Population, effort: Effort, n: int, margin: float
) -> dict[str, tuple[float, ...]]:
    counts = {metric: Counter[str]() for metric in SEGMENTATION}
    for verdicts in judged(images, effort, n, margin, NOTHING):
        for metric, count in counts.items():
            count[worst({v.outcome for v in verdicts if v.change.metric == metric})] += 1
    outcomes = ("pass", "inconclusive", "regressed")
    return {m: tuple(count[o] / effort.draws for o in outcomes) for m, count in counts.items()}


def worst(outcomes: set[str]) -> str:
    return next(o for o in ("error", "regressed", "inconclusive", "pass") if o in outcomes)


def notes(images: Population, effort: Effort) -> tuple[str, ...]:
    chance = math.sqrt(0.05 * 0.95 / effort.draws)
    known = f"a rate of 0.05 has a standard error of {chance:.3f}"
    others = f"bg_fpr with {BG_FPR_RISE:g} and miss_rate with {MISS_RATE_RISE:g}"
    return (
        f"{images.origin}; {', '.join(images.first)}.",
        f"{effort.draws} draws of a test set each: {known}. {effort.resamples} resamples each.",
        f"One family under all conditions: {' and '.join(SEGMENTATION)} with the margin, {others}.",
    )


# ---- simulation --------------------------------------------------------------------------------


def rates(
    images: Population, effort: Effort, n: int, margin: float, scenario: Scenario | None
) -> Rates | None:
    """Judge many draws; ``None`` where the model has not so much to lose."""
    allowed = margins_of(margin)
    loss = NOTHING if scenario is None else _loss(images, scenario, allowed)
    if loss is None:
        return None
    truth = {(c, m): true_loss(images, m, loss, c) for c in images.first for m in allowed}
    each = [_seen(verdicts, truth) for verdicts in judged(images, effort, n, margin, loss)]
    return Rates(*np.mean(each, axis=0).tolist())


def _loss(images: Population, scenario: Scenario, allowed: dict[str, float]) -> Loss | None:
    size = scenario.multiple * allowed[scenario.metric]
    return loss_of(images, scenario.metric, scenario.kind, size, scenario.conditions)


def margins_of(margin: float) -> dict[str, float]:
    return {
        **dict.fromkeys(SEGMENTATION, margin),
        "bg_fpr": BG_FPR_RISE,
        "miss_rate": MISS_RATE_RISE,
    }


def judged(
    images: Population, effort: Effort, n: int, margin: float, loss: Loss
) -> Iterator[tuple[RegressionVerdict, ...]]:
    rng = np.random.default_rng([n, round(1e6 * margin)])
    changes = [
        AllowedChange(m, "max_drop" if m in MIN_METRICS else "max_rise", value, False, "")
        for m, value in margins_of(margin).items()
    ]
    for draw in range(effort.draws):
        pairs = drawn_pairs(images, n, loss, rng).values()
        family = [Comparison("drawn", pair, change) for pair in pairs for change in changes]
        chance = Resampling(draws=effort.resamples, exchanges=effort.resamples, seed=draw)
        yield judge_family(family, chance)


def _seen(
    verdicts: tuple[RegressionVerdict, ...], truth: dict[tuple[str, str], float]
) -> tuple[float, ...]:
    """Return what `Rates` are the means of, for one draw."""
    true = [truth[v.condition, v.change.metric] for v in verdicts]
    with_truth = list(zip(verdicts, true, strict=True))
    wrong = [v.outcome == "pass" for v, t in with_truth if t >= v.change.value - ROUNDING]
    return (
        any(v.outcome == "regressed" for v in verdicts),
        sum(wrong) / len(wrong) if wrong else 0.0,
        any(wrong),
        all(v.outcome == "pass" for v in verdicts),
        all(v.interval is None or v.interval[1] >= t - ROUNDING for v, t in with_truth),
    )
