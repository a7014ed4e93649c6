"""Times that can be compared: taken in turn, in one process, on a machine with other work to do."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_robustbench.evaluation.machine.latency import collector_held_off

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Ratio(NamedTuple):
    """A ratio of medians, and the smallest and the largest ratio of a single round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Timed:
    """One piece of work, done once per round.

    Parameters
    ----------
    seconds : tuple of float
        How long it took in each round.
    result : object
        What it returned the last time.
    """

    seconds: tuple[float, ...]
    result: Any = None

    @property
    def median(self) -> float:
        """Median over the rounds, in seconds."""
        return statistics.median(self.seconds)

    def over(self, other: Timed) -> Ratio:
        """Return how many times as long as `other` it took; both come from the same rounds."""
        rounds = [mine / its for mine, its in zip(self.seconds, other.seconds, strict=True)]
        return Ratio(self.median / other.median, min(rounds), max(rounds))


def once(work: Callable[[], object]) -> Timed:
    """Do `work` once, for what is too long to be repeated."""
    return in_turn({"": work}, rounds=1)[""]


def in_turn(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timed]:
    """Do all `works` in each round, one after the other: what disturbs one disturbs all.

    Every round counts; whatever is slow the first time should have been done before.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    results: dict[str, object] = {}
    gc.collect()
    for _ in range(rounds):
        for name, work in works.items():
            with collector_held_off():
                start = time.perf_counter()
                results[name] = work()
                seconds[name].append(time.perf_counter() - start)
    return {name: Timed(tuple(seconds[name]), results[name]) for name in works}
