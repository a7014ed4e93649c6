"""What is known about a metric; numpy is not imported, as collection reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_robustbench.metrics.outcomes import Column, Outcomes

    Formula: TypeAlias = Callable[[Outcomes], tuple[Column, Column]]

Bound = Literal["min", "max"]
Level = Literal["pixel", "image", "latency"]
Kind = Literal["defect", "normal", "both", "any"]
Sight = Literal["misses", "false alarms", "silence"]
SideName = Literal["false_reject_rate", "miss_rate"]
"""The share of parts that are decided wrongly on one side."""
SIDES: tuple[SideName, ...] = ("false_reject_rate", "miss_rate")

SHARE = "share, 0 to 1"
A_DAY = 86_400_000.0
"""In milliseconds; a reference workload takes about as many."""


@dataclass(frozen=True)
class Metric:
    """One metric, and all that is known about it.

    Parameters
    ----------
    name : str
        How YAML, reports, tables and messages call it.
    level : {"pixel", "image", "latency"}
        What it is about.
    more_is_better : bool
        Whether limits are floors; else they are ceilings.
    meaning : str
        What it is, in words.
    formula : callable, optional
        From `Outcomes` of N images to what each adds to a numerator and to a denominator: two
        ``(N,)`` columns. The metric is the ratio of their sums. An image whose denominator is 0, or
        one of whose numbers is NaN, adds nothing. ``None`` where the metric is no such ratio.
    rests_on : {"defect", "normal", "both", "any"}
        The images it speaks of, and without which it is not defined.
    sees : tuple of {"misses", "false alarms", "silence"}
        What a limit on it can notice; silence is a detector that never calls anything.
    pools : bool
        Whether normal images add to a metric that rests on defect images.
    nothing_counts : str
        Why it is not defined although the images that it rests on are there.
    comparable : bool
        Whether two reports can be compared by it: some need the score of every pixel.
    largest : float
        No value can be larger; none is below 0.
    unit : str
        What it is measured in.
    proposed : bool
        Whether limits on it are proposed to who declares none.
    version : int
        Of a formula of one's own.
    source : str
        ``module:function`` of a formula of one's own; empty for what is built in.
    """

    name: str
    level: Level
    more_is_better: bool
    meaning: str
    formula: Formula | None = None
    rests_on: Kind = "any"
    sees: tuple[Sight, ...] = ()
    pools: bool = False
    nothing_counts: str = "nothing counts: its denominator is 0 for every image"
    comparable: bool = True
    largest: float = 1.0
    unit: str = SHARE
    proposed: bool = False
    version: int = 1
    source: str = ""

    @property
    def bound(self) -> Bound:
        """Which limit it takes: a floor for good things, a ceiling for bad ones."""
        return "min" if self.more_is_better else "max"

    @property
    def sign(self) -> Literal[1, -1]:
        """1 where more of it is worse, as losses are counted."""
        return -1 if self.more_is_better else 1

    @property
    def is_latency(self) -> bool:
        """Whether it is a time."""
        return self.level == "latency"

    @property
    def most(self) -> float:
        """What no value exceeds that anybody would wait for."""
        return A_DAY if self.is_latency else self.largest

    @property
    def ranks(self) -> bool:
        """Whether it ranks scores over all thresholds, and no threshold decides it."""
        return self.formula is None and not self.is_latency

    @property
    def counts_pixels(self) -> bool:
        """Whether it follows from the pixel counts of images."""
        return self.level == "pixel" and not self.ranks

    @property
    def description(self) -> str:
        """Its meaning, and which direction is good."""
        return f"{self.meaning}; {'more' if self.more_is_better else 'less'} is better"

    @property
    def kind(self) -> str:
        """The images it speaks of, as an adjective; empty where it speaks of both kinds."""
        return self.rests_on if self.rests_on in ("defect", "normal") else ""
