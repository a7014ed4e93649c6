"""What a run writes once everything has run: reports, the pages beside them, session.json."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_robustbench.errors import ReportError, message_for_user
from pytest_robustbench.plain_json import read_object
from pytest_robustbench.plugin.results.aggregate_items import aggregates, problems_of
from pytest_robustbench.reports.file.earlier import SESSION_FILE, forget_session
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.file.session import (
    Unreported,
    report_digest,
    verdict_counts,
    write_session,
)
from pytest_robustbench.reports.file.stored import StoredReport
from pytest_robustbench.reports.pages.source import Edition, Source
from pytest_robustbench.reports.pages.thumbnails import Thumbnails
from pytest_robustbench.reports.pages.write import forget_pages, write_pages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from pytest_robustbench.plugin.results.aggregate_items import Aggregate
    from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults
    from pytest_robustbench.plugin.results.run_results import RunResults


def forget_older_reports(run: RunResults, benchmarks: Collection[str]) -> None:
    """Replace older reports by such that hold nothing yet: however this run ends, none is whole.

    Raises
    ------
    ReportError
        If the session.json of an earlier run stays.
    """
    folder = run.settings.report_dir
    for place in {"", *(file.place for file in run.declared.files)}:
        forget_session(folder / place)
    for key in filter(None, benchmarks):
        path = folder / f"{key}.json"
        if not run.settings.resume:
            Thumbnails(path).forget()
        if path.exists():
            with suppress(ReportError):  # the same is going to be told at the end
                conditions = run.declared.benchmark(key).declared_conditions
                Report(run.header_of(key), conditions, {}).write(path)
        run.left[key] = report_digest(path) if path.exists() else None
    with suppress(ReportError):  # what stays in the way is told at the end
        forget_pages(folder, benchmarks)


def write_report(run: RunResults, results: BenchmarkResults) -> None:
    """Write what is known, if only that nothing is: no older report stays in its place."""
    key = results.declaration.key
    if results.header is None:
        results.header = run.header_of(key).to_dict()
    path = run.settings.report_dir / f"{key}.json"
    try:
        if results.report_path is None and key in run.left:
            _refuse_others(path, run.left[key])
        results.report().write(path)
        results.report_sha256 = report_digest(path)
    except ReportError as error:
        results.write_error = str(error)
    else:
        results.report_path = path


def _refuse_others(path: Path, left: str | None) -> None:
    """Refuse to replace what another run has measured since this one has begun.

    Raises
    ------
    ReportError
        If there is such a report.
    """
    if not path.exists() or report_digest(path) == left:
        return
    try:
        other = StoredReport(read_object(path), path)
        measured = other.name == path.stem and bool(other.records)
    except (ValueError, LookupError, TypeError, AttributeError):  # whatever it is, it is no report
        return
    if measured:
        raise ReportError(
            f"{path} was written by another run while this one was going: it stays, and what this "
            "one has measured is in its journal (--robustness-resume takes it over); give runs "
            "that go at the same time their own --robustness-report-dir"
        )


def write_run_pages(run: RunResults) -> None:
    """Write the pages about every benchmark of the YAML, as far as its report could be written.

    Raises
    ------
    ReportError
        If a page cannot be written, whatever the reason: the reports themselves are there.
    """
    sources = [
        Source(results.report().to_dict(), results.report_path, tuple(problems_of(results)))
        for results in run.benchmarks.values()
        if results.report_path is not None
    ]
    settings = run.settings
    edition = Edition(sources, settings.start, tuple(_unreported(run)))
    try:
        run.pages = write_pages(edition, settings.report_dir, html=settings.html)
    except Exception as error:
        problem = message_for_user(error)
        raise ReportError(f"the pages of this run cannot be written: {problem}") from error


def _unreported(run: RunResults) -> Iterator[Unreported]:
    for name, results in run.benchmarks.items():
        if results.report_path is None:
            yield Unreported(name, results.write_error or "there is no report")
    for name in run.declared.benchmarks:
        if name not in run.benchmarks:
            yield Unreported(name, "Deselected: this run says nothing about it.", failed=False)


def write_session_files(run: RunResults, exitstatus: int) -> None:
    """Write every declared benchmark with its verdicts, files and hashes, selected or not.

    Of several configurations each has a file of its own beside its reports, and the first one, of
    the whole session, tells of all.

    Raises
    ------
    ReportError
        If one cannot be written.
    """
    folder, known = run.settings.report_dir, run.declared.benchmarks
    if (folder / SESSION_FILE).exists():  # it was removed when this run began
        run.replaced = (
            f"another run has ended in {folder.name} meanwhile: {SESSION_FILE} and the pages speak "
            "of this run alone now; give runs that go at the same time their own "
            "--robustness-report-dir"
        )
    session = {"exit_status": exitstatus, "problem": "\n".join(run.problems) or None}
    told = {key: _told(run, key) for key in known}
    for place in {one.place for one in known.values()} - {""}:
        own = {one.name: told[key] for key, one in known.items() if one.place == place}
        write_session(folder / place, {**session, "benchmarks": own})
    for key, one in known.items():
        if one.place and told[key]["report"]:
            told[key] = {**told[key], "report": f"{key}.json"}
    write_session(folder, {**session, "benchmarks": told})


def _told(run: RunResults, key: str) -> dict[str, Any]:
    if key in run.benchmarks:
        return _benchmark(run.benchmarks[key])
    return _deselected([c.id for c in run.declared.benchmarks[key].declared_conditions])


def _benchmark(results: BenchmarkResults) -> dict[str, Any]:
    path, found = results.report_path, tuple(aggregates(results))
    return {
        "complete": results.report().complete,
        "missing": list(results.missing),
        "deselected": list(results.deselected),
        "outcomes": {a.name: a.outcome for a in found},
        "problems": list(problems_of(results)),
        "regression": _regression(found, results),
        "verdicts": verdict_counts(results.all_verdicts),
        "report": path.name if path else None,
        "sha256": results.report_sha256,
    }


def _deselected(conditions: list[str]) -> dict[str, Any]:
    return {
        "complete": False,
        "missing": [],
        "deselected": conditions,
        "outcomes": {},
        "problems": [],
        "regression": None,
        "verdicts": verdict_counts(()),
        "report": None,
        "sha256": None,
    }


def _regression(
    found: Sequence[Aggregate], results: BenchmarkResults
) -> dict[str, str | None] | None:
    """Return what the comparison came to: as an outcome of pytest, much is the same `skipped`."""
    came_to = next((a.came_to for a in found if a.name == "regression"), None)
    if came_to is None:
        return None
    held = [one.match.baseline.name for one in results.judged if one.match.role == "baseline"]
    updated = results.updated_baseline
    names = [*held, *([updated.name] if updated else [])]
    return {"outcome": came_to, "baseline": names[0] if names else None}
