"""A report becomes the baseline that the next ones are held against."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pytest_robustbench.errors import ReportError
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.naming import listed
from pytest_robustbench.plain_json import dumps, read_object, sealed
from pytest_robustbench.reports.file.fields import metrics_of
from pytest_robustbench.reports.file.integrity import COMPLETE_REMEDY, read_comparable
from pytest_robustbench.reports.file.stored import REMEDY, StoredReport
from pytest_robustbench.reports.file.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DAMAGED = "the baseline that was there is DAMAGED, or of another version, and is replaced"
FIRST = "this is the first baseline"
MOST_METRICS = 10
LATENCY = "latency_ms_per_image"
BETTER, WORSE = " (better)", " (worse)"
OUTCOMES = {
    "regressed": "this run has REGRESSED against {against}",
    "inconclusive": "this run was INCONCLUSIVE against {against}: it may be worse than is allowed",
    "error": "this run was NOT COMPARABLE with {against}",
}
"""What is said of a report that did not pass its own comparison."""


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
    report_path: Path,
    baseline_path: Path,
    reason: str,
    today: date | None = None,
    *,
    smaller: bool = False,
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
    smaller : bool
        Whether conditions or images of the baseline before may be lost.

    Raises
    ------
    ReportError
        If the report must not become a baseline, the file is none of this benchmark and profile, or
        something would be lost that `smaller` does not allow.
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
    if old is not None:
        _require_same_profile(old, new)
        if not smaller:
            _require_no_loss(old, new)
    accepted = {
        "reason": reason,
        "date": (today or date.today()).isoformat(),
        "previous_sha256": _file_sha256(baseline_path),
        "sha256": new.digest,
    }
    text = dumps(sealed({**new.content, "accepted": accepted}))
    changes = [line for line in differences(old, new) if not (broken and line == FIRST)]
    return Acceptance(baseline_path, (*_own_outcome(new), *broken, *changes), text)


def _own_outcome(new: StoredReport) -> Iterator[str]:
    """Say first what the run itself was told when it was compared."""
    for compared in new.plain.get("regression", ()):
        told = OUTCOMES.get(compared["outcome"])
        if told:
            against = f"{compared['role']} {compared['baseline']}"
            yield told.format(against=against)


def _require_same_profile(old: StoredReport, new: StoredReport) -> None:
    before, after = old.plain["profile"], new.plain["profile"]
    if before != after:
        raise ReportError(
            f"{old.path} was measured under {_profile(before)}, and {new.path} under "
            f"{_profile(after)}: give each profile a baseline of its own (write {{profile}} into "
            "regression.baseline), write 'regression: null' into the profile that has none, or "
            "remove the file first"
        )


def _profile(name: str | None) -> str:
    return "no profile" if name is None else f"profile {name!r}"


def _require_no_loss(old: StoredReport, new: StoredReport) -> None:
    """Refuse to forget by accident what is compared so far."""
    lost = [c for c in old.conditions if c not in new.conditions]
    found = [f"it has no {', '.join(lost)}"] if lost else []
    for condition in (c for c in old.conditions if c in new.conditions):
        before, after = (len(r.samples(condition)["id"]) for r in (old, new))
        if after < before:
            found.append(f"{condition} has {after} images instead of {before}")
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ReportError(
            f"{new.path} holds less than the baseline {old.path}: {found[0]}{more}; measure "
            "it all, or say `pytest-robustbench accept REPORT --smaller-on-purpose --reason ...`"
        )


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
        raise ReportError(
            f"{report.path} cannot become a baseline: {len(unjudged)} limit(s) could not be "
            f"judged, first {first['metric']} under {first['condition']} ({first['reason']}); "
            "make it measurable or take the limit out, and measure again"
        )


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
    unshown = [v for v in verdicts if v["verdict"] == "not shown"]
    if unshown:
        names = [f"{v['condition']}: {v['metric']}" for v in unshown]
        yield f"the new baseline does not show {len(unshown)} of its own limits: {listed(names)}"


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
    if any(found.values()):
        yield "the metrics before and after are not of the same images"


def _metric_changes(old: StoredReport, new: StoredReport) -> Iterator[str]:
    """Say which metrics changed, over all conditions both have; they are all shares.

    What got worse comes first, then what changed most; what is compared is always told.
    """
    changes = [
        (condition, metric, before, after)
        for condition in new.conditions
        if condition in old.conditions
        for metric, (before, after) in _both(old.record(condition), new.record(condition)).items()
        if before != after
    ]
    changes.sort(key=lambda c: (_direction(*c[1:]) == BETTER, -_size(*c[2:])))
    judged = {*_judged_metrics(old), *_judged_metrics(new)}
    shown = [c for i, c in enumerate(changes) if i < MOST_METRICS or c[1] in judged]
    for condition, metric, before, after in shown:
        yield f"{condition}: {_change(metric, before, after)}{_direction(metric, before, after)}"
    if len(changes) > len(shown):
        yield f"{len(changes) - len(shown)} more metrics changed less"


def _judged_metrics(report: StoredReport) -> tuple[str, ...]:
    """Return what the report's configuration compares with a baseline."""
    regression = report.plain["config"].get("regression")
    return tuple(regression) if isinstance(regression, dict) else ()


def _both(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, tuple[float | None, float | None]]:
    first, second = metrics_of(old), metrics_of(new)
    names = (m for m in {**first, **second} if not metric_called(m).is_latency)
    return {m: (first.get(m), second.get(m)) for m in names}


def _size(before: float | None, after: float | None) -> float:
    """Return how large a change is; one from or to nothing comes first."""
    return float("inf") if before is None or after is None else abs(after - before)


def _direction(metric: str, before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return ""
    return BETTER if (after > before) == metric_called(metric).more_is_better else WORSE


def _latency_changes(old: StoredReport, new: StoredReport) -> Iterator[str]:
    before, after = (metrics_of(report.record("clean")) for report in (old, new))
    judged = {LATENCY, *_judged_metrics(old), *_judged_metrics(new)}
    for metric in (m for m in before if m.startswith("latency") and m in judged):
        if before[metric] != after[metric]:
            yield f"clean: {_change(metric, before[metric], after[metric])}"


def _change(what: str, before: object, after: object) -> str:
    return f"{what} {_shown(before)} -> {_shown(after)}"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _previous(path: Path) -> tuple[StoredReport | None, list[str]]:
    """Return the baseline that is there, or how it is damaged."""
    if not path.exists():
        return None, []
    try:
        return read_comparable(path), []
    except ReportError as error:
        reason = str(error).removesuffix(f"; {REMEDY}").removesuffix(f"; {COMPLETE_REMEDY}")
        return None, [f"{DAMAGED}: {reason}"]


def _require_same_benchmark(path: Path, new: StoredReport) -> None:
    """Refuse to replace anything but a baseline of this benchmark, be it a damaged one."""
    if not path.exists():
        return
    name = _name_in(path)
    if name is None:
        raise ReportError(
            f"{path} is no report of benchmark {new.name!r} and is not replaced: name another "
            "file, or remove it first"
        )
    if name != new.name:
        raise ReportError(
            f"{path} is the baseline of benchmark {name!r}, and {new.path} the report of "
            f"{new.name!r}: name another file"
        )


def _name_in(path: Path) -> object:
    """Return the benchmark of a report, however old or edited; ``None`` where it tells none."""
    try:
        content = read_object(path)
    except ValueError:
        return None
    return content.get("name") if "schema_version" in content else None


def _file_sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
