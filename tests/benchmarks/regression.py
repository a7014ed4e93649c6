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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from image_population import populations
from loss_scenarios import KINDS, NOTHING, drawn_pairs, loss_of, true_loss
from table import Table

from pytest_robustbench.gates.regression.changes import AllowedChange, worse
from pytest_robustbench.gates.regression.family import Comparison, judge_family
from pytest_robustbench.gates.regression.resampling import Resampling
from pytest_robustbench.gates.regression.verdicts import WORST_FIRST
from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from image_population import Population
    from loss_scenarios import Kind, Loss

    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict

Found: TypeAlias = "Mapping[Task, Rates | None]"

SEGMENTATION = ("pixel_segf1", "pixel_segf1_per_image")
OTHERS = {"bg_fpr": 0.005, "miss_rate": 0.05}
"""Metrics whose margins stay as they are."""
OUTCOMES = ("pass", "inconclusive", "regressed", "vacuous")
ROUNDING = 1e-9


@dataclass(frozen=True)
class Effort:
    """How much is simulated: draws of a test set, resamples per draw, sizes, margins."""

    draws: int
    resamples: int
    defects: tuple[int, ...]
    margins: tuple[float, ...]
    decided_margins: tuple[float, ...]
    processes: int = 1


FULL = Effort(
    300, 300, (20, 80, 160, 320), (0.02, 0.05), (0.01, 0.02, 0.03, 0.05, 0.1), processors()
)
QUICK = Effort(3, 40, (8, 12), (0.05,), (0.05, 0.2))


class Scenario(NamedTuple):
    """Which loss, as a multiple of the margin of its metric, in which conditions."""

    metric: str
    kind: Kind
    multiple: float
    conditions: tuple[str, ...]


class Task(NamedTuple):
    """One set of draws: test sets of n defect images, and what their candidates lose."""

    n: int
    margin: float
    scenario: Scenario | None = None


@dataclass(frozen=True)
class Rates:
    """Shares of the draws; `ends` by metric and outcome, all conditions together."""

    alarm: float
    false_pass: float
    any_false_pass: float
    run_passes: float
    covered: float
    ends: Mapping[tuple[str, str], float]


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    effort = QUICK if quick else FULL
    return [table for images in populations(quick) for table in _tables(images, effort)]


def _tables(images: Population, effort: Effort) -> list[Table]:
    found = simulated(images, effort, [*_exchangeable(effort), *_lossy(images, effort)])
    return [
        alarms(images, effort, found),
        losses(images, effort, found),
        decided(images, effort, found),
    ]


def _exchangeable(effort: Effort) -> list[Task]:
    margins = dict.fromkeys((*effort.margins, *effort.decided_margins))
    return [Task(n, margin) for n in effort.defects for margin in margins]


def _lossy(images: Population, effort: Effort) -> list[Task]:
    return [
        Task(n, margin, scenario)
        for n in effort.defects
        for margin in effort.margins
        for metric, kind in _lost(effort, margin)
        for scenario in _scenarios(images, metric, kind)
    ]


def _lost(effort: Effort, margin: float) -> list[tuple[str, Kind]]:
    # Margins of the other metrics do not change: they are simulated once.
    others = OTHERS if margin == effort.margins[0] else {}
    return [(metric, kind) for metric in (*SEGMENTATION, *others) for kind in KINDS]


def _scenarios(images: Population, metric: str, kind: Kind) -> tuple[Scenario, Scenario, Scenario]:
    """Return a loss of the margin, of twice the margin, and the latter in one corruption."""
    everywhere = tuple(images.first)
    where = (1, everywhere), (2, everywhere), (2, everywhere[1:2])
    at, twice, once = (Scenario(metric, kind, *each) for each in where)
    return at, twice, once


# ---- tables ------------------------------------------------------------------------------------


def alarms(images: Population, effort: Effort, found: Found) -> Table:
    rows = [
        (n, margin, rates.alarm, rates.covered)
        for n in effort.defects
        for margin in effort.margins
        if (rates := found[Task(n, margin)])
    ]
    columns = ("defect images", "margin", "false alarms", "coverage")
    return Table("Two fits that are exchangeable", columns, tuple(rows), notes(images, effort))


