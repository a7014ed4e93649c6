"""The reports of one command against their baselines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.outcomes import FAILED, BenchmarkOutcome
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.reports.compare.regression import Judged, Match
    from pytest_robustbench.reports.file.report import Report


def with_comparisons(
    configs: Iterable[RobustnessConfig],
    outcomes: Sequence[BenchmarkOutcome],
    reports: Iterable[Report],
) -> list[BenchmarkOutcome]:
    """Hold reports against their baselines, all together: their limits are one family.

    Parameters
    ----------
    configs : iterable of RobustnessConfig
        What each YAML declares.
    outcomes : sequence of BenchmarkOutcome
        What has become of each benchmark so far.
    reports : iterable of Report
        Those of them that are to be compared, where the YAML says so.

    Returns
    -------
    list of BenchmarkOutcome
        In the order given, what was compared with its comparisons in the report: it fails where
        something regressed, or where the images cannot tell under ``inconclusive: fail``. Why one
        does not pass is told on standard error.
    """
    fresh = {report.header.key: report for report in reports}
    declared = {b.key: (b, c.folder) for c in configs for b in c.benchmarks}
    due = {k: b for k, (b, _) in declared.items() if k in fresh and b.regression is not None}
    if not due:
        return list(outcomes)
    from pytest_robustbench.reports.compare.regression import judge_matches

    judged = judge_matches([match for key in due for match in _matches(*declared[key], fresh[key])])
    return [
        _compared(one, due[one.name], fresh[one.name], judged) if one.name in due else one
        for one in outcomes
    ]


def _matches(declaration: BenchmarkDeclaration, folder: Path, report: Report) -> Sequence[Match]:
    from pytest_robustbench.config.matches import matches_of
    from pytest_robustbench.reports.file.stored import StoredReport

    try:
        candidate = StoredReport(report.to_dict(), Path(f"{declaration.key}.json"))
        return matches_of(declaration, folder, candidate)
    except RobustbenchError as error:  # the others are compared all the same
        tell(f"{declaration.key}: not compared: {error}")
        return ()


def _compared(
    before: BenchmarkOutcome,
    declaration: BenchmarkDeclaration,
    report: Report,
    judged: Sequence[Judged],
) -> BenchmarkOutcome:
    from pytest_robustbench.reports.compare.regression_record import regression_record
    from pytest_robustbench.reports.pages.comparison_text import explanation

    own = [one for one in judged if one.match.benchmark == declaration.key]
    for one in own:
        tell("\n".join(explanation(one)))
    tolerated = {"pass"}
    if declaration.regression is not None and declaration.regression.inconclusive == "skip":
        tolerated.add("inconclusive")
    holds = bool(own) and all(one.outcome in tolerated for one in own)
    compared = replace(report, regression=tuple(map(regression_record, own)))
    return replace(before, code=before.code if holds else max(before.code, FAILED), report=compared)
