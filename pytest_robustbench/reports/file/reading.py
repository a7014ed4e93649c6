"""A condition's record back to the result it was written from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.evaluation.measure.inventory import Inventory
from pytest_robustbench.evaluation.results import (
    ConditionResult,
    Latency,
    PeakMemory,
    PixelLevels,
)
from pytest_robustbench.metrics.outcomes import COLUMNS, Outcomes
from pytest_robustbench.reports.file.fields import metrics_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.conditions import Condition

    Record = Mapping[str, Any]


def outcomes_of(record: Mapping[str, Any], labels: Sequence[int]) -> Outcomes:
    """Return what the detector said under one condition, image by image.

    Parameters
    ----------
    record : mapping
        A condition that was measured.
    labels : (N,) sequence of int
        1 = defect, for the images of the record in their order.
    """
    # As float64 a null becomes NaN.
    columns: dict[str, Any] = {
        name: np.array(record["per_image"][name], np.float64) for name in COLUMNS
    }
    results = record["results"]
    return Outcomes(
        np.array(labels, np.int64),
        **columns,
        image_threshold=float(results["threshold"]),
        pixel_threshold=results["pixel_metrics"]["pixel_threshold"],
    )


def result_from_record(
    condition: Condition, record: Record, labels: Sequence[int]
) -> ConditionResult:
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
        per_image=outcomes_of(record, labels),
        digests=tuple(digest or "" for digest in record["per_image"]["digest"]),
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


def _pixel_levels(plain: Record | None) -> PixelLevels:
    if plain is None:  # no maps, or a version that did not keep them
        return PixelLevels()
    return PixelLevels(tuple(plain["background"]), tuple(plain["defect"]))


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
