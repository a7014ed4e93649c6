"""A condition's result as plain JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.metrics.outcomes import COUNTS
from pytest_robustbench.metrics.ranking.levels import LEVELS
from pytest_robustbench.reports.file.fields import DECISION_METRICS, PIXEL_METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.evaluation.results import (
        ConditionResult,
        Latency,
        PeakMemory,
        PixelLevels,
    )
    from pytest_robustbench.metrics.outcomes import Outcomes

    Record = dict[str, Any]


def condition_record(result: ConditionResult) -> Record:
    """Return one condition in the report's schema."""
    metrics = result.metrics
    return {
        "latency_ms_per_image": metrics["latency_ms_per_image"],
        "results": {
            "auroc": metrics["auroc"],
            "average_precision": metrics["average_precision"],
            "threshold": result.image_threshold,
            "metrics": {name: metrics[name] for name in DECISION_METRICS} | {**result.image_counts},
            "best_f1": _best_f1(result.best_f1),
            "pixel_metrics": _pixel_metrics(result),
        },
        "operating_point": result.operating_point,
        "undefined": dict(result.undefined),
        "specification": dict(result.specification),
        "data_digest": result.data_digest,
        "left_out": list(result.left_out),
        "unknown_masks": list(result.unknown_masks),
        "ranking": result.ranking,
        "ranking_error": dict(result.ranking_error),
        "pixel_scores": _pixel_scores(result.pixel_levels),
        "latency": _latency(result.latency),
        "memory": memory_record(result.memory),
        "per_image": _per_image(result.per_image, result.digests),
        **_recorded(result),
        **_recalibrated(result),
    }


def _recorded(result: ConditionResult) -> Record:
    """Return what only a recorded set has: samples, and notes on them, of its own."""
    if result.samples is None:
        return {}
    return {"samples": result.samples.to_dict(), "notes": list(result.notes)}


def _recalibrated(result: ConditionResult) -> Record:
    """Return what only frozen thresholds have beside them."""
    return {} if result.recalibrated is None else {"recalibrated": dict(result.recalibrated)}


def _pixel_scores(found: PixelLevels) -> Record | None:
    """Return where pixel scores lie, in enough digits for a picture; ``None`` without maps."""
    if not found.background and not found.defect:
        return None
    columns = {"background": found.background, "defect": found.defect}
    return {
        "level": list(LEVELS),
        **{name: [_rounded(v, 6) for v in column] for name, column in columns.items()},
    }


def _best_f1(best: tuple[float, float] | None) -> Record | None:
    return None if best is None else {"f1": best[0], "threshold": best[1]}


def _pixel_metrics(result: ConditionResult) -> Record:
    values: Record = {name: result.metrics[name] for name in PIXEL_METRICS}
    return values | {
        "pixel_threshold": result.pixel_threshold,
        "trivial_segf1": result.trivial_segf1,
        "trivial_segf1_per_image": result.trivial_segf1_per_image,
    }


def _latency(latency: Latency) -> Record:
    return {
        "batch_size": latency.batch_size,
        "count": len(latency.calls),
        "median_ms": latency.median,
        "p95_ms": latency.p95,
        "mean_ms": latency.mean,
        "reference_ms": latency.reference,
        "relative": latency.relative,
        "calls_ms": [_rounded(call) for call in latency.calls],
        "reference_calls_ms": [_rounded(call) for call in latency.reference_calls],
    }


def memory_record(memory: PeakMemory) -> Record:
    """Return peak memory in the report's schema."""
    return {"host_peak_bytes": memory.host, "device_peak_bytes": memory.device}


def _rounded(value: float, digits: int = 4) -> float:
    """Four digits are finer than any clock's noise, and short in the file."""
    return float(f"{value:.{digits}g}")


def _per_image(outcomes: Outcomes, digests: Sequence[str]) -> Record:
    scores = shortest(outcomes.score.astype(np.float32))
    counts = {name: getattr(outcomes, name).tolist() for name in COUNTS}
    return {
        "score": [s if m else None for s, m in zip(scores, outcomes.measured, strict=True)],
        **{n: [None if math.isnan(c) else int(c) for c in column] for n, column in counts.items()},
        "digest": [digest or None for digest in digests],
    }


def shortest(values: NDArray[np.float32]) -> list[float]:
    """Return the shortest decimals that read back as the same float32.

    Read as float64 first, as JSON is, a decimal may round to the middle between two float32; there
    the exact float64 stands instead.
    """
    decimals = values.astype("U32").astype(np.float64)
    exact = values.astype(np.float64)
    chosen: list[float] = np.where(decimals.astype(np.float32) == values, decimals, exact).tolist()
    return chosen
