"""What runs write: an edit that changes what is said is refused, a sealed one is no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.drift.change import Change
from pytest_robustbench.errors import RobustbenchError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.plain_json import DIGEST, sealed
from pytest_robustbench.reports.compare.regression import Match, judge_matches
from pytest_robustbench.reports.drift.model import read_drift, write_drift
from pytest_robustbench.reports.drift.record import drift_record
from pytest_robustbench.reports.drift.snippet import snippet
from pytest_robustbench.reports.drift.words import lines
from pytest_robustbench.reports.file.integrity import (
    contradictions,
    misfits,
    read_comparable,
    refuse,
)
from pytest_robustbench.reports.file.journal import (
    BenchmarkEntry,
    ConditionEntry,
    Journal,
    journal_lines,
    read_journal,
)
from pytest_robustbench.reports.file.record_integrity import record_problems
from pytest_robustbench.reports.file.record_model import Measured
from pytest_robustbench.reports.file.session import SESSION_FILE, SessionFile, write_session
from pytest_robustbench.reports.file.stored import read_stored
from pytest_robustbench.reports.merge.parts import read_parts
from pytest_robustbench.reports.pages.conditions_csv import conditions_csv
from pytest_robustbench.reports.pages.source import Edition, Source
from pytest_robustbench.reports.pages.summary_markdown import summary_markdown
from tests.drift.drift_pictures import exact_drift
from tests.fuzz.mutation import mutated_bytes, mutated_plain, mutated_text, written
from tests.fuzz.subject import FoundError, Subject
from tests.reports.report_samples import GATE, contrast, scores_only, small_benchmark
from tests.reports.stored_reports import compared, measure

REMEDY = "measure again"
ALLOWED = AllowedChange("bg_fpr", "max_rise", 0.01, relative=False, source="robustness.yaml:9")


def damaged_json(rng: Random, valid: Sequence[bytes]) -> bytes:
    """Return an edited file: of its bytes, of its lines, of its values, or of these and sealed."""
    content, way = rng.choice(valid), rng.random()
    if way < 0.3:
        return mutated_bytes(rng, content, valid)
    if way < 0.4:
        return mutated_text(rng, content.decode()).encode("utf-8", "surrogatepass")
    changed = mutated_plain(rng, json.loads(content))
    return written(changed if way < 0.6 else _sealed(changed))


def _sealed(value: Any) -> Any:
    return sealed(value) if isinstance(value, dict) and DIGEST in value else value


def _is_unchanged(content: bytes, valid: Sequence[bytes]) -> bool:
    """Tell whether a file says what a valid one says, however it is written."""
    said = _said(content)
    return any(said == _said(one) for one in valid)


def _said(content: bytes) -> str:
    return json.dumps(json.loads(content), sort_keys=True)


def _is_sealed_anew(content: bytes) -> bool:
    plain = json.loads(content)
    return bool(plain.get(DIGEST) == sealed(plain)[DIGEST])


def require_unchanged(path: Path, valid: Sequence[bytes]) -> None:
    content = path.read_bytes()
    if not _is_unchanged(content, valid) and not _is_sealed_anew(content):
        raise FoundError("an edited file is taken for the one that was written")


# ---- reports -----------------------------------------------------------------------------------


def _write_reports(folder: Path) -> None:
    compared_one = {**measure(gate=GATE), "regression": [compared("pass", "pass")]}
    plains = [measure(), compared_one]
    for number, plain in enumerate(plains):
        (folder / f"valid{number}.json").write_text(json.dumps(sealed(plain), indent=1), "utf-8")


def _read_report(path: Path, valid: Sequence[bytes]) -> None:
    """Read it as baseline, to compare, to merge, and for pages; the first refusal counts."""
    refusals = [_refusal(read, path) for read in (_shown, _merged, _compared_with_itself)]
    stored = read_stored(path)
    refuse(f"{path} cannot be compared", contradictions(stored), REMEDY)
    require_unchanged(path, valid)
    if all(refusals):
        raise refusals[0]


def _refusal(read: Callable[[Path], None], path: Path) -> RobustbenchError | None:
    try:
        read(path)
    except RobustbenchError as error:
        return error
    return None


def _shown(path: Path) -> None:
    stored = read_stored(path)
    refuse(f"{path} cannot be shown", misfits(stored), REMEDY)
    edition = Edition([Source(stored.plain, path)], path.parent)
    summary_markdown(edition)
    conditions_csv(edition)


def _merged(path: Path) -> None:
    read_parts(path)


def _compared_with_itself(path: Path) -> None:
    read_comparable(path)
    match = Match("brushed_metal", path, path.parent / "valid0.json", (ALLOWED,))
    judge_matches([match])


# ---- journals ----------------------------------------------------------------------------------


def _write_journals(folder: Path) -> None:
    for number, detector in enumerate((contrast, scores_only)):
        report = small_benchmark(detector, gate=Gate()).run()
        journal = Journal(folder / f"valid{number}.jsonl")
        prepared = {
            "benchmark": report.header.name,
            "header": report.header,
            "declared": [condition.id for condition in report.declared],
            "narrowed": [],
            "fitted": True,
        }
        journal.append(BenchmarkEntry.from_dict(prepared))
        for condition, record in report.records.items():
            entry = {"benchmark": report.header.name, "condition": condition, "key": "k"}
            journal.append(ConditionEntry.from_dict({**entry, "record": record, "reused": False}))


def _damaged_journal(rng: Random, valid: Sequence[bytes]) -> bytes:
    content, way = rng.choice(valid), rng.random()
    if way < 0.3:
        return mutated_bytes(rng, content, valid)
    if way < 0.4:
        return mutated_text(rng, content.decode()).encode("utf-8", "surrogatepass")
    lines = [line for line in content.split(b"\n") if line]
    place = rng.randrange(len(lines))
    lines[place] = (
        damaged_json(rng, [lines[place]]) if way < 0.6 else _edited_line(rng, lines[place])
    )
    return b"\n".join(lines) + b"\n"


def _edited_line(rng: Random, line: bytes) -> bytes:
    return written(_sealed(mutated_plain(rng, json.loads(line))))


def _read_journal(path: Path, valid: Sequence[bytes]) -> None:
    """Read it for a resumed run, and to merge; what is taken over was written, or sealed anew."""
    _resume(path, valid)
    refusal = _refusal(_merged, path)
    entries = read_journal(path)
    known = {_said(line) for one in valid for line in one.split(b"\n") if line}
    lines = [line for line in path.read_bytes().split(b"\n") if _is_json(line)]
    if len(entries) > sum(_said(line) in known or _is_sealed_anew(line) for line in lines):
        raise FoundError("an edited line is taken for the one that was written")
    if refusal:
        raise refusal


def _resume(path: Path, valid: Sequence[bytes]) -> None:
    """Hold the records against the header of a run that is resumed, which is the run's own."""
    whole = json.loads(valid[0].split(b"\n")[0])["header"]
    for _, entry in journal_lines(path).entries:
        if isinstance(entry, ConditionEntry) and isinstance(entry.record, Measured):
            parts = whole["samples"], entry.record.to_dict(), whole["operating_point"]
            list(record_problems(entry.condition, *parts))


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


