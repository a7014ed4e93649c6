"""session.json of a command that measured or merged: what `verdict` holds its reports to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.cli.outcomes import BenchmarkOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.reports.file.report import Report


def write_session_of(
    declared: Iterable[BenchmarkDeclaration],
    outcomes: Sequence[BenchmarkOutcome],
    folder: Path,
    code: int,
) -> None:
    """Write what became of every declared benchmark; the last thing that a command writes.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    from pytest_robustbench.reports.file.session import write_session

    known = {one.name: one for one in outcomes}
    records = {b.key: _benchmark(b, known[b.key], folder) for b in declared}
    write_session(folder, {"exit_status": code, "problem": None, "benchmarks": records})


def _benchmark(
    declaration: BenchmarkDeclaration, outcome: BenchmarkOutcome, folder: Path
) -> dict[str, Any]:
    from pytest_robustbench.reports.file.session import report_digest, verdict_counts

    report, path = outcome.report, folder / f"{outcome.name}.json"
    compared = _compared(outcome) if declaration.regression else None
    items = {
        "summary": _summary(report) if declaration.summary_limits else None,
        "complete": "passed" if report and report.complete else "failed",
        "regression": _as_item(compared["outcome"], declaration) if compared else None,
    }
    return {
        "complete": bool(report and report.complete),
        "missing": [c for c in report.missing if c not in report.records] if report else [],
        "deselected": [],
        "outcomes": {name: found for name, found in items.items() if found},
        "problems": [outcome.why] if outcome.why else [],
        "regression": compared,
        "verdicts": verdict_counts(report.verdicts if report else ()),
        "report": f"{outcome.name}.json" if report else None,
        "sha256": report_digest(path) if report else None,
    }


def _summary(report: Report | None) -> str:
    from pytest_robustbench.gates.limits import SUMMARY

    judged = [v for v in report.verdicts if v.condition == SUMMARY] if report else []
    if not judged:
        return "skipped"
    if any(verdict.violated for verdict in judged):
        return "failed"
    if any(verdict.waived for verdict in judged):
        return "xfailed"
    return "skipped" if any(verdict.open for verdict in judged) else "passed"


def _compared(outcome: BenchmarkOutcome) -> dict[str, Any]:
    """Return what the comparison came to, where one is declared."""
    from pytest_robustbench.gates.regression.verdicts import WORST_FIRST

    records = outcome.report.regression if outcome.report else ()
    found = {record["outcome"] for record in records}
    baselines = [r["baseline"] for r in records if r["role"] == "baseline"]
    worst = next((one for one in WORST_FIRST if one in found), _why_not_compared(outcome))
    return {"outcome": worst, "baseline": baselines[0] if baselines else None}


def _why_not_compared(outcome: BenchmarkOutcome) -> str:
    """Return the word for no comparison: one that was refused, or that nobody tried."""
    report = outcome.report
    fails_of_it = report and outcome.code > BenchmarkOutcome.of(report).code
    return "error" if fails_of_it else "not_judged"


def _as_item(came_to: str, declaration: BenchmarkDeclaration) -> str:
    tolerated = {"not_judged"}
    if declaration.regression is not None and declaration.regression.inconclusive == "skip":
        tolerated.add("inconclusive")
    if came_to == "pass":
        return "passed"
    return "skipped" if came_to in tolerated else "failed"
