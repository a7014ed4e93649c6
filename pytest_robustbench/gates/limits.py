"""Limits, what lets one be violated for a while, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from pytest_robustbench.corruptions.catalogue import SEVERITY_UNIT
from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from datetime import date

    from pytest_robustbench.metrics.metric import Bound

Outcome = Literal["pass", "fail", "error", "not shown"]
Unsure = Literal["fail", "skip"]

CONFIDENCE = 0.95
"""At which every limit is called shown or not, where none is demanded."""
NO_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.99
"""Chance alone; and the furthest tail that 2000 draws of images know."""
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
    unit : str
        What the bound is told in, where the metric leaves that open; else empty.
    """

    metric: str
    bound: Bound
    value: float
    source: str
    unit: str = ""

    def in_unit(self, number: str) -> str:
        """Return a number of its kind with its unit, as one writes it in YAML."""
        if self.unit == SEVERITY_UNIT:
            return f"{self.unit} {number}"
        return f"{number} {self.unit}" if self.unit else number

    @property
    def told(self) -> str:
        """Its value, with its unit."""
        return self.in_unit(f"{self.value:g}")

    def holds(self, value: float) -> bool:
        """Return whether `value` keeps it."""
        return value >= self.value if self.bound == "min" else value <= self.value


@dataclass(frozen=True)
class Demand:
    """That limits are shown, and not only hold on the images that happen to be there.

    Parameters
    ----------
    confidence : float
        One-sided, in (0.5, 0.99]: a limit passes only if the bound of its value at this
        confidence keeps it.
    unsure : {"fail", "skip"}
        How a limit ends that merely holds.

    Raises
    ------
    ConfigError
        If either is something else: no bound would mean what it says.
    """

    confidence: float = CONFIDENCE
    unsure: Unsure = "fail"

    def __post_init__(self) -> None:
        """Refuse what no YAML may say either."""
        if not NO_CONFIDENCE < self.confidence <= MOST_CONFIDENCE:  # NaN included
            raise ConfigError(
                f"the confidence of a demand must lie above {NO_CONFIDENCE}, and be "
                f"{MOST_CONFIDENCE} at most, not {self.confidence:g}"
            )
        if self.unsure not in get_args(Unsure):
            choices = " or ".join(get_args(Unsure))
            raise ConfigError(f"unsure must be {choices}, not {self.unsure!r}")


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
    outcome : {"pass", "fail", "error", "not shown"}
        ``error`` means not measurable, and fails like ``fail``. ``not shown``: the value keeps the
        limit, but its bound at the demanded confidence does not.
    reason : str
        Why the value or its bound is missing, or why a waiver does not hold; empty otherwise.
    waiver : Waiver, optional
        What lets the limit be violated, or not be shown, for now.
    interval : (float, float), optional
        95 % interval of the value, were other images of the same kind drawn, to test on and to
        calibrate on; ``None`` where the metric is no sum over images.
    sampled : (float, float), optional
        The part of it that comes from the test images alone, at these very thresholds; ``None``
        where it is all of it: the thresholds were given, or the metric has none.
    n_images : int, optional
        The images the interval rests on: those the metric speaks of.
    n_parts : int, optional
        The parts that these show: fewer, where several images show one.
    at_worst : float, optional
        One-sided bound of the value, on the side of the limit, at `confidence`; ``None`` where it
        is not known.
    confidence : float
        Of `at_worst`.
    unsure : {"fail", "skip"}
        How it ends where it is ``not shown``.
    """

    condition: str
    limit: Limit
    value: float | None
    outcome: Outcome
    reason: str = ""
    waiver: Waiver | None = None
    interval: tuple[float, float] | None = None
    sampled: tuple[float, float] | None = None
    n_images: int | None = None
    n_parts: int | None = None
    at_worst: float | None = None
    confidence: float = CONFIDENCE
    unsure: Unsure = "fail"

    @property
    def pieces(self) -> int | None:
        """How many pieces of evidence it rests on: parts, which are images where none repeats."""
        return self.n_images if self.n_parts is None else self.n_parts

    @property
    def waived(self) -> bool:
        """Whether the limit is violated or not shown, and may be for now."""
        return self.outcome in ("fail", "not shown") and self.waiver is not None

    @property
    def open(self) -> bool:
        """Whether it is not shown, and neither fails the run nor is waived."""
        return self.outcome == "not shown" and self.unsure == "skip" and not self.waived

    @property
    def violated(self) -> bool:
        """Whether it fails the run: no pass, and neither waived nor open."""
        return self.outcome != "pass" and not (self.waived or self.open)

    @property
    def shown(self) -> bool:
        """Whether the value and its bound at `confidence` keep the limit."""
        return self.holds and self.at_worst is not None and self.limit.holds(self.at_worst)

    @property
    def holds(self) -> bool:
        """Whether the value keeps the limit, shown or not."""
        return self.outcome in ("pass", "not shown")
