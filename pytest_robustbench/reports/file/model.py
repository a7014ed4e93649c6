"""The model of a report file: it writes, reads and checks reports, and is their JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, create_model, model_validator

from pytest_robustbench.display import redacted_plain
from pytest_robustbench.errors import MetricError, ReportError
from pytest_robustbench.gates.summary import CLEAN_PREFIX
from pytest_robustbench.metrics.catalogue import (
    BUILT_IN,
    DROP_PREFIXES,
    LEVEL_PREFIXES,
    REGISTERED,
    summarized,
)
from pytest_robustbench.metrics.metric import Kind, Level, Sight
from pytest_robustbench.metrics.own import known, metric_from
from pytest_robustbench.reports.file.comparison_model import RegressionRecord
from pytest_robustbench.reports.file.model_types import (
    CONDITION,
    ConditionId,
    CorruptionName,
    Count,
    Day,
    Digest32,
    Distinct,
    Interval,
    LimitedName,
    Milliseconds,
    NonEmpty,
    Number,
    Part,
    Place,
    Quantile,
    SetName,
    Settings,
    Severity,
    Sha256,
    Share,
    Time,
)
from pytest_robustbench.reports.file.record_model import Memory, Record, Samples, ToleranceRecord

if TYPE_CHECKING:
    from typing_extensions import Self

SCHEMA_VERSION = 2
TOLD = ("category", "model", "command", "rerun", "detector", "notes")
"""What of a header may quote a value of the environment: by a user's code, or a command line."""


Ends = Annotated[
    list[Number | None],
    Field(
        min_length=2,
        max_length=2,
        description="Lower and upper end; null where the threshold might lie anywhere on that "
        "side.",
    ),
]


class Health(Part):
    """How far the pixel threshold can be trusted."""

    n_images: Count = Field(description="Number of calibration images.")
    n_tail_images: Count = Field(
        description="How many of them carry the pixels above the threshold."
    )
    largest_tail_share: Share = Field(
        description="Share of these pixels that lie in the images of one single part."
    )
    largest_tail_image: str = Field(description="Id of the image of it with most of them.")
    without_each: list[Number] = Field(
        description="For each image, the pixel threshold with the part that it shows left out; a "
        "score of the maps."
    )


class RedrawnRange(Part):
    """Where other calibration images of the same kinds would have put the thresholds."""

    tail: Share = Field(
        description="How often a threshold would lie beyond one of its ends, at most."
    )
    pixel_threshold: Ends | None = Field(description="Null for a detector without maps.")
    image_threshold: Ends


class Frozen(Part):
    """The frozen thresholds. A pixel (image) is anomalous when its score lies strictly above."""

    pixel_threshold: Number | None = Field(
        description="Score of the detector's maps, exactly a float32; null for a detector without "
        "maps, or where none was given."
    )
    image_threshold: Number = Field(description="Score of whole images, exactly a float32.")
    method: Literal["holdout", "crossfit", "images", "given"] = Field(
        description="Calibrated on train images held out from fit, on out-of-fold predictions of "
        "all train images, on normal images of their own, or not at all but given."
    )
    pixel_normal_quantile: Quantile | None = Field(
        description="Share of the calibration pixels at or below the pixel threshold; null where "
        "the thresholds were given."
    )
    image_normal_quantile: Quantile | None = Field(
        description="Share of normal images that shall lie at or below the image threshold; null "
        "where the thresholds were given."
    )
    n_images: Count = Field(
        description="Number of calibration images; 0 where the thresholds were given."
    )
    n_parts: Count = Field(description="Number of parts that these show.")
    expected_false_reject_rate: Share | None = Field(
        description="Future normal images that one may expect above the image threshold: "
        "(n + 1 - k) / (n + 1); null where it is not defined."
    )
    calibrated_on: Annotated[str, StringConstraints(pattern="^([0-9a-f]{32})?$")] = Field(
        description="Digest of the calibration images' pixels; empty where the thresholds were "
        "given."
    )
    health: Health | None = Field(description="Null without maps, or where it was given.")
    warnings: list[str] = Field(
        description="What a reader of the result has to know about the calibration."
    )
    recalibrated: dict[str, Any] | None = Field(
        default=None,
        description="The operating point that calibrating this detector would have given; null or "
        "absent where nothing was frozen.",
    )
    redrawn: list[RedrawnRange] = Field(
        description="Where other calibration images would have put the thresholds; empty where the "
        "thresholds were given."
    )
    interval: Interval | None = Field(
        description="Smallest and largest pixel threshold when one calibration image is left out; "
        "scores of the maps."
    )
    digest: Digest32 = Field(
        description="Identity of the operating point: thresholds, quantiles and calibration images."
    )


