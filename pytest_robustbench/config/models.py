"""The shape of robustness.yaml, section by section; types, names and ranges, nothing else.

Every part may be incomplete here, because `defaults`, a benchmark and a profile are validated one
by one as well as merged. What needs more than one part is judged in `inputs` and `runs`.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.config.yaml.environment import Expanded, Unresolved
from pytest_robustbench.config.yaml.scalars import scalar_of
from pytest_robustbench.corruptions.names import DEFAULT
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.gates.regression.changes import comparable_metrics, worse
from pytest_robustbench.metrics.catalogue import (
    DROP_PREFIXES,
    METRICS,
    SUMMARY_METRICS,
    bound_of,
    metric_called,
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _retyped(value: object) -> object:
    """Let an environment variable stand for a number or a truth value."""
    return scalar_of(value) if isinstance(value, Expanded) else value


def _text(value: object) -> object:
    if isinstance(value, Unresolved) or (isinstance(value, str) and value.strip()):
        return value
    raise PydanticCustomError("expected", "text")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("expected", "text")
    return text


def _date(value: object) -> object:
    # YAML 1.2 knows no dates: with and without quotes, one is text here.
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:  # such as the 31st of June
        pass
    raise PydanticCustomError("expected", "a date such as 2026-03-31")


def _without_repetition(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PydanticCustomError("repeated", "{value} twice", {"index": index, "value": value})
    return values


def _finite(value: object) -> object:
    """Refuse NaN and infinity at any depth: a report is standard JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("not_finite", "finite numbers")
    for item in _inside(value):
        _finite(item)
    return value


def _inside(value: object) -> tuple[object, ...]:
    if isinstance(value, dict):
        return tuple(value.values())
    return value if isinstance(value, tuple) else ()


def _shape(value: object) -> str | None:
    """Tell the alternatives of a union apart by shape, so that only one of them complains."""
    if isinstance(value, (str, Unresolved)):
        return "<text>"
    if isinstance(value, tuple):
        return "<list>"
    return "<mapping>" if isinstance(value, (dict, BaseModel)) else None


Text: TypeAlias = Annotated[
    str | Unresolved, PlainValidator(_text), WithJsonSchema({"type": "string"})
]
"""A text that may wait for an environment variable until the data are needed."""

Line: TypeAlias = Annotated[
    str, AfterValidator(_not_blank), WithJsonSchema({"type": "string", "minLength": 1})
]
"""A text that says something and is needed at once."""
Day: TypeAlias = Annotated[
    date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})
]

# Last, so that it comes before the checks of range, which the JSON Schema shows.
_ENV = BeforeValidator(_retyped)

Number: TypeAlias = Annotated[float, _ENV]
Truth: TypeAlias = Annotated[bool, _ENV]
Count: TypeAlias = Annotated[int, Field(ge=1), _ENV]
Side: TypeAlias = Annotated[int, Field(ge=1, le=32767), _ENV]
"""Of an image, pixels: what OpenCV can warp."""
Seed: TypeAlias = Annotated[int, Field(ge=0), _ENV]
Rate: TypeAlias = Annotated[float, Field(ge=0, le=1), _ENV]
Share: TypeAlias = Annotated[float, Field(gt=0, lt=1), _ENV]
"""A quantile or fraction, strictly between 0 and 1."""
Milliseconds: TypeAlias = Annotated[float, Field(gt=0), _ENV]
Distance: TypeAlias = Annotated[float, Field(ge=0), _ENV]
Names: TypeAlias = Annotated[tuple[str, ...], AfterValidator(_without_repetition)]
Severity: TypeAlias = Annotated[int, Field(ge=SEVERITIES[0], le=SEVERITIES[-1]), _ENV]


