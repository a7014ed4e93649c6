"""Reports of shards as parts that can be merged."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.baseline import read_stored, refuse
from pytest_robustbench.reports.header import Header
from pytest_robustbench.reports.integrity import contradictions
from pytest_robustbench.reports.merging import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SESSION_FILE = "session.json"
REMEDY = "take the file as its shard wrote it, or run that shard again"


def find_reports(places: Iterable[Path]) -> list[Path]:
    """Return the report files that files and folders name, each once.

    Parameters
    ----------
    places : iterable of Path
        Reports, or folders that hold some at any depth. ``session.json`` is none, and in folders
        neither is JSON of another kind.

    Raises
    ------
    ReportError
        If a place does not exist, a folder holds no report, or JSON in it cannot be read.
    """
    found = {path.resolve(): path for place in places for path in _reports_at(place)}
    return list(found.values())


def _reports_at(place: Path) -> Iterator[Path]:
    if not place.exists():
        message = f"{place} does not exist: name reports, or folders that hold them"
        raise ReportError(message)
    if not place.is_dir():
        yield from () if place.name == SESSION_FILE else (place,)
        return
    held = [path for path in sorted(place.rglob("*.json")) if _is_report(path)]
    if not held:
        message = f"{place} holds no report: name the folder that a shard wrote its reports to"
        raise ReportError(message)
    yield from held


def _is_report(path: Path) -> bool:
    if path.name == SESSION_FILE or not path.is_file():
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        # It may be the half of a report: what it held would be lost in silence.
        message = f"cannot read {path} ({error}): {REMEDY}, or move what is no report elsewhere"
        raise ReportError(message) from None
    return isinstance(content, dict) and "robustness" in content


def read_part(path: Path) -> Part:
    """Read the report of a shard.

    Parameters
    ----------
    path : Path
        Report of a run, complete or not.

    Raises
    ------
    ReportError
        If it cannot be read, has another schema version, or contradicts itself.
    """
    stored = read_stored(path, REMEDY)
    refuse(f"{path} cannot be merged", contradictions(stored), REMEDY)
    header = {field.name: stored.plain[field.name] for field in fields(Header)}
    records = {condition: stored.record(condition) for condition in stored.conditions}
    return Part(str(path), Header.from_dict(header), records, tuple(stored.plain["narrowed"]))
