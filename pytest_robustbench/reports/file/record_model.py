"""The model of what a report holds of one condition: measured, or why it could not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, create_model

from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.file.fields import DECISION_METRICS, PIXEL_METRICS
from pytest_robustbench.reports.file.model_types import (
    Count,
    Digest16,
    Digest32,
    Distinct,
    MetricName,
    Milliseconds,
    NonEmpty,
    Number,
    Part,
    Share,
)
from pytest_robustbench.reports.file.tolerance.model import Tolerance
from pytest_robustbench.unions import tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Amount = Annotated[float, Field(ge=0)]
Side = Annotated[int, Field(ge=1, le=2**31)]
Ranked = Literal["pixel_auroc", "pixel_average_precision", "aupro"]
UNKNOWN = "Pixels; null where map, mask or threshold is unknown."


class Samples(Part):
    """Columns over the test samples, in the order of every per_image column."""

    id: Annotated[Distinct[str], Field(min_length=1)] = Field(description="Sample ids.")
    group: list[Annotated[str, Field(min_length=1)] | None] = Field(
        description="The part that each image shows; null where it is the only one of its part."
    )
    label: list[Literal[0, 1]] = Field(description="0 = good, 1 = defective.")
    mask_known: list[bool] = Field(description="False for a defect image without a mask.")
    shape: list[Annotated[list[Side], Field(min_length=2, max_length=2)]] = Field(
        description="Height and width at which each image is evaluated. Pixels."
    )
    source_digest: list[Digest16] = Field(
        description="Digest of image and mask as they lie in the data set, after resizing."
    )


class Memory(Part):
    """Peak memory."""

    host_peak_bytes: Count | None = Field(
        description="Largest resident set of the process; null where the system does not tell."
    )
    device_peak_bytes: Count | None = Field(
        description="Most memory torch had allocated on the fullest CUDA device; null where none "
        "was in use."
    )


class BestF1(Part):
    """What retuning the image threshold on these very images would have bought."""

    f1: Share = Field(description="The largest F1 of any image threshold.")
    threshold: Number = Field(
        description="A score of whole images that gives it with score > threshold."
    )


def _shares(meanings: Mapping[str, str]) -> dict[str, Any]:
    """Return a field for each metric that is a share; null where it is not defined."""
    return {name: (Share | None, Field(description=text)) for name, text in meanings.items()}


def _meanings(names: Iterable[str]) -> dict[str, str]:
    return {name: metric_called(name).meaning for name in names}


def _counts(meanings: Mapping[str, str]) -> dict[str, Any]:
    return {name: (Count, Field(description=meaning)) for name, meaning in meanings.items()}


THRESHOLD = "The frozen pixel threshold, a score of the maps; null where there is none."
COUNTED = {
    "tp": "Defective images called so.",
    "tn": "Good images called good.",
    "fp": "Good images called defective.",
    "fn": "Defective images called good.",
}
TRIVIAL = {
    "trivial_segf1": "pixel_segf1 of calling every pixel a defect.",
    "trivial_segf1_per_image": "pixel_segf1_per_image of calling every pixel a defect.",
}
if TYPE_CHECKING:
    Decisions: TypeAlias = Part
    PixelMetrics: TypeAlias = Part
else:  # a field for each metric there is
    Decisions = create_model(
        "Decisions",
        __base__=Part,
        __doc__="Image decisions at the frozen image threshold.",
        **_shares(_meanings(DECISION_METRICS)),
        **_counts(COUNTED),
    )
    PixelMetrics = create_model(
        "PixelMetrics",
        __base__=Part,
        __doc__="Metrics over pixels.",
        **_shares(_meanings(PIXEL_METRICS)),
        pixel_threshold=(Number | None, Field(description=THRESHOLD)),
        **_shares(TRIVIAL),
    )


class Results(Part):
    """What was measured over the images."""

    auroc: Share | None = Field(description="Of the image scores; null where not defined.")
    average_precision: Share | None = Field(
        description="Of the image scores; null where not defined."
    )
    threshold: Number = Field(description="The frozen image threshold, an image score.")
    metrics: Decisions
    best_f1: BestF1 | None = Field(description="Null without defective images.")
    pixel_metrics: PixelMetrics


class RecordedSpecification(Part):
    """A set recorded under drift."""

    name: Literal["recorded"] = Field(description="Always the same word.")
    recorded: str = Field(description="Name of the set.")


class CorruptionSpecification(Part):
    """A corruption."""

    name: str = Field(description="Name of the corruption.")
    version: int = Field(description="Raised whenever the same draw gives other pixels.")
    parameters: dict[str, Any] = Field(
        description="What else decides the pixels; the corruption's own."
    )
    at: Literal["camera", "model"] = Field(
        description="Whether it acts on the picture at its own size, or after the resize."
    )
    seed: int = Field(description="Seed of the draws.")


class CleanSpecification(Part):
    """Nothing is done to the images."""


_SET, _CORRUPTION, _CLEAN = -1, -2, -3


def _specified(plain: object) -> int:
    found = plain if isinstance(plain, dict) else getattr(plain, "__dict__", {})
    return _SET if "recorded" in found else _CORRUPTION if found else _CLEAN


Specification = Annotated[
    Annotated[RecordedSpecification, tag(_SET)]
    | Annotated[CorruptionSpecification, tag(_CORRUPTION)]
    | Annotated[CleanSpecification, tag(_CLEAN)],
    Discriminator(_specified),
]


class Latency(Part):
    """Wall time of predict: warm, device synchronised, nothing else of ours running."""

    batch_size: int = Field(ge=1, description="Images per call.")
    count: int = Field(ge=1, le=2**53, description="Number of timed calls.")
    median_ms: Milliseconds = Field(description="Median time per image.")
    p95_ms: Milliseconds = Field(description="95th percentile of the time per image.")
    mean_ms: Milliseconds = Field(description="Mean time per image.")
    reference_ms: Annotated[float, Field(gt=0, le=1e12)] = Field(
        description="Median time of a fixed piece of work, interleaved with the calls: how fast "
        "the machine was. Milliseconds."
    )
    relative: Annotated[float, Field(ge=0)] | None = Field(
        description="median_ms in units of reference_ms, no unit; null where the reference work "
        "was done on another device, and tells nothing of the detector."
    )
    calls_ms: list[Milliseconds] = Field(
        min_length=1,
        description="Time per image of every timed call, in order, to four digits.",
    )
    reference_calls_ms: list[Milliseconds] = Field(
        min_length=1, description="Time of every call of the reference work, in order."
    )
    device: NonEmpty = Field(
        description="Where the detector computes: a kind such as cpu or cuda, and which one."
    )
    reference_device: NonEmpty = Field(
        description="Where the reference work is done; elsewhere it tells nothing of the detector."
    )


class PixelScores(Part):
    """Where the scores of the pixels lie."""

    level: list[Share] = Field(description="Shares of the pixels, ascending.")
    background: list[float] = Field(
        description="Score of the maps that each share of the background pixels lies at or below, "
        "six digits; empty without such pixels."
    )
    defect: list[float] = Field(description="The same for the defect pixels.")


class PerImage(Part):
    """Columns over the samples: enough to redo every metric that rests on scores and counts."""

    score: list[Number | None] = Field(
        description="Image score, exactly a float32; null where not measured."
    )
    tp: list[Count | None] = Field(description=f"Defect pixels found. {UNKNOWN}")
    fp: list[Count | None] = Field(description=f"Background pixels called defect. {UNKNOWN}")
    fn: list[Count | None] = Field(description=f"Defect pixels missed. {UNKNOWN}")
    tn: list[Count | None] = Field(description=f"Background pixels left alone. {UNKNOWN}")
    digest: list[Digest16 | None] = Field(
        description="Digest of the corrupted image, mask and ignored pixels; null where not "
        "measured."
    )


class DecidedAt(Part):
    """What one pair of thresholds would have decided on the same images."""

    pixel_threshold: Number | None = Field(
        description="A score of the maps; null where nothing bounds it: then nothing, or "
        "everything, is called."
    )
    image_threshold: Number | None = Field(description="The same of image scores.")
    tp: list[Count | None] | None = Field(
        description="Defect pixels found. Null without a pixel threshold."
    )
    fp: list[Count | None] | None = Field(
        description="Background pixels called defect. Null without a pixel threshold."
    )


class RedrawnCounts(Part):
    """What other calibration images of the same kinds would have decided."""

    tail: Share = Field(
        description="How often a threshold would lie beyond one of these ends, at most."
    )
    lowest: DecidedAt = Field(description="At the lower ends of both thresholds.")
    highest: DecidedAt = Field(description="At the upper ends.")


class OwnMetric(Part):
    """A metric of one's own: the ratio of the sums of two columns over the samples."""

    value: Amount | None = Field(description="Null where it is not defined.")
    numerator: list[Amount] = Field(
        description="What each image adds; empty where the metric is not defined."
    )
    denominator: list[Amount] = Field(description="The same; 0 for an image that adds nothing.")


