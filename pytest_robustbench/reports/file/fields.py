"""Where each metric stands in a condition's record; light, so that the terminal may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import CLEAN, RECORDED, TOLERANCE
from pytest_robustbench.metrics.catalogue import BUILT_IN, METRICS, metric_called

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.metrics.metric import Metric

BY_VALUE = "by_value"
"""Stands for the severity of a condition that has none."""

PIXEL_METRICS = tuple(m.name for m in BUILT_IN if m.level == "pixel")
DECISION_METRICS = tuple(m.name for m in BUILT_IN if m.level == "image" and not m.ranks)


def path_of(metric: Metric) -> tuple[str, ...]:
    """Return the keys that lead to a metric in a condition's record."""
    if metric.source:
        return ("own_metrics", metric.name, "value")
    if metric.is_latency:
        return _LATENCIES[metric.name]
    if metric.level == "pixel":
        return ("results", "pixel_metrics", metric.name)
    return ("results", metric.name) if metric.ranks else ("results", "metrics", metric.name)


_LATENCIES = {
    "latency_ms_per_image": ("latency_ms_per_image",),
    "latency_p95_ms": ("latency", "p95_ms"),
    "latency_relative": ("latency", "relative"),
}


def error_record(message: str) -> dict[str, Any]:
    """Return the record of a condition that could not be measured."""
    return {"error": message}


def is_measured(record: Mapping[str, Any] | None) -> bool:
    """Return whether a record, if there is one, is that of a condition or tolerance measured."""
    return record is not None and "error" not in record


def metrics_of(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Return every metric of a record by the name limits use; all ``None`` for an error."""
    rows = (*BUILT_IN, *(metric_called(name) for name in record.get("own_metrics", {})))
    return {metric.name: _at(record, path_of(metric)) for metric in rows}


def records_of(plain: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the records of a report by condition: clean, corruptions, recorded sets."""
    found, robustness = {}, plain["robustness"]
    if robustness["clean"] is not None:
        found[CLEAN.id] = robustness["clean"]
    for corruption, by_severity in robustness["corruptions"].items():
        for severity, record in by_severity.items():
            by_value = severity == BY_VALUE
            found[corruption if by_value else f"{corruption}-{severity}"] = record
    return found | {f"{RECORDED}-{name}": r for name, r in robustness["recorded"].items()}


def tolerances_of(plain: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the tolerances of a report by their ids."""
    along = plain["robustness"].get("tolerance", {})
    return {f"{TOLERANCE}-{name}": record for name, record in along.items()}


def undefined_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return why metrics of a record are ``None``."""
    if "error" in record:
        return dict.fromkeys(METRICS, str(record["error"]))
    return dict(record.get("undefined", {}))


def ranking_error_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Return by how much metrics of a record may be off at most; empty where all are exact."""
    return dict(record.get("ranking_error", {}))


def _at(record: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    found: Any = record
    for part in path:
        found = found.get(part) if found else None
    return None if found is None else float(found)


def notes_on_recorded_sets(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what readers should know about sets recorded under drift, each with its condition."""
    return [f"{c}: {note}" for c, record in records.items() for note in record.get("notes", ())]