# ---- session.json and operating points ---------------------------------------------------------


def _write_sessions(folder: Path) -> None:
    benchmark = {
        "complete": True,
        "missing": [],
        "deselected": ["blur-severity_1"],
        "outcomes": {"summary": "passed", "complete": "passed"},
        "problems": ["a problem"],
        "regression": {"outcome": "pass", "baseline": "nuts.json"},
        "verdicts": {"pass": 3, "fail": 0, "error": 0, "not_shown": 0, "shown": 1},
        "report": None,
        "sha256": None,
    }
    plain = {"exit_status": 0, "problem": None, "benchmarks": {"nuts": benchmark}}
    write_session(folder, plain)
    (folder / SESSION_FILE).rename(folder / "valid.json")


def _read_session(path: Path, valid: Sequence[bytes]) -> None:
    found = SessionFile(path.parent)
    list(found.unreported())
    list(found.problems_of(path.parent / "valid.json", "nuts"))
    require_unchanged(path, valid)


def _write_points(folder: Path) -> None:
    point = OperatingPoint(
        20.0, 30.0, "holdout", 0.999, 0.95, 12, 12, 0.1, "ab" * 16, ("a warning",)
    )
    (folder / "valid0.json").write_text(json.dumps(point.to_dict()), "utf-8")
    plain = measure(recorded={}, config={}, gate=Gate(), severities=[3])
    (folder / "valid1.json").write_text(json.dumps(plain), "utf-8")


def _read_point(path: Path, valid: Sequence[bytes]) -> None:
    point = OperatingPoint.read(path)
    if not np.isfinite(point.image_threshold):
        raise FoundError("a threshold that is no number")
    plain = json.loads(path.read_bytes())
    if "digest" in plain.get("operating_point", plain):
        known = [json.loads(one) for one in valid]
        points = [one.get("operating_point", one)["image_threshold"] for one in known]
        if point.image_threshold not in points and DIGEST not in plain:
            raise FoundError("an edited threshold is taken for the one that was written")


def _write_drifts(folder: Path) -> None:
    write_drift(
        drift_record(exact_drift(Change(blur=1.0), ["field"]), "led_2025_11", ("a", "b")),
        folder / "valid.json",
    )


def _read_drift(path: Path, valid: Sequence[bytes]) -> None:
    record = read_drift(path)
    list(lines(record, snippet(record)))
    require_unchanged(path, valid)


REPORTS = Subject("reports", 1000, "damaged.json", _write_reports, damaged_json, _read_report)
JOURNALS = Subject(
    "journals", 1000, "damaged.jsonl", _write_journals, _damaged_journal, _read_journal
)
SESSIONS = Subject("sessions", 500, SESSION_FILE, _write_sessions, damaged_json, _read_session)
DRIFTS = Subject("drifts", 200, "damaged.json", _write_drifts, damaged_json, _read_drift)
OPERATING_POINTS = Subject("points", 500, "damaged.json", _write_points, damaged_json, _read_point)
