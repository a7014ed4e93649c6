"""``pytest-robustbench drift``: how good parts after differ from good parts before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.files import check_writable
from pytest_robustbench.cli.telling import answer, tell
from pytest_robustbench.conditions import RESPONSES
from pytest_robustbench.corruptions.names import check_name

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from pytest_robustbench.drift.measuring import Drift
    from pytest_robustbench.reports.drift.model import DriftRecord


NAME = "line_drift"
FILE, PAGE = "drift.json", "drift.html"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    for side in ("before", "after"):
        parser.add_argument(
            f"--{side}",
            type=Path,
            metavar="FOLDER",
            required=True,
            help=f"pictures of good parts {side}, 10 at least, better 30; any parts",
        )
    parser.add_argument(
        "--response",
        choices=RESPONSES,
        default=RESPONSES[0],
        help="what the camera makes of light (default: srgb; machine vision is often linear)",
    )
    parser.add_argument(
        "--name", default=NAME, help=f"what conditions call the drift (default: {NAME})"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"write {FILE}, {PAGE} and the YAML here"
    )


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.drift.measuring import frames_in, measured
    from pytest_robustbench.reports.drift.record import drift_record
    from pytest_robustbench.reports.drift.snippet import snippet
    from pytest_robustbench.reports.drift.words import lines

    check_name(arguments.name)
    if arguments.out is not None:
        check_writable("--out", arguments.out, arguments.out)
    before = frames_in(arguments.before, "before")
    after = frames_in(arguments.after, "after")
    n, m = len(after.samples), len(before.samples)
    tell(f"comparing {n} pictures after with {m} before: mostly less than a minute")
    drift = measured(before, after, arguments.response)
    record = drift_record(drift, arguments.name, (str(arguments.before), str(arguments.after)))
    for line in lines(record, snippet(record)):
        answer(line)
    if arguments.out is not None:
        _write(record, drift, arguments.out)
    return 0


def _write(record: DriftRecord, drift: Drift, folder: Path) -> None:
    from pytest_robustbench.reports.drift.model import write_drift
    from pytest_robustbench.reports.drift.snippet import snippet
    from pytest_robustbench.reports.file.writing import write_atomically
    from pytest_robustbench.reports.pages.extras import REPORT

    write_drift(record, folder / FILE)
    tell(f"wrote {folder / FILE}")
    if record.corruption is not None:
        path = folder / f"{record.name}.yaml"
        write_atomically(path, f"corruptions:\n  - {snippet(record)}\n")
        tell(f"wrote {path}")
    problem = REPORT.problem
    if problem:
        tell(f"no {folder / PAGE}: {problem}")
        return
    from pytest_robustbench.reports.drift.page import drift_page

    write_atomically(folder / PAGE, drift_page(record, drift))
    tell(f"wrote {folder / PAGE}")