class Digests(Part):
    """Digests of what decides whether two reports are comparable; null where it is unknown."""

    config: Sha256 | None = Field(
        description="Of the key config, before values of environment variables were hidden in it."
    )
    dataset: Sha256 | None = Field(description="Of the key samples.")
    model: Sha256 | None = Field(
        description="Of the key detector, before values of environment variables were hidden in it."
    )
    fitted: Sha256 | None = Field(
        description="Of all that the fitted model holds in memory; null where it cannot be told, "
        "or parts differ."
    )


class ModelSources(Part):
    """What the detector was made of; empty where that is all of installed packages, or unknown."""

    code: dict[str, Sha256] = Field(
        description="Module that made the detector, the modules beside the YAML that it imports, "
        "or those of its installed package: file, from the folder of the YAML where it lies below, "
        "-> digest of its content."
    )
    files: dict[str, Sha256] = Field(
        description="Files that the detector's name and arguments name: file -> digest."
    )


class Environment(Part):
    """Where the report was made."""

    pytest_robustbench: str = Field(description="Version of this package.")
    python: str = Field(description="Version of Python.")
    packages: dict[str, str] = Field(
        description="Versions of the installed packages that decide pixels and scores, by name."
    )
    installed: Sha256 | None = Field(
        description="Of the names and versions of all installed packages; null where parts differ."
    )
    platform: str = Field(description="Operating system and its version.")
    cpu: str = Field(description="Model of the processor.")
    cpu_count: Annotated[int, Field(ge=1)] | None = Field(
        description="Number of logical processors."
    )
    device: str = Field(description="Name of the CUDA device, or cpu.")
    git_commit: Annotated[str, StringConstraints(pattern="^[0-9a-f]{40,64}$")] | None = Field(
        description="Commit checked out in the folder of the configuration; null outside a "
        "repository."
    )


class WaiverRecord(Part):
    """Why a violated limit does not fail until a date."""

    reason: NonEmpty = Field(description="Why.")
    by: NonEmpty = Field(description="Who says so.")
    until: Day = Field(description="The last day it holds: ISO 8601.")
    source: str = Field(description="file:line of the declaration.")


class VerdictRecord(Part):
    """One declared limit held against a measured value."""

    condition: Annotated[str, StringConstraints(pattern=f"^(summary|{CONDITION})$")] = Field(
        description="Id of the condition, or summary."
    )
    metric: LimitedName = Field(description="Name of the metric; under summary with a prefix.")
    bound: Literal["min", "max"] = Field(description="Floor or ceiling.")
    limit: Number = Field(
        description="The bound itself, in the metric's unit; a value equal to it passes."
    )
    value: Number | None = Field(
        description="What was measured, in the metric's unit; null where it is not defined."
    )
    unit: NonEmpty | None = Field(
        default=None,
        description="What limit and value are told in; absent where the metric says it.",
    )
    verdict: Literal["pass", "fail", "error", "not shown"] = Field(
        description="error: not measurable; it fails like fail. not shown: the value keeps the "
        "limit, and its bound at the demanded confidence does not."
    )
    shown: bool = Field(
        default=False,
        description="Whether value and at_worst keep the limit: it holds for parts like these at "
        "this confidence, and not only on the images that were there.",
    )
    reason: str = Field(
        description="Why value or at_worst is missing, or a waiver does not hold; empty otherwise."
    )
    source: str = Field(description="file:line of the declaration.")
    interval: Interval | None = Field(
        default=None,
        description="95 % interval of the value, were other images of the same kind drawn, to test "
        "on and to calibrate on; absent where the metric is no sum over images.",
    )
    sampled: Interval | None = Field(
        default=None,
        description="The part of it that comes from the test images alone, at these very "
        "thresholds; absent where it is all of it.",
    )
    n_images: Count | None = Field(
        default=None,
        description="The images the interval rests on: those the metric speaks of.",
    )
    n_parts: Count | None = Field(
        default=None,
        description="The parts that these images show: the pieces of evidence.",
    )
    at_worst: Number | None = Field(
        default=None,
        description="One-sided bound of the value, on the side of the limit; absent where it is "
        "not known.",
    )
    confidence: Share | None = Field(
        default=None, description="Of at_worst, and of what is not shown; absent elsewhere."
    )
    images_needed: Count | None = Field(
        default=None,
        description="About how many images, were they like these, would show the limit; absent "
        "where it is shown, does not hold, or where no number would.",
    )
    unsure: Literal["fail", "skip"] | None = Field(
        default=None, description="How it ends where it is not shown; absent elsewhere."
    )
    waiver: WaiverRecord | None = Field(default=None, description="Absent where nothing is waived.")


