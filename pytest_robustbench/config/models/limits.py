"""What is accepted: limits by scope, allowed changes against stored reports, waivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, create_model

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.config.models.values import (
    ENV,
    Confidence,
    Day,
    Distance,
    Line,
    Milliseconds,
    Number,
    Rate,
    Section,
    Strength,
    Text,
    Truth,
)
from pytest_robustbench.gates.regression.changes import comparable_metrics, worse
from pytest_robustbench.gates.soundness import OneSided
from pytest_robustbench.metrics.catalogue import (
    DROP_PREFIXES,
    METRICS,
    TOLERANCE,
    metric_called,
    summaries_of,
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


class Floor(Bound):
    """A floor under a metric that has no largest value."""

    bound = "min"
    min: Distance


class Ceiling(Bound):
    """A ceiling over a metric that has no largest value."""

    bound = "max"
    max: Distance


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


class ToleranceLimit(Section):
    """A floor under the tolerance to a corruption; without it that is only measured."""

    min: Strength | None = None


def limit_type(metric: str) -> type[Bound]:
    """Return the shape of a limit on `metric`."""
    if metric.startswith(DROP_PREFIXES):
        return DropCeiling
    row = metric_called(metric)
    if row.is_latency:
        return DurationCeiling
    shapes = (RateFloor, RateCeiling) if row.largest == 1 else (Floor, Ceiling)
    return shapes[row.bound == "max"]


def _limit_fields(metrics: tuple[str, ...]) -> dict[str, Any]:
    return {metric: (limit_type(metric) | None, None) for metric in metrics}


def _severity_fields(limits: type[Section], severities: tuple[float, ...]) -> dict[str, Any]:
    written = (limits, Field(default_factory=limits))
    return {f"severity_{severity:g}": written for severity in severities}


class Comparison(Section):
    """The stored reports to hold new ones against, and how strictly."""

    baseline: Text | None = None
    anchor: Text | None = None
    min_overlap: Annotated[float, Field(gt=0, le=1), ENV] = 1.0
    strict_pixels: Truth = False
    inconclusive: Literal["skip", "fail"] = "skip"
    one_sided: OneSided | None = None


_ONE_SIDED: Any = (OneSided | None, None)


def accept_type(metrics: tuple[str, ...], severities: tuple[float, ...] = SEVERITIES) -> type[Any]:
    """Return the shape of ``accept`` where limits may name these metrics and severities."""
    of_condition = create_model(
        "ConditionLimits", __base__=Section, **_limit_fields(metrics), one_sided=_ONE_SIDED
    )
    of_summary = create_model(
        "SummaryLimits",
        __base__=Section,
        **_limit_fields(summaries_of(metrics)),
        one_sided=_ONE_SIDED,
    )
    of_corruption = create_model(
        "CorruptionLimits", __base__=of_condition, **_severity_fields(of_condition, severities)
    )

    class RecordedLimits(of_condition):  # type: ignore[misc, valid-type]
        """Limits of all recorded sets; every key that is no metric is one of them."""

        model_config = ConfigDict(extra="allow")
        if not TYPE_CHECKING:  # mypy would take it for an argument
            __pydantic_extra__: dict[str, of_condition]

    class Accept(Section):
        """Limits by scope; every key that is no field is a corruption."""

        model_config = ConfigDict(extra="allow")
        if not TYPE_CHECKING:
            __pydantic_extra__: dict[str, of_corruption]

            confidence: Confidence | None = None
            unsure: Literal["fail", "skip"] | None = None
            tolerance: dict[str, ToleranceLimit | None] = Field(default_factory=dict)
            all: of_condition = Field(default_factory=of_condition)
            clean: of_condition = Field(default_factory=of_condition)
            recorded: RecordedLimits = Field(default_factory=RecordedLimits)
            summary: of_summary = Field(default_factory=of_summary)

    return Accept


def regression_type(metrics: tuple[str, ...]) -> type[Comparison]:
    """Return the shape of ``regression`` where these metrics are measured."""
    fields: dict[str, Any] = {metric: (_change_type(metric) | None, None) for metric in metrics}
    return create_model("Regression", __base__=Comparison, **fields)


def _change_type(metric: str) -> type[Bound]:
    return AllowedDrop if worse(metric) == "max_drop" else AllowedRise


if TYPE_CHECKING:
    Accept: TypeAlias = Any
    Regression: TypeAlias = Comparison
else:
    Accept = accept_type(METRICS)
    Regression = regression_type(comparable_metrics())

SETTINGS = ("confidence", "unsure", TOLERANCE.name)
"""Keys under `accept` that hold no limits on conditions."""
SCOPES = tuple(name for name in Accept.model_fields if name not in SETTINGS)
"""Keys under `accept` that hold limits, and are no corruption."""


class WaiverEntry(Section):
    """One limit that may be violated until a day."""

    condition: Line
    metric: Line
    reason: Line
    by: Line
    until: Day
