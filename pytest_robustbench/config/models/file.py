"""One benchmark, and the whole file.

Every part may be incomplete here, because `defaults`, a benchmark and a profile are validated one
by one as well as merged. What needs more than one part is judged in `checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, create_model

from pytest_robustbench.conditions import SEVEREST, SEVERITIES, rounded_severity
from pytest_robustbench.config.models.inputs import (
    Calibration,
    CorruptionEntry,
    Dataset,
    Detector,
    DetectorEntry,
    LineDrift,
    Postprocess,
    Thresholds,
)
from pytest_robustbench.config.models.limits import (
    Accept,
    Regression,
    WaiverEntry,
    accept_type,
    regression_type,
)
from pytest_robustbench.config.models.values import (
    ENV,
    LIST,
    MAPPING,
    TEXT,
    Count,
    Names,
    Section,
    Seed,
    Text,
    Truth,
    shape,
    without_repetition,
)
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.gates.regression.changes import comparable_metrics
from pytest_robustbench.metrics.catalogue import METRICS
from pytest_robustbench.unions import tag

Severity: TypeAlias = Annotated[
    float, Field(ge=0.001, le=SEVEREST), AfterValidator(rounded_severity), ENV
]


class Benchmark(Section):
    """One benchmark, the defaults of all of them, or what a profile changes in them."""

    dataset: (
        Annotated[
            Annotated[Literal["fixture"], tag(TEXT)] | Annotated[Dataset, tag(MAPPING)],
            Discriminator(shape),
        ]
        | None
    ) = None
    detector: (
        Annotated[
            Annotated[Text, tag(TEXT)]
            | Annotated[Detector, tag(MAPPING)]
            | Annotated[tuple[DetectorEntry, ...], Field(min_length=1), tag(LIST)],
            Discriminator(shape),
        ]
        | None
    ) = None
    seed: Seed = EvaluationSettings.seed
    batch_size: Count = EvaluationSettings.batch_size
    aupro_limit: Annotated[float, Field(gt=0, le=1), ENV] = EvaluationSettings.aupro_limit
    memory_budget: Count = EvaluationSettings.memory_budget
    image_budget: Count = EvaluationSettings.image_budget
    pixel_segf1: Truth = EvaluationSettings.pixel_segf1
    postprocess: Postprocess = Field(default_factory=Postprocess)
    calibration: Calibration = Field(default_factory=Calibration)
    operating_point: (
        Annotated[
            Annotated[Text, tag(TEXT)] | Annotated[Thresholds, tag(MAPPING)],
            Discriminator(shape),
        ]
        | None
    ) = None
    corruptions: Annotated[
        Annotated[Literal["none"], tag(TEXT)]
        | Annotated[
            tuple[CorruptionEntry, ...],
            Field(min_length=1),
            AfterValidator(without_repetition),
            tag(LIST),
        ],
        Discriminator(shape),
    ] = DEFAULT
    severities: Annotated[
        tuple[Severity, ...], Field(min_length=1), AfterValidator(without_repetition)
    ] = SEVERITIES
    recorded: dict[str, Dataset] = Field(default_factory=dict)
    metrics: Names = ()
    accept: Accept = Field(default_factory=Accept)
    measure_only: Names = ()
    line_drift: LineDrift | None = None
    regression: Regression | None = None
    waivers: tuple[WaiverEntry, ...] = ()
    limit_train: Count | None = None
    limit_test: Count | None = None


class RobustnessFile(Benchmark):
    """The whole file; the keys of a single benchmark may stand at its top level."""

    schema_version: Annotated[int, Field(ge=1, le=1), ENV]
    name: str | None = None
    defaults: Benchmark = Field(default_factory=Benchmark)
    detectors: dict[str, DetectorEntry] = Field(default_factory=dict)
    benchmarks: Annotated[dict[str, Benchmark], Field(min_length=1)] | None = None
    profiles: dict[str, Benchmark] = Field(default_factory=dict)


def benchmark_type(own: tuple[str, ...], severities: tuple[float, ...]) -> type[Benchmark]:
    """Return the shape of a benchmark with metrics of one's own, and of some severities."""
    if not own and set(severities) <= set(SEVERITIES):
        return Benchmark
    return create_model("Benchmark", __base__=Benchmark, **_limits(own, severities))


def file_type(own: tuple[str, ...], severities: tuple[float, ...]) -> type[RobustnessFile]:
    """Return the shape of a file with metrics of one's own, and of some severities."""
    benchmark = benchmark_type(own, severities)
    if benchmark is Benchmark:
        return RobustnessFile
    several = Annotated[dict[str, benchmark], Field(min_length=1)]  # type: ignore[valid-type]
    parts: dict[str, Any] = {
        "defaults": (benchmark, Field(default_factory=benchmark)),
        "benchmarks": (several | None, None),
        "profiles": (dict[str, benchmark], Field(default_factory=dict)),  # type: ignore[valid-type]
    }
    return create_model(
        "RobustnessFile", __base__=RobustnessFile, **_limits(own, severities), **parts
    )


def _limits(own: tuple[str, ...], severities: tuple[float, ...]) -> dict[str, Any]:
    accept = accept_type((*METRICS, *own), tuple(dict.fromkeys([*SEVERITIES, *severities])))
    builtin = [name for name in comparable_metrics() if name in METRICS]
    regression = regression_type((*builtin, *own))
    return {
        "accept": (accept, Field(default_factory=accept)),
        "regression": (regression | None, None),
    }
