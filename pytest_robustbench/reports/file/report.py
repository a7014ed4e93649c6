"""The report of one benchmark."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.limits import Limit, Verdict, Waiver
from pytest_robustbench.gates.summary import Summary, summarize
from pytest_robustbench.reports.file.fields import (
    error_record,
    metrics_of,
    ranking_error_of,
    undefined_of,
)
from pytest_robustbench.reports.file.readable_json import dumps
from pytest_robustbench.reports.file.schema import report_schema
from pytest_robustbench.reports.file.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.reports.file.header import Header

SCHEMA_VERSION = 1
PEAKS = ("host_peak_bytes", "device_peak_bytes")


@dataclass(frozen=True)
class Report:
    """Everything one benchmark found, as plain JSON.

    Parameters
    ----------
    header : Header
        What is said once: data, detector, operating point, configuration, environment.
    declared : tuple of Condition
        Every condition that a complete run measures.
    records : mapping of condition id to record
        What was measured, or ``{"error": message}``.
    verdicts : tuple of Verdict
        Every limit that was judged.
    narrowed : tuple of str
        Options that made this run less than what was declared; not empty = not complete.
    regression : tuple of mapping
        What came of the comparisons with stored reports, as `regression_record` writes it.
    """

    header: Header
    declared: tuple[Condition, ...]
    records: Mapping[str, Mapping[str, Any]]
    verdicts: tuple[Verdict, ...] = field(default=())
    narrowed: tuple[str, ...] = field(default=())
    regression: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of declared conditions without a measurement."""
        return tuple(c.id for c in self.declared if "results" not in self.records.get(c.id, {}))

    @property
    def complete(self) -> bool:
        """Whether every declared condition was measured, on all declared images."""
        return not self.missing and not self.narrowed

    @property
    def passed(self) -> bool:
        """Whether the run is complete, limits were judged, and none is violated.

        A waived limit is no violation until its waiver runs out. The comparison with a baseline is
        another question: its outcomes stand in `regression`.
        """
        judged = bool(self.verdicts)
        return self.complete and judged and not any(v.violated for v in self.verdicts)

    def summary(self) -> Summary:
        """Return means, worst values and drops over every declared corruption.

        One that was not measured leaves them undefined: a mean over the others would be another
        quantity under the same name. Recorded sets are left out: their images are other images, and
        a drop between different images is none.
        """
        absent = error_record("not measured")
        pooled = (c for c in self.declared if not c.recorded)
        records = {c.id: self.records.get(c.id, absent) for c in pooled}
        return summarize(
            {c: metrics_of(record) for c, record in records.items()},
            {c: undefined_of(record) for c, record in records.items()},
            {c: ranking_error_of(record) for c, record in records.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report in its published schema."""
        header, summary = self.header.to_dict(), self.summary()
        return {
            "schema_version": SCHEMA_VERSION,
            **{k: header.pop(k) for k in ("name", "dataset", "category", "model")},
            "complete": self.complete,
            "missing": list(self.missing),
            "narrowed": list(self.narrowed),
            **header,
            "memory": self._peak_memory(),
            "verdicts": [verdict_to_dict(v) for v in self.verdicts],
            **({"regression": list(self.regression)} if self.regression else {}),
            "robustness_summary": dict(summary.metrics),
            "robustness_summary_undefined": dict(summary.undefined),
            "robustness": {
                "pixel_threshold_strategy": self.header.pixel_threshold_strategy,
                "pixel_normal_quantile": self.header.pixel_normal_quantile,
                "clean": self.records.get(CLEAN.id),
                "corruptions": self._by_corruption(),
                "recorded": {
                    c.recorded: self.records[c.id]
                    for c in self.declared
                    if c.recorded and c.id in self.records
                },
            },
        }

    def _peak_memory(self) -> dict[str, int | None]:
        conditions = (record.get("memory", {}) for record in self.records.values())
        parts = [self.header.memory, *conditions]
        return {name: _largest(part.get(name) for part in parts) for name in PEAKS}

    def _by_corruption(self) -> dict[str, dict[str, Any]]:
        nested: dict[str, dict[str, Any]] = {}
        for condition in self.declared:
            if condition.is_corrupted and condition.id in self.records:
                by_severity = nested.setdefault(condition.corruption, {})
                by_severity[f"severity_{condition.severity}"] = self.records[condition.id]
        return nested

    def write(self, path: str | Path) -> None:
        """Write the report as JSON: the old file or the new one, never half of one.

        Raises
        ------
        ReportError
            If the file cannot be written, or a number in it is not finite.
        """
        try:
            text = dumps(self.to_dict())
        except ValueError as error:
            raise ReportError(f"cannot write {path}: {error}") from error
        write_atomically(Path(path), text)


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain JSON."""
    return {
        "condition": verdict.condition,
        "metric": verdict.limit.metric,
        "bound": verdict.limit.bound,
        "limit": verdict.limit.value,
        "value": verdict.value,
        "verdict": verdict.outcome,
        "reason": verdict.reason,
        "source": verdict.limit.source,
        **_optional(verdict),
    }


def _optional(verdict: Verdict) -> dict[str, Any]:
    """Return what most verdicts do not have, and then do not name."""
    found = {
        "interval": verdict.interval and list(verdict.interval),
        "n_images": verdict.n_images,
        "waiver": verdict.waiver and _waiver_to_dict(verdict.waiver),
    }
    return {key: value for key, value in found.items() if value is not None}


def _waiver_to_dict(waiver: Waiver) -> dict[str, str]:
    return {
        "reason": waiver.reason,
        "by": waiver.by,
        "until": waiver.until.isoformat(),
        "source": waiver.source,
    }


def verdict_from_dict(plain: Mapping[str, Any]) -> Verdict:
    """Rebuild what `verdict_to_dict` wrote, by this version or one without intervals."""
    interval, waiver = plain.get("interval"), plain.get("waiver")
    return Verdict(
        plain["condition"],
        Limit(plain["metric"], plain["bound"], plain["limit"], plain["source"]),
        plain["value"],
        plain["verdict"],
        plain["reason"],
        waiver=None if waiver is None else _waiver_from_dict(plain, waiver),
        interval=None if interval is None else (interval[0], interval[1]),
        n_images=plain.get("n_images"),
    )


def _waiver_from_dict(verdict: Mapping[str, Any], waiver: Mapping[str, str]) -> Waiver:
    until = date.fromisoformat(waiver["until"])
    place = (verdict["condition"], verdict["metric"])
    return Waiver(*place, waiver["reason"], waiver["by"], until, waiver["source"])


def read_report(path: Path) -> dict[str, Any]:
    """Read a report file.

    Raises
    ------
    ReportError
        If it is missing, is no standard JSON, has another schema version, or lacks a key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise ReportError(f"cannot read the report {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReportError(f"cannot read the report {path}: {error}") from error
    if not isinstance(content, dict):
        raise ReportError(
            f"{path} is no report: it holds a {type(content).__name__}, not an object"
        )
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ReportError(f"{path} has schema version {version!r}, not {SCHEMA_VERSION}")
    lacking = [key for key in report_schema()["required"] if key not in content]
    if lacking:
        raise ReportError(f"{path} is no whole report: it lacks {', '.join(lacking)}")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no standard JSON")
