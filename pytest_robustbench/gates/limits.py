"""Limits, what lets one be violated for a while, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from pytest_robustbench.metrics.metric import Bound

Outcome = Literal["pass", "fail", "error"]

SUMMARY = "summary"
"""What stands for a condition where a limit on the summary is meant."""


@dataclass(frozen=True)
class Limit:
    """One declared bound.

    Parameters
    ----------
    metric : str
        Its name in the catalogue, or that of a summary.
    bound : {"min", "max"}
        Floor or ceiling.
    value : float
        The bound itself; a measured value equal to it passes.
    source : str
        ``file:line`` of the declaration.
    """

    metric: str
    bound: Bound
    value: float
    source: str


@dataclass(frozen=True)
class Waiver:
    """One limit that may be violated until a day.

    Parameters
    ----------
    condition : str
        Id of the condition, or ``"summary"``.
    metric : str
        The metric of the limit.
    reason, by : str
        Why, and who answers for it.
    until : date
        The last day it holds; the limit fails again on the day after.
    source : str
        ``file:line`` of the declaration.
    """

    condition: str
    metric: str
    reason: str
    by: str
    until: date
    source: str

    def concerns(self, verdict: Verdict) -> bool:
        """Return whether `verdict` is on the limit that is waived."""
        return (self.condition, self.metric) == (verdict.condition, verdict.limit.metric)


@dataclass(frozen=True)
class Verdict:
    """A limit held against a measured value.

    Parameters
    ----------
    condition : str
        Id of the condition, or ``"summary"``.
    limit : Limit
        What was declared.
    value : float or None
        What was measured; ``None`` where the metric is not defined.
    outcome : {"pass", "fail", "error"}
        ``error`` means not measurable, and fails like ``fail``.
    reason : str
        Why the value is missing, or why a waiver does not hold; empty otherwise.
    waiver : Waiver, optional
        What lets the limit be violated for now; only beside ``fail``.
    interval : (float, float), optional
        95 % interval of the value, were other images of the same kind drawn; ``None`` where the
        metric is no sum over images.
    n_images : int, optional
        The images the interval rests on: those the metric speaks of.
    """

    condition: str
    limit: Limit
    value: float | None
    outcome: Outcome
    reason: str = ""
    waiver: Waiver | None = None
    interval: tuple[float, float] | None = None
    n_images: int | None = None

    @property
    def waived(self) -> bool:
        """Whether the limit is violated, and may be for now."""
        return self.outcome == "fail" and self.waiver is not None

    @property
    def violated(self) -> bool:
        """Whether it fails the run: violated or not measurable, and not waived."""
        return self.outcome != "pass" and not self.waived
