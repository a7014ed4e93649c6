"""Draws of test sets, judged by the gate itself, and the shares of the draws that are wrong."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.gates.regression.changes import AllowedChange, worse
from pytest_robustbench.gates.regression.family import Comparison, judge_family
from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.gates.regression.resampling import Resampling
from truth.losses import amount_of
from truth.population import (
    drawn_parts,
    outcomes_of,
    population,
    seen,
    true_loss,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict
    from pytest_robustbench.metrics.outcomes import Outcomes
    from truth.population import Images, Layout, Loss

ROUNDING = 1e-9
EQUAL = 1e-4
"""True losses below are none: they step by one image of the population."""
CLAIMED = 0.05
LEAST_COVERAGE = 0.93


@dataclass(frozen=True)
class Effort:
    """How much is simulated.

    Parameters
    ----------
    draws, resamples : int
        Test sets a cell, and resamples that the gate takes for each.
    images_a_part : tuple of int
        Of the test sets.
    population : int
        Images in the population that they are drawn from.
    processes : int
        That share the cells.
    defects : tuple of int
        Defect images of a test set; by default every table has its own sizes.
    """

    draws: int
    resamples: int
    images_a_part: tuple[int, ...]
    population: int
    processes: int = 1
    defects: tuple[int, ...] = ()


class Share(NamedTuple):
    """A share of draws, and whether it is more, or less, than is claimed."""

    value: float
    marked: bool

    def __str__(self) -> str:
        text = f"{100 * self.value:.1f} %"
        return f"**{text}**" if self.marked else text


def wrong(value: float, draws: int) -> Share:
    """Return the share of draws that are decided wrongly: at most 5 % and two standard errors."""
    return Share(value, value > CLAIMED + 2 * math.sqrt(CLAIMED * (1 - CLAIMED) / draws))


def covered(value: float, draws: int) -> Share:
    """Return the share of draws whose bounds hold: at least 93 %."""
    return Share(value, value < LEAST_COVERAGE)


@dataclass(frozen=True)
class Cell:
    """One set of draws.

    Parameters
    ----------
    layout : Layout
        Of the parts.
    loss : callable
        What the candidate loses.
    n : int
        Defect images of a test set.
    limits : mapping of str to float
        Margins by metric: one family, under all conditions.
    lost : str
        The metric whose true loss is set.
    size : float
        That loss; ``nan`` where the candidate is another fit and no more.
    """

    layout: Layout
    loss: Loss
    n: int
    limits: Mapping[str, float] = field(hash=False)
    lost: str = ""
    size: float = math.nan


@dataclass(frozen=True)
class Rates:
    """Shares of the draws; shares by metric are of limits, under all conditions.

    Parameters
    ----------
    alarm : float
        Any limit has regressed although its true loss is none.
    alarm_beyond : float
        The same at margins as they are used: 0.02, and 0.005 on `bg_fpr`. For limits with a
        smaller margin, of which those with a larger one are a part.
    false_pass : float
        Any limit passes although its true loss reaches its margin.
    run_passes : float
        All limits pass.
    regressed : float
        Any limit has regressed.
    upper, lower : float
        The upper, and the lower, ends of all intervals hold at once.
    """

    alarm: float
    alarm_beyond: float
    false_pass: float
    run_passes: float
    regressed: float
    upper: float
    lower: float


class Known(NamedTuple):
    """What both models say about the whole population, under one condition."""

    baseline: Outcomes
    candidate: Outcomes


def rates_of(effort: Effort, cells: Sequence[Cell]) -> list[Rates | None]:
    """Return the rates of every cell, in as many processes as the effort allows."""
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.layout, cell.loss, cell.lost, cell.size), []).append(cell)
    found = dict(
        zip(groups, spread_out(effort, partial(_rates, effort), groups.values()), strict=True)
    )
    rates = {
        id(cell): rate
        for key, group in groups.items()
        for cell, rate in zip(group, found[key], strict=True)
    }
    return [rates[id(cell)] for cell in cells]


def spread_out(effort: Effort, one: Callable, tasks: Iterable) -> list:
    """Return what each task comes to, in as many processes as the effort allows."""
    if effort.processes == 1:
        return [one(task) for task in tasks]
    # Spawned: a fork would copy locks of libraries that have threads by now.
    with ProcessPoolExecutor(effort.processes, get_context("spawn")) as pool:
        return list(pool.map(one, tasks))


def _rates(effort: Effort, cells: Sequence[Cell]) -> list[Rates | None]:
    """Return the rates of cells that differ in their sizes and limits alone."""
    known = known_of(cells[0])
    return [None if known is None else rates(effort, cell, known) for cell in cells]


def rates(effort: Effort, cell: Cell, known: Sequence[Known]) -> Rates:
    """Judge many draws of what is known of the population."""
    true = [_true(cell, metric, pair) for pair in known for metric in cell.limits]
    found = [_seen(verdicts, true) for verdicts in judged(effort, cell, known)]
    return Rates(*np.mean(found, axis=0).tolist())


def _true(cell: Cell, metric: str, pair: Known) -> float:
    # The amount that costs so much was found to within an image of the population.
    return cell.size if metric == cell.lost else true_loss(metric, *pair)


@lru_cache(maxsize=1)
def parts(layout: Layout) -> list[Images]:
    """Return a population; cells in sequence share it."""
    return population(layout)


def known_of(cell: Cell) -> list[Known] | None:
    """Return both models under every condition; ``None`` where there is not so much to lose."""
    found = []
    for images in parts(cell.layout):
        amount = 0.0
        if not math.isnan(cell.size):
            solved = amount_of(cell.loss, images, cell.lost, cell.size)
            if solved is None:
                return None
            amount = solved
        models = cell.loss(images, amount)
        found.append(Known(*(outcomes_of(images, model) for model in models)))
    return found


def judged(
    effort: Effort, cell: Cell, known: Sequence[Known]
) -> Iterator[tuple[RegressionVerdict, ...]]:
    """Yield the verdicts on every draw: conditions, and the limits under each."""
    layout = cell.layout
    rng = np.random.default_rng([cell.n, layout.images_a_part, round(100 * layout.icc)])
    images = parts(layout)[0]
    changes = [AllowedChange(m, worse(m), v, False, "") for m, v in cell.limits.items()]
    for draw in range(effort.draws):
        rows = drawn_parts(layout, images, cell.n, rng)
        family = []
        for number, pair in enumerate(known):
            models = [seen(outcomes, rows, layout.images_a_part) for outcomes in pair]
            ids = tuple(map(str, range(len(models[0].labels))))
            here = Pair(f"condition {number}", ids, *models)
            family += [Comparison("drawn", here, change) for change in changes]
        chance = Resampling(draws=effort.resamples, exchanges=effort.resamples, seed=draw)
        yield judge_family(family, chance)


def _seen(verdicts: Sequence[RegressionVerdict], true: Sequence[float]) -> tuple[float, ...]:
    """Return what `Rates` are the means of, for one draw."""
    pairs = list(zip(verdicts, true, strict=True))
    ends = [v.outcome for v in verdicts]
    alarms = [v for v, t in pairs if v.outcome == "regressed" and t <= EQUAL]
    bounds = [(v.interval, t) for v, t in pairs if v.interval is not None]
    return (
        any(alarms),
        any(v.loss is None or v.loss > _used(v) for v in alarms),
        any(v.outcome == "pass" and t >= v.change.value - ROUNDING for v, t in pairs),
        all(end == "pass" for end in ends),
        "regressed" in ends,
        all(interval[1] >= t - ROUNDING for interval, t in bounds),
        all(interval[0] <= t + ROUNDING for interval, t in bounds),
    )


def _used(verdict: RegressionVerdict) -> float:
    """Return a small margin that is used."""
    return 0.005 if verdict.change.metric == "bg_fpr" else 0.02
