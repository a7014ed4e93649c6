"""A condition's result as plain JSON, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.evaluation import results
from pytest_robustbench.evaluation.measure.inventory import Inventory
from pytest_robustbench.metrics.catalogue import METRICS
from pytest_robustbench.metrics.outcomes import COLUMNS, COUNTS, Outcomes, Ratio
from pytest_robustbench.metrics.parts import group_numbers
from pytest_robustbench.metrics.ranking.levels import LEVELS
from pytest_robustbench.metrics.redrawn import HIGHEST, LOWEST, Decided, Redrawn
from pytest_robustbench.reports.file.fields import DECISION_METRICS, PIXEL_METRICS, metrics_of
from pytest_robustbench.reports.file.record_model import (
    BestF1,
    DecidedAt,
    Latency,
    Measured,
    Memory,
    OwnMetric,
    PerImage,
    PixelScores,
    RedrawnCounts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.metrics.outcomes import Column

    Plain = Mapping[str, Any]


def condition_record(result: results.ConditionResult) -> dict[str, Any]:
    """Return one condition in the report's schema."""
    metrics = result.metrics
    plain = {
        "latency_ms_per_image": metrics["latency_ms_per_image"],
        "results": {
            "auroc": metrics["auroc"],
            "average_precision": metrics["average_precision"],
            "threshold": result.image_threshold,
            "metrics": {**{m: metrics[m] for m in DECISION_METRICS}, **result.image_counts},
            "best_f1": result.best_f1 and BestF1(f1=result.best_f1[0], threshold=result.best_f1[1]),
            "pixel_metrics": {
                **{m: metrics[m] for m in PIXEL_METRICS},
                "pixel_threshold": result.pixel_threshold,
                "trivial_segf1": result.trivial_segf1,
                "trivial_segf1_per_image": result.trivial_segf1_per_image,
            },
        },
        "operating_point": result.operating_point,
        "undefined": dict(result.undefined),
        "specification": dict(result.specification),
        "level": result.level,
        "data_digest": result.data_digest,
        "left_out": list(result.left_out),
        "erased": list(result.erased),
        "unknown_masks": list(result.unknown_masks),
        "ranking": result.ranking,
        "ranking_error": dict(result.ranking_error),
        "pixel_scores": _pixel_scores(result.pixel_levels),
        "latency": _latency(result.latency),
        "memory": memory_record(result.memory),
        "per_image": _per_image(result.per_image, result.digests),
        **_of_some(result),
    }
    return Measured.from_dict(plain).to_dict()


def _of_some(result: results.ConditionResult) -> dict[str, Any]:
    """Return what not every record has: own metrics, a recorded set's samples, recalibration."""
    found: dict[str, Any] = {}
    own = [name for name in result.metrics if name not in METRICS]
    if own:
        found["own_metrics"] = {name: _own_metric(name, result) for name in own}
    if result.samples is not None:
        found |= {"samples": result.samples.to_dict(), "notes": list(result.notes)}
    if result.per_image.redrawn:
        found["redrawn"] = [_redrawn_counts(each) for each in result.per_image.redrawn]
    if result.recalibrated is not None:
        found["recalibrated"] = dict(result.recalibrated)
    return found


def _redrawn_counts(redrawn: Redrawn) -> RedrawnCounts:
    lowest, highest = _decided_at(redrawn.lowest), _decided_at(redrawn.highest)
    return RedrawnCounts(tail=redrawn.tail, lowest=lowest, highest=highest)


def _decided_at(decided: Decided) -> DecidedAt:
    pixel, image = (
        None if math.isinf(t) else t for t in (decided.pixel_threshold, decided.image_threshold)
    )
    plain = {"pixel_threshold": pixel, "image_threshold": image}
    tp, fp = decided.counts or (None, None)
    return DecidedAt.from_dict({**plain, "tp": tp, "fp": fp})


def _own_metric(name: str, result: results.ConditionResult) -> OwnMetric:
    columns = result.per_image.own.get(name)
    return OwnMetric(
        value=result.metrics[name],
        numerator=columns.numerator.tolist() if columns else [],
        denominator=columns.denominator.tolist() if columns else [],
    )


def _pixel_scores(found: results.PixelLevels) -> PixelScores | None:
    """Return where pixel scores lie, in enough digits for a picture; ``None`` without maps."""
    if not found.background and not found.defect:
        return None
    return PixelScores(
        level=list(LEVELS),
        background=[_rounded(v, 6) for v in found.background],
        defect=[_rounded(v, 6) for v in found.defect],
    )


def _latency(latency: results.Latency) -> Latency:
    return Latency(
        batch_size=latency.batch_size,
        count=len(latency.calls),
        median_ms=latency.median,
        p95_ms=latency.p95,
        mean_ms=latency.mean,
        reference_ms=latency.reference,
        relative=latency.relative,
        calls_ms=[_rounded(call) for call in latency.calls],
        reference_calls_ms=[_rounded(call) for call in latency.reference_calls],
        device=latency.device,
        reference_device=latency.reference_device,
    )


def memory_record(memory: results.PeakMemory) -> Memory:
    """Return peak memory in the report's schema."""
    return Memory(host_peak_bytes=memory.host, device_peak_bytes=memory.device)


