"""The pages that a command writes beside its reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.telling import tell
from pytest_robustbench.reports.pages.formats import FORMATS

if TYPE_CHECKING:
    from argparse import ArgumentParser, _ArgumentGroup
    from collections.abc import Iterable, Sequence

    from pytest_robustbench.cli.outcomes import BenchmarkOutcome
    from pytest_robustbench.reports.file.report import Report
    from pytest_robustbench.reports.pages.source import Source


def add_html_flag(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Declare what leaves the HTML out."""
    left_out = " and ".join(one.file for one in FORMATS if one.may_be_left_out)
    parser.add_argument("--no-html", dest="html", action="store_false", help=f"write no {left_out}")


def forget_older(folder: Path, names: Iterable[str]) -> None:
    """Remove the pages and pictures of an earlier run: however this one ends, none is left.

    Raises
    ------
    ReportError
        If one cannot be removed.
    """
    from pytest_robustbench.reports.pages.thumbnails import Thumbnails
    from pytest_robustbench.reports.pages.write import forget_pages

    forgotten = tuple(names)
    forget_pages(folder, forgotten)
    for name in forgotten:
        Thumbnails(folder / f"{name}.json").forget()


def write_pages_of(outcomes: Sequence[BenchmarkOutcome], folder: Path, *, html: bool) -> None:
    """Write the pages about all benchmarks of a command, and say where they are.

    Parameters
    ----------
    outcomes : sequence of BenchmarkOutcome
        What became of each; those without a report are named.
    folder : Path
        Where the reports are.
    html : bool
        Whether ``report.html`` is wanted.

    Raises
    ------
    ReportError
        If a page cannot be written.
    """
    from pytest_robustbench.reports.file.session import Unreported
    from pytest_robustbench.reports.pages.source import Edition
    from pytest_robustbench.reports.pages.write import write_pages

    sources = [_source(one, one.report, folder) for one in outcomes if one.report is not None]
    absent = [Unreported(one.name, one.why) for one in outcomes if one.report is None]
    pages = write_pages(Edition(sources, Path.cwd(), absent), folder, html=html)
    for line in (pages.told(str(pages.paths[0])), *pages.hints):
        tell(line)


def _source(outcome: BenchmarkOutcome, report: Report, folder: Path) -> Source:
    """Return a report as the page shows it: never as a pass where the command failed."""
    from pytest_robustbench.cli.outcomes import PASSED
    from pytest_robustbench.reports.pages.overall import overall
    from pytest_robustbench.reports.pages.source import Source

    source = Source(report.to_dict(), folder / f"{outcome.name}.json")
    if outcome.code == PASSED or overall(source).word in ("FAIL", "INCOMPLETE"):
        return source
    return replace(source, problems=(f"the command failed with exit code {outcome.code}",))