class Section(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


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


class Comparison(Section):
    """The stored reports to hold new ones against, and how strictly."""

    baseline: Text | None = None
    anchor: Text | None = None
    min_overlap: Annotated[float, Field(gt=0, le=1), _ENV] = 1.0
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


class Dataset(Section):
    """Where the images are; `DATASET_OPTIONS` names the options of each format."""

    format: str | None = None
    root: Text | None = None
    category: Text | None = None
    resize: tuple[Side, Side] | None = None
    normal_dir: Text | None = None
    test_dir: Text | None = None
    abnormal_dir: Text | None = None
    mask_dir: Text | None = None
    test_fraction: Share | None = None
    manifest: Text | None = None
    allow_outside_root: Truth | None = None
    split_csv: Text | None = None
    test_part: Text | None = None
    n_train: Seed | None = None
    n_test_good: Seed | None = None
    n_defect: Seed | None = None
    size: Count | None = None
    seed: Seed | None = None


_CATEGORIES = ("root", "category", "resize")

DATASET_OPTIONS = {
    "mvtec": _CATEGORIES,
    "mvtec_ad2": (*_CATEGORIES, "test_part"),
    "mvtec_loco": _CATEGORIES,
    "visa": (*_CATEGORIES, "split_csv"),
    "btad": _CATEGORIES,
    "kolektor": (*_CATEGORIES, "test_fraction", "seed"),
    "manifest": (*_CATEGORIES, "manifest", "allow_outside_root", "test_fraction", "seed"),
    "folder": (
        *("root", "category", "resize", "normal_dir", "test_dir", "abnormal_dir", "mask_dir"),
        *("test_fraction", "seed"),
    ),
    "synthetic": (*("category", "resize"), *("n_train", "n_test_good", "n_defect", "size", "seed")),
}


class Detector(Section):
    """Which detector, and how it is made."""

    name: Text
    preset: Text | None = None
    device: Text | None = None
    kwargs: Annotated[dict[str, Any], AfterValidator(_finite)] = Field(default_factory=dict)
    fitted: Truth = False
    input_mode: Literal["numpy", "paths"] = "numpy"


class Postprocess(Section):
    """What is done to every anomaly map, in calibration and evaluation alike."""

    gaussian_sigma: Distance = 0.0


DetectorEntry: TypeAlias = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[Detector, Tag("<mapping>")],
    Discriminator(_shape),
]


CorruptionEntry: TypeAlias = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[dict[str, Any], AfterValidator(_finite), Tag("<mapping>")],
    Discriminator(_shape),
]
"""A name or import path, or a mapping that gives one parameters or composes several."""


class Calibration(Section):
    """How the operating point is found."""

    pixel_normal_quantile: Share = 0.999
    image_normal_quantile: Share = 0.95
    method: Literal["holdout", "crossfit"] = "holdout"
    fraction: Share = 0.2
    folds: Annotated[int, Field(ge=2), _ENV] = 5
    seed: Seed = 0
    images: Text | None = None


class Thresholds(Section):
    """An operating point that is known already: numbers, or a file that holds them."""

    pixel_threshold: Number | None = None
    image_threshold: Number | None = None
    file: Text | None = None


class Benchmark(Section):
    """One benchmark, the defaults of all of them, or what a profile changes in them."""

    dataset: (
        Annotated[
            Annotated[Literal["fixture"], Tag("<text>")] | Annotated[Dataset, Tag("<mapping>")],
            Discriminator(_shape),
        ]
        | None
    ) = None
    detector: (
        Annotated[
            Annotated[Text, Tag("<text>")]
            | Annotated[Detector, Tag("<mapping>")]
            | Annotated[tuple[DetectorEntry, ...], Field(min_length=1), Tag("<list>")],
            Discriminator(_shape),
        ]
        | None
    ) = None
    seed: Seed = 0
    batch_size: Count = 1
    aupro_limit: Annotated[float, Field(gt=0, le=1), _ENV] = 0.3
    memory_budget: Count = EvaluationSettings.memory_budget
    pixel_segf1: Truth = True
    postprocess: Postprocess = Field(default_factory=Postprocess)
    calibration: Calibration = Field(default_factory=Calibration)
    operating_point: (
        Annotated[
            Annotated[Text, Tag("<text>")] | Annotated[Thresholds, Tag("<mapping>")],
            Discriminator(_shape),
        ]
        | None
    ) = None
    corruptions: Annotated[
        Annotated[Literal["none"], Tag("<text>")]
        | Annotated[
            tuple[CorruptionEntry, ...],
            Field(min_length=1),
            AfterValidator(_without_repetition),
            Tag("<list>"),
        ],
        Discriminator(_shape),
    ] = DEFAULT
    severities: Annotated[
        tuple[Severity, ...], Field(min_length=1), AfterValidator(_without_repetition)
    ] = SEVERITIES
    recorded: dict[str, Dataset] = Field(default_factory=dict)
    accept: Accept = Field(default_factory=Accept)
    measure_only: Names = ()
    regression: Regression | None = None
    waivers: tuple[WaiverEntry, ...] = ()
    limit_train: Count | None = None
    limit_test: Count | None = None


class RobustnessFile(Benchmark):
    """The whole file; the keys of a single benchmark may stand at its top level."""

    schema_version: Annotated[int, Field(ge=1, le=1), _ENV]
    name: str | None = None
    defaults: Benchmark = Field(default_factory=Benchmark)
    detectors: dict[str, DetectorEntry] = Field(default_factory=dict)
    benchmarks: Annotated[dict[str, Benchmark], Field(min_length=1)] | None = None
    profiles: dict[str, Benchmark] = Field(default_factory=dict)