class Accepted(Part):
    """Why this report is a baseline."""

    reason: NonEmpty = Field(
        description="Why the run may be the baseline, in the words of who accepted it."
    )
    date: Day = Field(description="When it was accepted: ISO 8601.")
    previous_sha256: Sha256 | None = Field(
        description="Of the file that was the baseline before; null for the first."
    )
    sha256: Sha256 = Field(description="Identity of the run: of all that was measured.")


def _summary_fields() -> dict[str, Any]:
    """Return what the summary holds of every metric, in the order in which it is written."""
    found: dict[str, Any] = {}
    for metric in BUILT_IN:
        level: Any = Milliseconds if metric.is_latency else Share
        loss: Any = float if metric.is_latency else Annotated[float, Field(ge=-1, le=1)]
        for prefix in (CLEAN_PREFIX, *LEVEL_PREFIXES):
            text = f"Level: {metric.unit}."
            found[prefix + metric.name] = (level | None, Field(description=text))
        for prefix in DROP_PREFIXES:
            text = f"Loss against clean: {metric.unit}."
            found[prefix + metric.name] = (loss | None, Field(description=text))
    return found


class _OpenSummary(Part):
    """A further key is a summary of a metric of one's own."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "additionalProperties": False,
            "patternProperties": {
                "^(clean|(mean|worst)_(corruption|drop))_[a-z][a-z0-9_]*$": {
                    "type": ["number", "null"]
                }
            },
        },
    )
    if not TYPE_CHECKING:  # mypy would take it for an argument
        __pydantic_extra__: dict[str, float | None]

    @model_validator(mode="after")
    def _of_own_metrics(self) -> Self:
        for name in self.model_extra or {}:
            if summarized(name.removeprefix(CLEAN_PREFIX)) not in REGISTERED:
                raise ValueError(f"no summary of a metric is called {name!r}")
        return self


if TYPE_CHECKING:
    Summary: TypeAlias = Part
else:
    Summary = create_model(
        "Summary",
        __base__=_OpenSummary,
        __doc__="Every metric under clean, and its mean, worst value and drops over the corrupted "
        "conditions. A drop is the loss against clean, positive where the corrupted value is "
        "worse. null where one of the values behind it is not defined.",
        **_summary_fields(),
    )


class Robustness(Part):
    """What was measured, condition by condition."""

    pixel_threshold_strategy: Literal["normal_pixel_quantile", "given"] | None = Field(
        description="How the pixel threshold was found; null where none could be derived."
    )
    pixel_normal_quantile: Quantile | None = Field(
        description="Share of the calibration pixels at or below the pixel threshold; null where "
        "it was given."
    )
    clean: Record | None = Field(description="The clean condition; null where it was not tried.")
    corruptions: dict[CorruptionName, Annotated[dict[Severity, Record], Field(min_length=1)]] = (
        Field(description="Corruption -> severity -> condition; what was not tried is absent.")
    )
    recorded: dict[SetName, Record] = Field(
        description="Name of a set recorded under drift -> condition; what was not tried is absent."
    )
    tolerance: dict[CorruptionName, ToleranceRecord] = Field(
        default={},
        description="Corruption -> the severity at which image decisions break; absent where none "
        "was looked for.",
    )


class _Identity(Part):
    name: str = Field(description="Name of the benchmark.")
    dataset: str = Field(description="Format of the data set.")
    category: str = Field(description="Category of the data set.")
    model: str = Field(description="Name of the detector.")


class MetricDefinition(Part):
    """All that is known about a metric of one's own, but its formula."""

    level: Level = Field(description="What it is about.")
    more_is_better: bool = Field(description="Whether limits are floors.")
    meaning: NonEmpty = Field(description="What it is, in words.")
    rests_on: Kind = Field(description="The images without which it is not defined.")
    sees: list[Sight] = Field(description="What a limit on it can notice.")
    largest: Annotated[float, Field(gt=0)] | None = Field(
        description="No value can be larger; null where there is no such bound."
    )
    unit: NonEmpty = Field(description="What it is measured in.")
    version: int = Field(description="Raised whenever the formula gives other numbers.")
    source: NonEmpty = Field(description="module:function of its formula.")