class Measured(Part):
    """A condition that was measured."""

    latency_ms_per_image: Milliseconds = Field(description="Median time per image.")
    results: Results
    operating_point: Digest32 = Field(
        description="Digest of the operating point the condition was measured at."
    )
    undefined: dict[MetricName, NonEmpty] = Field(
        description="Why a metric is null, for exactly those that are.",
    )
    specification: Specification = Field(
        description="What decides the corrupted pixels of given sources; empty for clean."
    )
    level: str = Field(
        description="How strong the corruption is, in words and units; empty where that is not "
        "known, and for clean and recorded sets."
    )
    data_digest: Digest32 = Field(
        description="Hash over the specification and the images' digests."
    )
    left_out: Distinct[str] = Field(
        description="Ids of the samples whose defect the corruption would push out of the frame; "
        "not measured."
    )
    erased: Distinct[str] = Field(
        description="Ids of the samples of whose defect the corruption leaves nothing to be seen, "
        "saturated or below one gray level; measured, and counted."
    )
    unknown_masks: Distinct[str] = Field(
        description="Ids of the defect samples without a mask: their pixels count nowhere."
    )
    ranking: Literal["exact", "binned"] = Field(
        description="Whether pixel_auroc, pixel_average_precision and aupro come from all scores, "
        "or, where these exceed the memory budget, from a histogram of them."
    )
    ranking_error: dict[Ranked, Annotated[float, Field(ge=0)]] = Field(
        description="By how much each of them may be off; empty where exact."
    )
    pixel_scores: PixelScores | None = Field(description="Null without maps.")
    latency: Latency
    memory: Memory = Field(description="Peak memory while the condition was measured.")
    per_image: PerImage
    redrawn: list[RedrawnCounts] = Field(
        default=[],
        description="What other calibration images would have decided, in the order of "
        "operating_point.redrawn; absent where nothing was calibrated.",
    )
    own_metrics: dict[MetricName, OwnMetric] = Field(
        default={}, description="Metrics of one's own by name; absent where there are none."
    )
    samples: Samples | None = Field(
        default=None,
        description="The samples of a recorded set, of which per_image speaks; absent where these "
        "are those of the key samples.",
    )
    notes: list[str] = Field(
        default=[],
        description="What a reader should know about the samples of a recorded set; absent "
        "elsewhere.",
    )
    recalibrated: dict[str, Share | None] | None = Field(
        default=None,
        description="The metrics that recalibrated thresholds would have given; absent where "
        "nothing was frozen.",
    )


class Unmeasured(Part):
    """A condition that could not be measured."""

    error: NonEmpty = Field(description="What is wrong, and where.")


_MEASURED, _ERROR, _TOLERANCE = -1, -2, -3
_KINDS: dict[type, int] = {Unmeasured: _ERROR, Tolerance: _TOLERANCE}


def _kind(record: object) -> int:
    if not isinstance(record, dict):
        return _KINDS.get(type(record), _MEASURED)
    if "error" in record:
        return _ERROR
    return _TOLERANCE if "ladder" in record else _MEASURED


Record = Annotated[
    Annotated[Measured, tag(_MEASURED)] | Annotated[Unmeasured, tag(_ERROR)],
    Discriminator(_kind),
]
"""Of a condition."""
ToleranceRecord = Annotated[
    Annotated[Tolerance, tag(_TOLERANCE)] | Annotated[Unmeasured, tag(_ERROR)],
    Discriminator(_kind),
]
AnyRecord = Annotated[
    Annotated[Measured, tag(_MEASURED)]
    | Annotated[Tolerance, tag(_TOLERANCE)]
    | Annotated[Unmeasured, tag(_ERROR)],
    Discriminator(_kind),
]
