"""How far a metric swings when the same detector is trained again."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.gates.regression.changes import AllowedChange

FEWEST_REFITS = 5
LARGEST_SHARE = 0.5
"""Of the allowed loss: beyond it, two trainings of one recipe easily differ by all of it."""


@dataclass(frozen=True)
class Spread:
    """One allowed change beside what training again does to the metric.

    Parameters
    ----------
    condition : str
        Id of the condition.
    change : AllowedChange
        What may be lost.
    values : tuple of float or None
        The metric of every refit; ``None`` where it is not defined.
    reason : str
        Why a value is ``None``; empty where there is none.
    """

    condition: str
    change: AllowedChange
    values: tuple[float | None, ...]
    reason: str = ""

    @property
    def numbers(self) -> Sequence[float]:
        """Every value; none at all where one is not defined."""
        found = [value for value in self.values if value is not None]
        return found if len(found) == len(self.values) else []

    @property
    def mean(self) -> float | None:
        """Mean over the refits."""
        return statistics.fmean(self.numbers) if self.numbers else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the refits, as of a sample (n - 1)."""
        return statistics.stdev(self.numbers) if self.numbers else None

    @property
    def allowed(self) -> float | None:
        """The allowed loss in units of the metric; a relative one is a share of the mean."""
        return None if self.mean is None else self.change.allowed(self.mean)

    @property
    def exceeds(self) -> bool:
        """Whether the standard deviation is more than half of the allowed loss."""
        if self.deviation is None or self.allowed is None:
            return False
        return self.deviation > LARGEST_SHARE * self.allowed
