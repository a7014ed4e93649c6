"""The report of one benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import CLEAN, Condition, condition_of
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.limits import CONFIDENCE, Limit, Verdict, Waiver
from pytest_robustbench.gates.showing import images_needed
from pytest_robustbench.gates.summary import Summary, summarize
from pytest_robustbench.plain_json import dumps, sealed
from pytest_robustbench.reports.file.fields import (
    BY_VALUE,
    error_record,
    is_measured,
    metrics_of,
    ranking_error_of,
    undefined_of,
)
from pytest_robustbench.reports.file.model import (
    SCHEMA_VERSION,
    ReportContent,
    VerdictRecord,
    WaiverRecord,
)
from pytest_robustbench.reports.file.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.reports.file.model import Header

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
        What was measured, tolerances among it, or ``{"error": message}``.
    verdicts : tuple of Verdict
        Every limit that was judged.
    narrowed : tuple of str
        Options that made this run less than what was declared; not empty = not complete.
    trouble : str
        Why what was measured cannot be relied on; not empty = not complete.
    regression : tuple of mapping
        What came of the comparisons with stored reports, as `regression_record` writes it.
    """

    header: Header
    declared: tuple[Condition, ...]
    records: Mapping[str, Mapping[str, Any]]
    verdicts: tuple[Verdict, ...] = field(default=())
    narrowed: tuple[str, ...] = field(default=())
    trouble: str = ""
    regression: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of declared conditions without a measurement."""
        return tuple(c.id for c in self.declared if not is_measured(self.records.get(c.id)))

    @property
    def of_conditions(self) -> dict[str, Mapping[str, Any]]:
        """The records that have metrics: of conditions, and not of tolerances."""
        return {c: record for c, record in self.records.items() if not condition_of(c).ladder}

    @property
    def tolerances(self) -> dict[str, Mapping[str, Any]]:
        """The records of tolerances, by their ids."""
        return {c: record for c, record in self.records.items() if condition_of(c).ladder}

    @property
    def complete(self) -> bool:
        """Whether every declared condition was reliably measured, on all declared images."""
        return not (self.missing or self.narrowed or self.trouble)

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
        pooled = (c for c in self.declared if c.is_pooled)
        records = {c.id: self.records.get(c.id, absent) for c in pooled}
        return summarize(
            {c: metrics_of(record) for c, record in records.items()},
            {c: undefined_of(record) for c, record in records.items()},
            {c: ranking_error_of(record) for c, record in records.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report in its published schema.

        Raises
        ------
        ReportError
            If something in it has no place there, such as a number that is not finite.
        """
        header, summary = self.header.to_dict(), self.summary()
        plain = {
            **header,
            "schema_version": SCHEMA_VERSION,
            "complete": self.complete,
            "missing": list(self.missing),
            "narrowed": list(self.narrowed),
            **({"trouble": self.trouble} if self.trouble else {}),
            "memory": self._peak_memory(),
            "verdicts": [verdict_to_dict(v) for v in self.verdicts],
            **({"regression": list(self.regression)} if self.regression else {}),
            "robustness_summary": dict(summary.metrics),
            "robustness_summary_undefined": dict(summary.undefined),
            "robustness": {
                **_pixel_threshold(self.header),
                "clean": self.records.get(CLEAN.id),
                "corruptions": self._by_corruption(),
                "recorded": {
                    c.recorded: self.records[c.id]
                    for c in self.declared
                    if c.recorded and c.id in self.records
                },
                **self._tolerances(),
            },
        }
        return sealed(ReportContent.from_dict(plain).to_dict())

    def _peak_memory(self) -> dict[str, int | None]:
        conditions = (record.get("memory", {}) for record in self.records.values())
        parts = [self.header.memory.to_dict(), *conditions]
        return {name: _largest(part.get(name) for part in parts) for name in PEAKS}

    def _by_corruption(self) -> dict[str, dict[str, Any]]:
        nested: dict[str, dict[str, Any]] = {}
        for condition in self.declared:
            if condition.is_corrupted and condition.id in self.records:
                by_severity = nested.setdefault(condition.corruption, {})
                severity = condition.severity
                key = BY_VALUE if severity is None else f"severity_{severity:g}"
                by_severity[key] = self.records[condition.id]
        return nested

    def _tolerances(self) -> dict[str, Any]:
        tried = (c for c in self.declared if c.ladder and c.id in self.records)
        along = {c.ladder: self.records[c.id] for c in tried}
        return {"tolerance": along} if along else {}

    def write(self, path: str | Path) -> None:
        """Write the report as JSON: the old file or the new one, never half of one.

        Raises
        ------
        ReportError
            If the file cannot be written, or something in the report has no place there.
        """
        try:
            text = dumps(self.to_dict())
        except ReportError as error:
            raise ReportError(f"cannot write {path}: {error}") from error
        write_atomically(Path(path), text)