class LineDrift(Part):
    """How the line itself has drifted."""

    name: NonEmpty = Field(description="What conditions call it.")
    levels: dict[SetName, Annotated[float, Field(ge=0)]] = Field(
        description="Built-in corruption -> the level of it that imitates a part of the drift, in "
        "its own unit, whatever the sign."
    )


class _Circumstances(Part):
    started: Time = Field(description="When the benchmark was set up: ISO 8601, UTC.")
    command: str = Field(description="Command line that ran it.")
    rerun: str | None = Field(
        description="Command that measures one condition again where `command` was called: "
        "{condition} stands for its id; null where no item of pytest has measured it."
    )
    operating_point: Frozen | None = Field(description="Null where none could be derived.")
    config: Settings = Field(
        description="The effective configuration; empty where the benchmark was made in Python "
        "without one."
    )
    detector: Settings = Field(
        description="The detector's own description; empty where it was never loaded."
    )
    sources: ModelSources
    sha256: Digests
    environment: Environment
    samples: Samples | None = Field(description="Null where they could not be read.")
    memory: Memory = Field(description="Peak memory while the benchmark was prepared and measured.")
    profile: str | None = Field(description="Profile of the YAML that was run; null for none.")
    place: Place | None = Field(
        default=None,
        description="Folder of this report below that of all reports: the YAML's own, where tests "
        "of one session have several; absent for the first of them.",
    )
    own_metrics: dict[str, MetricDefinition] = Field(
        default={},
        description="What is known about the metrics of one's own in this report; absent where "
        "there are none.",
    )
    line_drift: LineDrift | None = Field(
        default=None, description="Absent where it is not declared."
    )
    notes: list[str] = Field(description="What a reader has to know.")

    @model_validator(mode="before")
    @classmethod
    def _learn_metrics(cls, plain: Any) -> Any:
        """Let the metrics of this report be known before anything in it names them."""
        defined = plain.get("own_metrics") if isinstance(plain, dict) else None
        for name, definition in defined.items() if isinstance(defined, dict) else ():
            found = MetricDefinition.from_dict(definition)
            try:
                known(metric_from(name, found.to_dict()))
            except MetricError as error:
                raise ReportError(f"own_metrics: {error}") from error
        return plain


class _Version(Part):
    schema_version: Literal[2] = Field(description="Version of this schema.")


class _Completeness(Part):
    complete: bool = Field(
        description="Whether every declared condition was measured on all declared images."
    )
    missing: Distinct[ConditionId] = Field(
        description="Ids of the declared conditions without a measurement."
    )
    narrowed: list[str] = Field(
        description="Options that made this run less than what was declared."
    )
    trouble: str = Field(
        default="",
        description="Why what was measured cannot be relied on, such as workers of the run that "
        "contradict each other; absent where it can.",
    )


class Header(_Circumstances, _Identity):
    """What a report says once: data, detector, operating point, configuration, environment."""

    @property
    def is_prepared(self) -> bool:
        """Whether detector and data were there, so that something could be measured."""
        return self.operating_point is not None and self.samples is not None

    @property
    def key(self) -> str:
        """Its name among the benchmarks of several YAMLs, as in `BenchmarkDeclaration.key`."""
        return f"{self.place}/{self.name}" if self.place else self.name

    def changed(self, **changes: object) -> Header:
        """Return a copy with other values; what the YAML takes from the environment is hidden."""
        told = {**{name: getattr(self, name) for name in TOLD}, **changes}
        hidden = {name: redacted_plain(told[name]) for name in TOLD}
        config = {k: redacted_plain(v) if k in TOLD else v for k, v in self.config.items()}
        return self.model_copy(update={"config": config, **changes, **hidden})


# Of several bases the fields of the last come first.
class ReportContent(_Circumstances, _Completeness, _Identity, _Version):
    """What a report says."""

    verdicts: list[VerdictRecord] = Field(
        description="Every limit that was judged, in the order of the conditions, the summary last."
    )
    regression: list[RegressionRecord] = Field(
        default=[],
        description="The report held against the baseline, and against the anchor; absent where "
        "it was not.",
    )
    robustness_summary: Summary
    robustness_summary_undefined: dict[str, str] = Field(
        description="Why a metric of the summary is null."
    )
    robustness: Robustness
    accepted: Accepted | None = Field(
        default=None, description="Why this report is a baseline; absent where it is none."
    )


class ReportFile(ReportContent):
    """Everything one benchmark found: one detector on one category, at one operating point."""

    content_sha256: Sha256 = Field(
        description="Of everything else, as JSON with sorted keys: an edited report contradicts it."
    )