def losses(images: Population, effort: Effort, found: Found) -> Table:
    rows = [
        row
        for n in effort.defects
        for m in effort.margins
        for row in _losses(images, effort, found, n, m)
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
    images: Population, effort: Effort, found: Found, n: int, margin: float
) -> Iterator[tuple[object, ...]]:
    for metric, kind in _lost(effort, margin):
        at, twice, once = (found[Task(n, margin, s)] for s in _scenarios(images, metric, kind))
        if at is not None:
            power = [None if each is None else each.alarm for each in (twice, once)]
            false = at.false_pass, at.any_false_pass, at.run_passes
            yield n, margins_of(margin)[metric], metric, kind, *false, at.covered, *power


def decided(images: Population, effort: Effort, found: Found) -> Table:
    rows = [
        (metric, margin, n, *(rates.ends[metric, outcome] for outcome in OUTCOMES))
        for metric in SEGMENTATION
        for margin in effort.decided_margins
        for n in effort.defects
        if (rates := found[Task(n, margin)])
    ]
    columns = ("metric", "max_drop", "defect images", *OUTCOMES)
    title = "What becomes of a refit that is as good"
    return Table(title, columns, tuple(rows), notes(images, effort))


def notes(images: Population, effort: Effort) -> tuple[str, ...]:
    chance = math.sqrt(0.05 * 0.95 / effort.draws)
    known = f"a rate of 0.05 has a standard error of {chance:.3f}"
    others = " and ".join(f"{metric} with {size:g}" for metric, size in OTHERS.items())
    return (
        f"{images.origin}; {', '.join(images.first)}.",
        f"{effort.draws} draws of a test set each: {known}. {effort.resamples} resamples each.",
        f"One family under all conditions: {' and '.join(SEGMENTATION)} with the margin, {others}.",
    )


# ---- simulation --------------------------------------------------------------------------------


def simulated(images: Population, effort: Effort, tasks: list[Task]) -> Found:
    """Return the rates of every task, in as many processes as the effort allows."""
    one = partial(rates, images, effort)
    if effort.processes == 1:
        return dict(zip(tasks, map(one, tasks), strict=True))
    # Spawned: a fork would copy locks of libraries that have threads by now.
    with ProcessPoolExecutor(effort.processes, get_context("spawn")) as pool:
        return dict(zip(tasks, pool.map(one, tasks), strict=True))


def rates(images: Population, effort: Effort, task: Task) -> Rates | None:
    """Judge many draws; ``None`` where the model has not so much to lose."""
    allowed = margins_of(task.margin)
    loss = NOTHING if task.scenario is None else _loss(images, task.scenario, allowed)
    if loss is None:
        return None
    truth = {(c, m): true_loss(images, m, loss, c) for c in images.first for m in allowed}
    draws = list(judged(images, effort, task.n, task.margin, loss))
    shares = np.mean([_seen(verdicts, truth) for verdicts in draws], axis=0).tolist()
    ends = Counter((m, _worst(verdicts, m)) for verdicts in draws for m in SEGMENTATION)
    every = {(m, o): ends[m, o] / len(draws) for m in SEGMENTATION for o in OUTCOMES}
    return Rates(*shares, every)


def _worst(verdicts: tuple[RegressionVerdict, ...], metric: str) -> str:
    found = {v.outcome for v in verdicts if v.change.metric == metric}
    return next(o for o in WORST_FIRST if o in found)


def _loss(images: Population, scenario: Scenario, allowed: dict[str, float]) -> Loss | None:
    size = scenario.multiple * allowed[scenario.metric]
    return loss_of(images, scenario.metric, scenario.kind, size, scenario.conditions)


def margins_of(margin: float) -> dict[str, float]:
    return {**dict.fromkeys(SEGMENTATION, margin), **OTHERS}


def judged(
    images: Population, effort: Effort, n: int, margin: float, loss: Loss
) -> Iterator[tuple[RegressionVerdict, ...]]:
    rng = np.random.default_rng([n, round(1e6 * margin)])
    changes = [
        AllowedChange(m, worse(m), value, False, "") for m, value in margins_of(margin).items()
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
