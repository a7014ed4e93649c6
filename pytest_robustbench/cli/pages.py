"""The pages that a command writes beside its reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError

if TYPE_CHECKING:
    from argparse import ArgumentParser, _ArgumentGroup
    from collections.abc import Sequence

    from pytest_robustbench.cli.outcomes import BenchmarkOutcome


def add_html_flag(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Declare what leaves the HTML out."""
    parser.add_argument("--no-html", dest="html", action="store_false", help="write no report.html")


def pages_are_rendered(*, wanted: bool) -> bool:
    """Return whether ``report.html`` is wanted, and can be written here."""
    from pytest_robustbench.reports.html.templates import missing_packages

    return wanted and not missing_packages()


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
    from pytest_robustbench.reports.pages import write_pages
    from pytest_robustbench.reports.source import Source, Unreported

    sources = [
        Source(one.report.to_dict(), folder / f"{one.name}.json")
        for one in outcomes
        if one.report is not None
    ]
    absent = [Unreported(one.name, one.why) for one in outcomes if one.report is None]
    try:
        pages = write_pages(sources, folder, html=html, start=Path.cwd(), unreported=absent)
    except OSError as error:
        message = f"cannot write the pages in {folder}: {error.strerror or error}"
        raise ReportError(message) from error
    first, *others = pages.paths
    sys.stderr.write(f"page: {first} (beside it {' and '.join(p.name for p in others)})\n")
    if pages.hint:
        sys.stderr.write(f"{pages.hint}\n")