def _pixel_threshold(header: Header) -> dict[str, Any]:
    """Return how the pixel threshold was found, in the guide's words, and its quantile."""
    point = header.operating_point
    if point is None:
        return {"pixel_threshold_strategy": None, "pixel_normal_quantile": None}
    strategy = "given" if point.method == "given" else "normal_pixel_quantile"
    quantile = point.pixel_normal_quantile
    return {"pixel_threshold_strategy": strategy, "pixel_normal_quantile": quantile}


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain JSON; what most do not have, they do not name."""
    unshown = verdict.outcome == "not shown"
    optional = {
        "interval": verdict.interval and list(verdict.interval),
        "sampled": verdict.sampled and list(verdict.sampled),
        "n_images": verdict.n_images,
        "n_parts": verdict.n_parts,
        "at_worst": verdict.at_worst,
        "confidence": None if verdict.at_worst is None and not unshown else verdict.confidence,
        "images_needed": None if verdict.shown else images_needed(verdict),
        "unsure": verdict.unsure if unshown else None,
        "unit": verdict.limit.unit or None,
        "waiver": verdict.waiver and _waiver_record(verdict.waiver),
    }
    plain = {
        "condition": verdict.condition,
        "metric": verdict.limit.metric,
        "bound": verdict.limit.bound,
        "limit": verdict.limit.value,
        "value": verdict.value,
        "verdict": verdict.outcome,
        "shown": verdict.shown,
        "reason": verdict.reason,
        "source": verdict.limit.source,
        **{key: value for key, value in optional.items() if value is not None},
    }
    return VerdictRecord.from_dict(plain).to_dict()


def _waiver_record(waiver: Waiver) -> WaiverRecord:
    until = waiver.until.isoformat()
    return WaiverRecord(reason=waiver.reason, by=waiver.by, until=until, source=waiver.source)


def verdict_from_dict(plain: Mapping[str, Any]) -> Verdict:
    """Rebuild what `verdict_to_dict` wrote."""
    found = VerdictRecord.from_dict(plain)
    return Verdict(
        found.condition,
        Limit(found.metric, found.bound, found.limit, found.source, found.unit or ""),
        found.value,
        found.verdict,
        found.reason,
        waiver=None if found.waiver is None else _waiver(found, found.waiver),
        interval=None if found.interval is None else (found.interval[0], found.interval[1]),
        sampled=None if found.sampled is None else (found.sampled[0], found.sampled[1]),
        n_images=found.n_images,
        n_parts=found.n_parts,
        at_worst=found.at_worst,
        confidence=CONFIDENCE if found.confidence is None else found.confidence,
        unsure=found.unsure or "fail",
    )


def _waiver(on: VerdictRecord, found: WaiverRecord) -> Waiver:
    until = date.fromisoformat(found.until)
    return Waiver(on.condition, on.metric, found.reason, found.by, until, found.source)
