"""A condition's record back to the result it was written from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.evaluation.measure.inventory import Inventory
from pytest_robustbench.evaluation.results import (
    ConditionResult,
    Latency,
    PeakMemory,
    PerImage,
    PixelLevels,
)
from pytest_robustbench.reports.file.fields import metrics_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.conditions import Condition

    Record = Mapping[str, Any]

COUNTED = ("tp", "fp", "fn", "tn")


def result_from_record(condition: Condition, record: Record) -> ConditionResult:
    """Rebuild what `condition_record` wrote, as far as it is in the record.

    Single calls and levels of scores come back rounded, exhibits not at all.

    Parameters
    ----------
    condition : Condition
        What the record is of.
    record : mapping
        Of a condition that was measured.
    """
    results, pixels = record["results"], record["results"]["pixel_metrics"]
    best, samples = results["best_f1"], record.get("samples")
    return ConditionResult(
        condition=condition,
        metrics=metrics_of(record),
        undefined=record["undefined"],
        operating_point=record["operating_point"],
        image_threshold=results["threshold"],
        pixel_threshold=pixels["pixel_threshold"],
        image_counts={name: results["metrics"][name] for name in ("tp", "tn", "fp", "fn")},
        best_f1=None if best is None else (best["f1"], best["threshold"]),
        trivial_segf1=pixels["trivial_segf1"],
        trivial_segf1_per_image=pixels["trivial_segf1_per_image"],
        per_image=_per_image(record["per_image"]),
        latency=_latency(record["latency"]),
        specification=record["specification"],
        data_digest=record["data_digest"],
        left_out=tuple(record["left_out"]),
        unknown_masks=tuple(record["unknown_masks"]),
        ranking=record["ranking"],
        ranking_error=record["ranking_error"],
        memory=_memory(record["memory"]),
        samples=None if samples is None else Inventory.from_dict(samples),
        notes=tuple(record.get("notes", ())),
        recalibrated=record.get("recalibrated"),
        pixel_levels=_pixel_levels(record.get("pixel_scores")),
    )


def _per_image(columns: Record) -> PerImage:
    return PerImage(
        measured=_present(columns["score"]),
        known=_present(columns["tp"]),
        score=np.array([np.nan if v is None else v for v in columns["score"]], np.float32),
        **{name: np.array([v or 0 for v in columns[name]], np.int64) for name in COUNTED},
        digest=tuple(v or "" for v in columns["digest"]),
    )


def _pixel_levels(plain: Record | None) -> PixelLevels:
    if plain is None:  # no maps, or a version that did not keep them
        return PixelLevels()
    return PixelLevels(tuple(plain["background"]), tuple(plain["defect"]))


def _present(column: list[Any]) -> NDArray[np.bool_]:
    return np.array([value is not None for value in column], np.bool_)


def _latency(plain: Record) -> Latency:
    return Latency(
        calls=tuple(plain["calls_ms"]),
        batch_size=plain["batch_size"],
        median=plain["median_ms"],
        p95=plain["p95_ms"],
        mean=plain["mean_ms"],
        reference=plain["reference_ms"],
        reference_calls=tuple(plain["reference_calls_ms"]),
    )


def _memory(plain: Record) -> PeakMemory:
    return PeakMemory(plain["host_peak_bytes"], plain["device_peak_bytes"])
