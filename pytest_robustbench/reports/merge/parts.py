"""Reports of shards, and journals of runs that died, as parts that can be merged."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.errors import ReportError
from pytest_robustbench.naming import listed
from pytest_robustbench.plain_json import read_json
from pytest_robustbench.reports.file.earlier import SESSION_FILE
from pytest_robustbench.reports.file.integrity import contradictions, refuse
from pytest_robustbench.reports.file.journal import (
    SUFFIX,
    BenchmarkEntry,
    journal_lines,
    journals_in,
)
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.file.session import RERUN
from pytest_robustbench.reports.file.stored import StoredReport, read_stored
from pytest_robustbench.reports.merge.merging import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

REMEDY = "take the file as its shard wrote it, or run that shard again"


def find_reports(places: Iterable[Path]) -> list[Path]:
    """Return the reports and journals that files and folders name, each once.

    Parameters
    ----------
    places : iterable of Path
        Reports, journals, or folders that hold some at any depth. ``session.json`` is none, and in
        folders neither is JSON of another kind. Journals in a folder count where a report beside
        them is not complete, or there is none, and of those the latest run's.

    Raises
    ------
    ReportError
        If a place does not exist, a folder holds no report, or JSON in it cannot be read.
    """
    found = {path.resolve(): path for place in places for path in _reports_at(place)}
    return list(found.values())


def _reports_at(place: Path) -> Iterator[Path]:
    if not place.exists():
        raise ReportError(f"{place} does not exist: name reports, or folders that hold them")
    if not place.is_dir():
        yield from () if place.name == SESSION_FILE else (place,)
        return
    contents = {path: _content(path) for path in sorted(place.rglob("*.json")) if _may_tell(path)}
    reports = {path: plain for path, plain in contents.items() if _is_report(plain)}
    held = [*reports, *_telling_more(journals_in(place), reports)]
    if not held:
        raise ReportError(
            f"{place} holds no report: name the folder that a shard wrote its reports to"
        )
    yield from held


def reports_in(folder: Path) -> list[Path]:
    """Return the reports that lie in a folder itself, in the order of their names.

    Raises
    ------
    ReportError
        If JSON in it cannot be read.
    """
    found = (path for path in sorted(folder.glob("*.json")) if _may_tell(path))
    return [path for path in found if _is_report(_content(path))]


def _telling_more(
    journals: Sequence[Path], reports: Mapping[Path, Mapping[str, Any]]
) -> Iterator[Path]:
    """Yield the journals of the latest run, where its reports do not tell everything.

    A run writes reports that hold nothing yet when it begins, and whole ones when it ends. What an
    earlier run has measured is another matter, unless the latest has taken it over itself.
    """
    whole = {path.parent for path, plain in reports.items() if plain.get("complete") is True}
    latest: dict[Path, str] = {}
    for path in journals:
        folder = path.parent.parent
        latest[folder] = max(latest.get(folder, ""), path.parent.name)
    for path in journals:
        folder = path.parent.parent
        if path.parent.name == latest[folder] and folder.parent not in whole:
            yield path


def _may_tell(path: Path) -> bool:
    return path.name != SESSION_FILE and RERUN not in path.parts and path.is_file()


def _content(path: Path) -> Any:
    try:
        return read_json(path)
    except ValueError as error:
        # It may be the half of a report: what it held would be lost in silence.
        raise ReportError(
            f"cannot read {path} ({error}): {REMEDY}, or move what is no report elsewhere"
        ) from None


def _is_report(plain: Any) -> bool:
    return isinstance(plain, dict) and "robustness" in plain


def read_parts(path: Path) -> list[Part]:
    """Read the report of a shard, or a journal.

    Parameters
    ----------
    path : Path
        Report of a run, complete or not, or a journal.

    Returns
    -------
    list of Part
        One of a report, one per benchmark of a journal.

    Raises
    ------
    ReportError
        If it cannot be read, has another schema version, or contradicts itself.
    """
    if path.suffix == SUFFIX:
        return list(_journaled(path))
    return [_part(read_stored(path, REMEDY))]


def _part(stored: StoredReport, *, judged: bool = True) -> Part:
    path = stored.path
    trouble = filter(None, [stored.plain.get("trouble")])
    problems = chain(trouble, contradictions(stored, judged=judged))
    refuse(f"{path} cannot be merged", problems, REMEDY)
    narrowed = tuple(stored.plain["narrowed"])
    return Part(str(path), stored.header, stored.everything, narrowed)


def _journaled(path: Path) -> Iterator[Part]:
    """Yield a part for each benchmark of a journal, checked like the report it would have become.

    Raises
    ------
    ReportError
        If the journal cannot be read, was edited, or contradicts itself.
    """
    lines = journal_lines(path)
    refuse(f"{path} cannot be merged", iter(lines.refused), REMEDY)
    remarks = tuple(lines.remarks())
    benchmarks: dict[str, BenchmarkEntry] = {}
    records: dict[str, dict[str, Mapping[str, Any]]] = {}
    for _, entry in lines.entries:
        if isinstance(entry, BenchmarkEntry):
            benchmarks.setdefault(entry.benchmark, entry)
        else:
            records.setdefault(entry.benchmark, {})[entry.condition] = entry.record.to_dict()
    lost = [name for name in records if name not in benchmarks]
    if lost or (lines.broken and not benchmarks):
        what = f"its line about {listed(lost)} is lost" if lost else "no line of it is whole"
        raise ReportError(f"{path} cannot be merged: {what}: {'; '.join(remarks)}; {REMEDY}")
    for name, measured in records.items():
        declared = tuple(map(condition_of, benchmarks[name].declared))
        narrowed = tuple(benchmarks[name].narrowed)
        report = Report(benchmarks[name].header, declared, measured, narrowed=narrowed)
        part = _part(StoredReport(report.to_dict(), path), judged=False)
        yield replace(part, remarks=remarks)
