"""The reports of one command against their baselines."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_robustbench.errors import RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.reports.compare.regression import Judged, Match
    from pytest_robustbench.reports.file.report import Report


@dataclass(frozen=True)
class Compared:
    """What came of the comparison of one benchmark.

    Parameters
    ----------
    report : Report
        The report, now with its comparisons.
    holds : bool
        Whether nothing regressed; what the images cannot tell holds unless the YAML says
        ``inconclusive: fail``.
    """

    report: Report
    holds: bool


def compare_with_baselines(
    config: RobustnessConfig, reports: Mapping[str, Report]
) -> dict[str, Compared]:
    """Hold reports against their baselines, all together: their limits are one family.

    Parameters
    ----------
    config : RobustnessConfig
        What the YAML declares.
    reports : mapping of str to Report
        By the name of the benchmark.

    Returns
    -------
    dict of str to Compared
        Only of the benchmarks that declare a comparison. Why one does not pass is told on standard
        error.
    """
    due = [b for b in config.benchmarks if b.name in reports and b.regression is not None]
    if not due:
        return {}
    from pytest_robustbench.reports.compare.regression import judge_matches

    with TemporaryDirectory() as folder:
        matches = [
            match
            for declaration in due
            for match in _matches(declaration, config, reports[declaration.name], Path(folder))
        ]
        judged = judge_matches(matches)
    return {b.name: _compared(b, reports[b.name], judged) for b in due}


def _matches(
    declaration: BenchmarkDeclaration, config: RobustnessConfig, report: Report, folder: Path
) -> Sequence[Match]:
    from pytest_robustbench.config.matches import matches_of

    path = folder / f"{declaration.name}.json"
    try:
        report.write(path)
        return matches_of(declaration, config.folder, path)
    except RobustbenchError as error:  # the others are compared all the same
        sys.stderr.write(f"{declaration.name}: not compared: {error}\n")
        return ()


def _compared(
    declaration: BenchmarkDeclaration, report: Report, judged: Sequence[Judged]
) -> Compared:
    from pytest_robustbench.reports.compare.regression_record import regression_record
    from pytest_robustbench.reports.pages.comparison_text import explanation

    own = [one for one in judged if one.match.benchmark == declaration.name]
    for one in own:
        sys.stderr.write("\n".join(explanation(one)) + "\n")
    tolerated = {"pass"}
    if declaration.regression is not None and declaration.regression.inconclusive == "skip":
        tolerated.add("inconclusive")
    holds = bool(own) and all(one.outcome in tolerated for one in own)
    return Compared(replace(report, regression=tuple(map(regression_record, own))), holds)
