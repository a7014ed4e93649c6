"""A report becomes the baseline that the next ones are held against."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pytest_robustbench.datasets.split import listed
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.names import MIN_METRICS
from pytest_robustbench.reports.baseline import StoredReport, read_comparable
from pytest_robustbench.reports.fields import metrics_of
from pytest_robustbench.reports.json_lines import dumps
from pytest_robustbench.reports.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST = "this is the first baseline"
MOST_METRICS = 10
LATENCY = "latency_ms_per_image"


@dataclass(frozen=True)
class Acceptance:
    """A report that may become the baseline, and what that would change.

    Parameters
    ----------
    path : Path
        The baseline's file.
    changes : tuple of str
        What differs from the baseline before, in words.
    text : str, optional
        What the file is going to hold; ``None`` where it holds that run already.
    """

    path: Path
    changes: tuple[str, ...]
    text: str | None

    def write(self) -> None:
        """Replace the file, atomically.

        Raises
        ------
        ReportError
            If it cannot be written.
        """
        if self.text is not None:
            write_atomically(self.path, self.text)


def acceptance_of(
    report_path: Path, baseline_path: Path, reason: str, today: date | None = None
) -> Acceptance:
    """Return what making a report the baseline would change; nothing is written yet.

    What a later comparison needs is kept, so that any statistic can be worked out again; what was
    said about the report (how it compared with the baseline before) is not. A baseline that holds
    the same run already is left untouched.

    Parameters
    ----------
    report_path : Path
        Report of a complete run.
    baseline_path : Path
        The file to replace.
    reason : str
        Why the run may serve; kept in the baseline.
    today : date, optional
        The date to record; by default today's.

    Raises
    ------
    ReportError
        If the report must not become a baseline, or the file is the baseline of another benchmark.
    """
    if not reason.strip():
        raise ReportError("a baseline needs a reason: say why this run may be one")
    new = read_comparable(report_path)
    acceptable(new)
    _require_same_benchmark(baseline_path, new)
    old, broken = _previous(baseline_path)
    if old is not None and old.digest == new.digest:
        same = f"{baseline_path} holds this very run already: left as it is"
        return Acceptance(baseline_path, (same,), None)
    accepted = {
        "reason": reason,
        "date": (today or date.today()).isoformat(),
        "previous_sha256": _file_sha256(baseline_path),
        "sha256": new.digest,
    }
    text = dumps({**new.content, "accepted": accepted})
    return Acceptance(baseline_path, (*broken, *differences(old, new)), text)


def acceptable(report: StoredReport) -> None:
    """Refuse a report that must not become a baseline, although it is whole.

    Raises
    ------
    ReportError
        If a limit could not be judged for want of a value: what was declared was not measured.
    """
    unjudged = [v for v in report.plain["verdicts"] if v["verdict"] == "error"]
    if unjudged:
        first = unjudged[0]
        message = (
            f"{report.path} cannot become a baseline: {len(unjudged)} limit(s) could not be "
            f"judged, first {first['metric']} under {first['condition']} ({first['reason']}); "
            "make it measurable or take the limit out, and measure again"
        )
        raise ReportError(message)


def differences(old: StoredReport | None, new: StoredReport) -> list[str]:
    """Return in words what a new baseline changes: what was measured, then the metrics.

    Parameters
    ----------
    old : StoredReport, optional
        The baseline before; ``None`` where there is none that can be read.
    new : StoredReport
        What replaces it.
    """
    if old is None:
        return [FIRST, *_violated(new)]
    found = [
        *_identity_changes(old.plain, new.plain),
        *_threshold_changes(old.plain["operating_point"], new.plain["operating_point"]),
        *_condition_changes(old, new),
        *_image_changes(old.plain["samples"], new.plain["samples"]),
        *_metric_changes(old, new),
        *_latency_changes(old, new),
        *_violated(new),
    ]
    return found or ["every metric, threshold and image is the same"]


def _violated(new: StoredReport) -> Iterator[str]:
    verdicts = new.plain["verdicts"]
    failed = [v for v in verdicts if v["verdict"] == "fail" and not v.get("waiver")]
    if failed:
        names = [f"{v['condition']}: {v['metric']}" for v in failed]
        yield f"the new baseline violates {len(failed)} of its own limits: {listed(names)}"


def _identity_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in ("dataset", "category", "model"):
        if old[key] != new[key]:
            yield _change(key, old[key], new[key])
    for key in ("detector", "config"):
        names = [k for k in old[key] | new[key] if old[key].get(k) != new[key].get(k)]
        if names:
            yield f"{key}: {', '.join(names)} changed"
    first, second = _environment(old["environment"]), _environment(new["environment"])
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            yield _change(name, first.get(name, "none"), second.get(name, "none"))


def _environment(environment: Mapping[str, Any]) -> dict[str, str]:
    own = {k: environment[k] for k in ("pytest_robustbench", "python", "cpu", "device")}
    return {**own, **environment["packages"]}


def _threshold_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in ("pixel_threshold", "image_threshold", "method", "n_images"):
        if old[key] != new[key]:
            yield _change(f"operating point, {key}", old[key], new[key])
    if old["calibrated_on"] != new["calibrated_on"]:
        yield "operating point: calibrated on other images"


def _condition_changes(old: StoredReport, new: StoredReport) -> Iterator[str]:
    gone = [c for c in old.conditions if c not in new.conditions]
    added = [c for c in new.conditions if c not in old.conditions]
    if gone:
        yield f"conditions no longer measured: {', '.join(gone)}"
    if added:
        yield f"new conditions: {', '.join(added)}"


def _image_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    first, second = (dict(zip(s["id"], s["source_digest"], strict=True)) for s in (old, new))
    found = {
        "no longer there": [i for i in first if i not in second],
        "new": [i for i in second if i not in first],
        "with other pixels or another mask": [
            i for i in first if i in second and first[i] != second[i]
        ],
    }
    yield from (
        f"{len(ids)} test images {what}: {listed(ids)}" for what, ids in found.items() if ids
    )


def _metric_changes(old: StoredReport, new: StoredReport) -> Iterator[str]:
    """Say which metrics changed most, over all conditions both have; they are all shares."""
    changes = [
        (condition, metric, before, after)
        for condition in new.conditions
        if condition in old.conditions
        for metric, (before, after) in _both(old.record(condition), new.record(condition)).items()
        if before != after
    ]
    changes.sort(key=lambda change: -_size(change[2], change[3]))
    for condition, metric, before, after in changes[:MOST_METRICS]:
        yield f"{condition}: {_change(metric, before, after)}{_direction(metric, before, after)}"
    if len(changes) > MOST_METRICS:
        yield f"{len(changes) - MOST_METRICS} more metrics changed less"


def _both(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, tuple[float | None, float | None]]:
    first, second = metrics_of(old), metrics_of(new)
    return {m: (first[m], second[m]) for m in first if not m.startswith("latency")}


def _size(before: float | None, after: float | None) -> float:
    """Return how large a change is; one from or to nothing comes first."""
    return float("inf") if before is None or after is None else abs(after - before)


def _direction(metric: str, before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return ""
    return " (better)" if (after > before) == (metric in MIN_METRICS) else " (worse)"


def _latency_changes(old: StoredReport, new: StoredReport) -> Iterator[str]:
    before, after = (report.record("clean")[LATENCY] for report in (old, new))
    if before != after:
        yield f"clean: {_change(LATENCY, before, after)}"


def _change(what: str, before: object, after: object) -> str:
    return f"{what} {_shown(before)} -> {_shown(after)}"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _previous(path: Path) -> tuple[StoredReport | None, list[str]]:
    """Return the baseline that is there, or why it is none."""
    if not path.exists():
        return None, []
    try:
        return read_comparable(path), []
    except ReportError as error:
        return None, [f"the file that was there is no baseline and is replaced: {error}"]


def _require_same_benchmark(path: Path, new: StoredReport) -> None:
    name = _name_in(path)
    if name is not None and name != new.name:
        message = (
            f"{path} is the baseline of benchmark {name!r}, and {new.path} the report of "
            f"{new.name!r}: name another file"
        )
        raise ReportError(message)


def _name_in(path: Path) -> object:
    """Return the benchmark of any report, however old or broken; ``None`` where it tells none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content.get("name") if isinstance(content, dict) else None


def _file_sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
