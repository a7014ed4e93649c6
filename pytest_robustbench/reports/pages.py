"""What people read, beside the JSON: ``report.html``, ``summary.md`` and ``conditions.csv``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.conditions_csv import conditions_csv
from pytest_robustbench.reports.html.templates import missing_packages, needed
from pytest_robustbench.reports.summary_markdown import summary_markdown
from pytest_robustbench.reports.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_robustbench.reports.source import Source, Unreported

HTML, MARKDOWN, CSV = PAGES = ("report.html", "summary.md", "conditions.csv")
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""GitHub Actions shows what a step appends to the file of this name."""


@dataclass(frozen=True)
class Pages:
    """What was written.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    hint : str
        Why there is no ``report.html``, and the remedy; empty where there is, or is not to be.
    """

    paths: tuple[Path, ...]
    hint: str = ""


def write_pages(
    sources: Sequence[Source],
    folder: Path,
    *,
    html: bool,
    start: Path,
    unreported: Sequence[Unreported] = (),
    environ: Mapping[str, str] = os.environ,
) -> Pages:
    """Write every page about the benchmarks of one run.

    Parameters
    ----------
    sources : sequence of Source
        Their reports; those of an earlier run are no part of it.
    folder : Path
        Where the pages go; older ones are replaced, or removed.
    html : bool
        Whether ``report.html`` is wanted.
    start : Path
        Folder in which commands are going to be called.
    unreported : sequence of Unreported
        Benchmarks of the run without a report.
    environ : mapping
        The environment: a CI that shows Markdown is given it.

    Raises
    ------
    ReportError
        If a file cannot be written.
    """
    markdown = _in_unicode(summary_markdown(sources, unreported))
    write_atomically(folder / MARKDOWN, markdown)
    write_atomically(folder / CSV, _in_unicode(conditions_csv(sources)))
    _append_step_summary(markdown, environ)
    paths = (folder / MARKDOWN, folder / CSV)
    if not html or missing_packages():
        (folder / HTML).unlink(missing_ok=True)
        return Pages(paths, f"no {HTML}: {needed(missing_packages())}" if html else "")
    from pytest_robustbench.reports.html.page import forget_old_pictures, write_page

    write_page(sources, folder / HTML, start=start, unreported=unreported)
    for source in sources:
        forget_old_pictures(source)
    return Pages((folder / HTML, *paths))


def forget_pages(folder: Path) -> None:
    """Remove the pages of an earlier run.

    Raises
    ------
    OSError
        If one cannot be removed.
    """
    for name in PAGES:
        (folder / name).unlink(missing_ok=True)


def problems_in_session(report: Path, name: str) -> tuple[str, ...]:
    """Return which verdicts of a run failed, as far as session.json beside a report tells.

    Parameters
    ----------
    report : Path
        The report of a benchmark.
    name : str
        The benchmark's.
    """
    try:
        session = json.loads((report.parent / "session.json").read_text(encoding="utf-8"))
        found = session["benchmarks"][name]
        is_of_it = found["sha256"] == sha256(report.read_bytes()).hexdigest()
        failed = [item for item, outcome in found["outcomes"].items() if outcome == "failed"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()  # no session, or that of something else
    told = [item for item in failed if item != "summary"]  # its limits stand in the report
    return tuple(f"[{name}-{item}] failed in the run" for item in told) if is_of_it else ()


def _in_unicode(text: str) -> str:
    """Spell out Python's stand-ins for file names that are no Unicode: UTF-8 has no bytes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _append_step_summary(markdown: str, environ: Mapping[str, str]) -> None:
    path = environ.get(STEP_SUMMARY)
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123  (it may be no path at all)
            file.write(markdown + "\n")
    except OSError as error:
        message = f"cannot write the file that {STEP_SUMMARY} names: {error.strerror or error}"
        raise ReportError(message) from error
