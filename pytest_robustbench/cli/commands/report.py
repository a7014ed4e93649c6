"""``pytest-robustbench report``: ``report.html`` again, from JSON reports alone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.files import check_writable, put_out, reports_of
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.reports.pages.formats import HTML

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from pytest_robustbench.reports.file.session import Unreported
    from pytest_robustbench.reports.file.stored import StoredReport
    from pytest_robustbench.reports.pages.source import Source

REMEDY = "name a report as it was written, or measure again"
SHOWN_CONTRADICTIONS = 3


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "reports",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="JSON report, or folder of reports; pictures are shown where they lie beside it",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help=f"write the page here (default: {HTML.file} beside the first report)",
    )


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.reports.pages.source import Edition

    paths = [path for place in arguments.reports for path in _reports_at(place)]
    absent = [one for place in arguments.reports for one in _unreported_at(place)]
    output = arguments.output or paths[0].parent / HTML.file
    if output.suffix.lower() == ".json":
        raise ConfigError(
            f"--output {output} would be a page under the name of a report: name an .html"
        )
    check_writable("--output", output, output.parent)
    edition = Edition([_source(path) for path in paths], Path.cwd(), absent)
    put_out(HTML.text(edition), output, "page")
    return 0


def _reports_at(place: Path) -> list[Path]:
    """Return the reports of a folder, and those that its session has put into folders below."""
    from pytest_robustbench.reports.file.session import SessionFile
    from pytest_robustbench.reports.merge.parts import reports_in

    if not place.is_dir():
        return [place]
    told = (found.report for found in SessionFile(place).benchmarks.values())
    lower = [place / report for report in told if report and "/" in report]
    own = reports_in(place) if lower else reports_of(place)
    return [*own, *lower]


def _unreported_at(place: Path) -> Iterator[Unreported]:
    """Yield the benchmarks that the run of a folder was about, and that have no report."""
    from pytest_robustbench.reports.file.session import SessionFile

    if place.is_dir():
        yield from SessionFile(place).unreported()


def _source(path: Path) -> Source:
    from pytest_robustbench.reports.file.integrity import misfits, refuse
    from pytest_robustbench.reports.file.stored import read_stored
    from pytest_robustbench.reports.pages.source import Source

    stored = read_stored(path, REMEDY)
    refuse(f"{path} cannot be shown", misfits(stored), REMEDY)
    return Source(stored.plain, path, tuple(_problems(stored)))


def _problems(stored: StoredReport) -> Iterator[str]:
    """Yield what speaks against a report, and does not stand in it."""
    from pytest_robustbench.reports.file.integrity import contradictions
    from pytest_robustbench.reports.file.session import SessionFile

    for problem in islice(contradictions(stored), SHOWN_CONTRADICTIONS):
        yield f"the file contradicts itself: {problem}"
    yield from SessionFile(stored.path.parent).problems_of(stored.path, stored.name)
