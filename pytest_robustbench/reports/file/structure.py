"""The parts of a stored report that a comparison or a merge rests on, with their types.

Narrower than the published JSON Schema where null would stand for a number that is needed, and
silent about everything that neither reads.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)

from pytest_robustbench.conditions import CLEAN, RECORDED
from pytest_robustbench.metrics.catalogue import METRICS, SUMMARY_METRICS

LARGEST_FLOAT32 = 3.4028235e38
"""As its shortest decimal is written."""
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST_FLOAT32, le=LARGEST_FLOAT32)]
Level = Annotated[float, Field(allow_inf_nan=False)]  # rounded, perhaps beyond float32
Duration = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e12)]
Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Side = Annotated[int, Field(ge=1, le=2**31)]
Interval = Annotated[list[Number], Field(min_length=2, max_length=2)]
PictureDigest = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
SetDigest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Severity = Annotated[str, Field(pattern="^severity_[1-5]$")]
SetName = Annotated[str, Field(pattern="^[a-z0-9_]+$")]
ConditionId = Annotated[
    str, Field(pattern="^(clean|[a-z0-9_]+-severity_[1-5]|recorded-[a-z0-9_]+)$")
]


def _corruption_name(name: str) -> str:
    if name in (CLEAN.id, RECORDED):
        raise ValueError("the name of a corruption")
    return name


def _metric_name(name: str) -> str:
    if name not in METRICS and name not in SUMMARY_METRICS:
        raise ValueError("the name of a metric")
    return name


MetricName = Annotated[str, AfterValidator(_metric_name)]
CorruptionName = Annotated[SetName, AfterValidator(_corruption_name)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Samples(_Part):
    id: Annotated[list[str], Field(min_length=1)]
    label: list[Literal[0, 1]]
    mask_known: list[bool]
    shape: list[Annotated[list[Side], Field(min_length=2, max_length=2)]]
    source_digest: list[PictureDigest]


class _Health(_Part):
    n_images: Count
    n_tail_images: Count
    largest_tail_share: Share
    largest_tail_image: str


class _OperatingPoint(_Part):
    pixel_threshold: Number | None
    image_threshold: Number
    method: Literal["holdout", "crossfit", "images", "given"]
    pixel_normal_quantile: Number | None
    image_normal_quantile: Number | None
    n_images: Count
    calibrated_on: str
    digest: SetDigest
    warnings: list[str] = []
    expected_false_reject_rate: Share | None = None
    interval: Interval | None = None
    health: _Health | None = None


class _Decisions(_Part):
    precision: Share | None
    recall: Share | None
    f1: Share | None
    specificity: Share | None
    accuracy: Share | None
    miss_rate: Share | None
    false_reject_rate: Share | None
    tp: Count
    tn: Count
    fp: Count
    fn: Count


class _Pixels(_Part):
    pixel_auroc: Share | None
    pixel_average_precision: Share | None
    aupro: Share | None
    pixel_segf1: Share | None
    pixel_segf1_per_image: Share | None
    bg_fpr: Share | None
    normal_fpr: Share | None
    trivial_segf1: Share | None
    trivial_segf1_per_image: Share | None
    pixel_threshold: Number | None


class _Results(_Part):
    auroc: Share | None
    average_precision: Share | None
    threshold: Number
    metrics: _Decisions
    best_f1: dict[str, Number] | None
    pixel_metrics: _Pixels


class _Latency(_Part):
    batch_size: Annotated[int, Field(ge=1)]
    count: Count
    median_ms: Duration
    p95_ms: Duration
    mean_ms: Duration
    reference_ms: Annotated[Duration, Field(gt=0)]
    relative: Duration
    calls_ms: Annotated[list[Duration], Field(min_length=1)]
    reference_calls_ms: Annotated[list[Duration], Field(min_length=1)] | None = None


class _PerImage(_Part):
    score: list[Number | None]
    tp: list[Count | None]
    fp: list[Count | None]
    fn: list[Count | None]
    tn: list[Count | None]
    digest: list[PictureDigest | None]


class _PixelScores(_Part):
    level: list[Share]
    background: list[Level]
    defect: list[Level]


class _Measured(_Part):
    latency_ms_per_image: Duration
    results: _Results
    undefined: dict[str, str]
    specification: dict[str, Any]
    data_digest: SetDigest
    left_out: list[str]
    unknown_masks: list[str]
    ranking: Literal["exact", "binned"]
    latency: _Latency
    per_image: _PerImage
    ranking_error: dict[str, Number] = {}
    memory: dict[str, Count | None] = {}
    notes: list[str] = []
    samples: _Samples | None = None
    operating_point: str | None = None
    pixel_scores: _PixelScores | None = None


class _Unmeasured(_Part):
    error: str


def _kind(record: Any) -> str:
    return "error" if isinstance(record, dict) and "error" in record else "measured"


_Record = Annotated[
    Annotated[_Measured, Tag("measured")] | Annotated[_Unmeasured, Tag("error")],
    Discriminator(_kind),
]


class _Robustness(_Part):
    clean: _Record | None
    corruptions: dict[CorruptionName, dict[Severity, _Record]]
    recorded: dict[SetName, _Record]


class _Sha256(_Part):
    config: Sha256 | None
    dataset: Sha256 | None
    model: Sha256 | None


class _Environment(_Part):
    pytest_robustbench: str
    python: str
    packages: dict[str, str]
    platform: str
    cpu: str
    device: str


def _day(text: str) -> str:
    date.fromisoformat(text)  # its message says what is wrong
    return text


class _Waiver(_Part):
    reason: str
    by: str
    until: Annotated[str, AfterValidator(_day)]
    source: str


class _Verdict(_Part):
    condition: str
    metric: MetricName
    bound: Literal["min", "max"]
    limit: Number
    value: Number | None
    verdict: Literal["pass", "fail", "error"]
    reason: str
    source: str
    interval: Interval | None = None
    n_images: Count | None = None
    waiver: _Waiver | None = None


RegressionOutcome = Literal["pass", "regressed", "inconclusive", "error"]


class _RegressionVerdict(_Part):
    condition: str
    metric: str
    outcome: RegressionOutcome
    baseline: Number | None
    candidate: Number | None
    loss: Number | None
    allowed: Number | None
    interval: Interval | None
    improved: bool
    reason: str


class _ChangedDecision(_Part):
    condition: str
    id: str
    kind: str
    baseline_score: Number
    candidate_score: Number
    baseline_threshold: Number
    candidate_threshold: Number


class _Regression(_Part):
    role: str
    baseline: str
    outcome: RegressionOutcome
    problems: list[str]
    notes: list[str]
    verdicts: list[_RegressionVerdict]
    n_changed_decisions: Count
    changed_decisions: list[_ChangedDecision]


class _Accepted(_Part):
    reason: str
    date: str
    previous_sha256: Sha256 | None
    sha256: Sha256


class _Report(_Part):
    name: str
    dataset: str
    category: str
    model: str
    complete: bool
    missing: list[ConditionId]
    narrowed: list[str]
    started: str
    command: str
    rerun: str | None
    memory: dict[str, Count | None]
    profile: str | None
    notes: list[str]
    operating_point: _OperatingPoint | None
    config: dict[str, Any]
    detector: dict[str, Any]
    sha256: _Sha256
    environment: _Environment
    samples: _Samples | None
    verdicts: list[_Verdict]
    robustness_summary: dict[str, Number | None]
    robustness: _Robustness
    accepted: _Accepted | None = None
    regression: list[_Regression] = []


def structural_problem(plain: dict[str, Any]) -> str:
    """Return the first thing that has no place in a report; empty where there is none.

    Parameters
    ----------
    plain : dict
        A report as read from JSON.
    """
    try:
        _Report.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"] if step not in ("measured", "error"))
        return f"{place}: {_worded(first['msg'])}, found {_shown(first['input'])}"
    return ""


def _worded(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _shown(found: object) -> str:
    """Return a value in few characters, however large it is."""
    if isinstance(found, (dict, list)):
        return f"{'an object' if isinstance(found, dict) else 'an array'} of {len(found)}"
    text = "null" if found is None else repr(found)
    return text if len(text) <= 40 else f"{text[:37]}..."