def _rounded(value: float, digits: int = 4) -> float:
    """Four digits are finer than any clock's noise, and short in the file."""
    return float(f"{value:.{digits}g}")


def _per_image(outcomes: Outcomes, digests: Sequence[str]) -> PerImage:
    scores = shortest(outcomes.score.astype(np.float32))
    counts = {name: getattr(outcomes, name).tolist() for name in COUNTS}
    return PerImage(
        score=[s if m else None for s, m in zip(scores, outcomes.measured, strict=True)],
        **{n: [None if math.isnan(c) else int(c) for c in column] for n, column in counts.items()},
        digest=[digest or None for digest in digests],
    )


def shortest(values: NDArray[np.float32]) -> list[float]:
    """Return the shortest decimals that read back as the same float32.

    Read as float64 first, as JSON is, a decimal may round to the middle between two float32; there
    the exact float64 stands instead.
    """
    decimals = values.astype("U32").astype(np.float64)
    exact = values.astype(np.float64)
    chosen: list[float] = np.where(decimals.astype(np.float32) == values, decimals, exact).tolist()
    return chosen


def outcomes_of(record: Plain, samples: Plain) -> Outcomes:
    """Return what the detector said under one condition, image by image.

    Parameters
    ----------
    record : mapping
        A condition that was measured.
    samples : mapping
        Columns ``label`` and ``group`` of its images, in their order.
    """
    # As float64 a null becomes NaN.
    columns: dict[str, Any] = {
        name: np.array(record["per_image"][name], np.float64) for name in COLUMNS
    }
    results = record["results"]
    own = {
        name: Ratio(np.array(o["numerator"], np.float64), np.array(o["denominator"], np.float64))
        for name, o in record.get("own_metrics", {}).items()
        if o["denominator"]
    }
    totals = columns["tp"] + columns["fn"], columns["fp"] + columns["tn"]
    return Outcomes(
        np.array(samples["label"], np.int64),
        **columns,
        own=own,
        groups=group_numbers(samples["group"]),
        redrawn=tuple(_redrawn(each, totals) for each in record.get("redrawn", ())),
        image_threshold=float(results["threshold"]),
        pixel_threshold=results["pixel_metrics"]["pixel_threshold"],
    )


def _redrawn(plain: Plain, totals: tuple[Column, Column]) -> Redrawn:
    ends = zip((LOWEST, HIGHEST), (plain["lowest"], plain["highest"]), strict=True)
    return Redrawn(plain["tail"], *(_decided(side, end, totals) for side, end in ends))


def _decided(side: float, end: Plain, totals: tuple[Column, Column]) -> Decided:
    counts = None if end["tp"] is None else (end["tp"], end["fp"])
    thresholds = end["pixel_threshold"], end["image_threshold"]
    return Decided.at(side, thresholds, counts, totals)


def result_from_record(
    condition: Condition, record: Plain, labels: Sequence[int]
) -> results.ConditionResult:
    """Rebuild what `condition_record` wrote, as far as it is in the record.

    Single calls and levels of scores come back rounded, exhibits not at all.

    Parameters
    ----------
    condition : Condition
        What the record is of.
    record : mapping
        Of a condition that was measured.
    labels : (N,) sequence of int
        1 = defect, for the images of the record in their order.
    """
    found = Measured.from_dict(record)
    decided, pixels = (record["results"][key] for key in ("metrics", "pixel_metrics"))
    best, scores = found.results.best_f1, found.pixel_scores
    return results.ConditionResult(
        condition=condition,
        metrics=metrics_of(record),
        undefined=found.undefined,
        operating_point=found.operating_point,
        image_threshold=found.results.threshold,
        pixel_threshold=pixels["pixel_threshold"],
        image_counts={name: decided[name] for name in COUNTS},
        best_f1=None if best is None else (best.f1, best.threshold),
        trivial_segf1=pixels["trivial_segf1"],
        trivial_segf1_per_image=pixels["trivial_segf1_per_image"],
        per_image=outcomes_of(record, {"label": labels, "group": [None] * len(labels)}),
        digests=tuple(digest or "" for digest in found.per_image.digest),
        latency=_latency_of(found.latency),
        specification=record["specification"],
        level=found.level,
        data_digest=found.data_digest,
        left_out=tuple(found.left_out),
        erased=tuple(found.erased),
        unknown_masks=tuple(found.unknown_masks),
        ranking=found.ranking,
        ranking_error=dict(found.ranking_error.items()),
        memory=results.PeakMemory(found.memory.host_peak_bytes, found.memory.device_peak_bytes),
        samples=Inventory.from_dict(record["samples"]) if found.samples else None,
        notes=tuple(found.notes),
        recalibrated=found.recalibrated,
        pixel_levels=results.PixelLevels(tuple(scores.background), tuple(scores.defect))
        if scores
        else results.PixelLevels(),
    )


def _latency_of(found: Latency) -> results.Latency:
    return results.Latency(
        calls=tuple(found.calls_ms),
        batch_size=found.batch_size,
        median=found.median_ms,
        p95=found.p95_ms,
        mean=found.mean_ms,
        reference=found.reference_ms,
        reference_calls=tuple(found.reference_calls_ms),
        device=found.device,
        reference_device=found.reference_device,
    )
