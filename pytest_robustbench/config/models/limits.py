"""What is accepted: limits by scope, allowed changes against stored reports, waivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, create_model

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.config.models.values import (
    ENV,
    Day,
    Distance,
    Line,
    Milliseconds,
    Number,
    Rate,
    Section,
    Text,
    Truth,
)
from pytest_robustbench.gates.regression.changes import comparable_metrics, worse
from pytest_robustbench.metrics.catalogue import (
    DROP_PREFIXES,
    METRICS,
    SUMMARY_METRICS,
    bound_of,
    metric_called,
)


class Bound(Section):
    """One number under the key that `bound` names."""

    bound: ClassVar[str]

    @property
    def value(self) -> float:
        """The number."""
        return float(getattr(self, self.bound))


class RateFloor(Bound):
    """A floor under a metric that lies in [0, 1]."""

    bound = "min"
    min: Rate


class RateCeiling(Bound):
    """A ceiling over a metric that lies in [0, 1]."""

    bound = "max"
    max: Rate


class DurationCeiling(Bound):
    """A ceiling over a latency, in milliseconds or relative to a reference."""

    bound = "max"
    max: Milliseconds


class DropCeiling(Bound):
    """A ceiling over what a metric loses from clean to corrupted; negative demands a gain."""

    bound = "max"
    max: Number


class AllowedDrop(Bound):
    """The largest loss against the baseline of a metric of which more is better."""

    bound = "max_drop"
    max_drop: Distance
    relative: Truth = False


class AllowedRise(Bound):
    """The largest rise against the baseline of a metric of which less is better."""

    bound = "max_rise"
    max_rise: Distance
    relative: Truth = False


def limit_type(metric: str) -> type[Bound]:
    """Return the shape of a limit on `metric`."""
    if metric.startswith(DROP_PREFIXES):
        return DropCeiling
    if bound_of(metric) == "min":
        return RateFloor
    return DurationCeiling if metric_called(metric).is_latency else RateCeiling


def _limit_fields(metrics: tuple[str, ...]) -> dict[str, Any]:
    return {metric: (limit_type(metric) | None, None) for metric in metrics}


def _severity_fields(limits: type[Section]) -> dict[str, Any]:
    written = (limits, Field(default_factory=limits))
    return {f"severity_{severity}": written for severity in SEVERITIES}


if TYPE_CHECKING:
    ConditionLimits: TypeAlias = Section
    SummaryLimits: TypeAlias = Section
    CorruptionLimits: TypeAlias = Section
else:
    ConditionLimits = create_model("ConditionLimits", __base__=Section, **_limit_fields(METRICS))
    SummaryLimits = create_model(
        "SummaryLimits", __base__=Section, **_limit_fields(SUMMARY_METRICS)
    )
    CorruptionLimits = create_model(
        "CorruptionLimits", __base__=ConditionLimits, **_severity_fields(ConditionLimits)
    )


class RecordedLimits(ConditionLimits):
    """Limits of all recorded sets; every key that is no metric is one of them."""

    model_config = ConfigDict(extra="allow")
    if not TYPE_CHECKING:
        __pydantic_extra__: dict[str, ConditionLimits]


class Accept(Section):
    """Limits by scope; every key that is no field is a corruption."""

    model_config = ConfigDict(extra="allow")
    if not TYPE_CHECKING:  # mypy would take it for an argument
        __pydantic_extra__: dict[str, CorruptionLimits]

    all: ConditionLimits = Field(default_factory=ConditionLimits)
    clean: ConditionLimits = Field(default_factory=ConditionLimits)
    recorded: RecordedLimits = Field(default_factory=RecordedLimits)
    summary: SummaryLimits = Field(default_factory=SummaryLimits)


SCOPES = tuple(Accept.model_fields)
"""Keys under `accept` that are no corruption."""


class Comparison(Section):
    """The stored reports to hold new ones against, and how strictly."""

    baseline: Text | None = None
    anchor: Text | None = None
    min_overlap: Annotated[float, Field(gt=0, le=1), ENV] = 1.0
    strict_pixels: Truth = False
    inconclusive: Literal["skip", "fail"] = "skip"


def _change_type(metric: str) -> type[Bound]:
    return AllowedDrop if worse(metric) == "max_drop" else AllowedRise


if TYPE_CHECKING:
    Regression = Comparison
else:
    Regression = create_model(
        "Regression",
        __base__=Comparison,
        **{metric: (_change_type(metric) | None, None) for metric in comparable_metrics()},
    )


class WaiverEntry(Section):
    """One limit that may be violated until a day."""

    condition: Line
    metric: Line
    reason: Line
    by: Line
    until: Day
