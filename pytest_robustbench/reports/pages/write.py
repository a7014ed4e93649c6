"""What people read, beside the JSON: ``report.html``, ``summary.md`` and ``conditions.csv``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.file.writing import write_atomically
from pytest_robustbench.reports.pages.conditions_csv import conditions_csv
from pytest_robustbench.reports.pages.html.templates import missing_packages, needed
from pytest_robustbench.reports.pages.summary_markdown import summary_markdown
from pytest_robustbench.reports.pages.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_robustbench.reports.pages.source import Source, Unreported

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
    hints : tuple of str
        What could not be done, and the remedy: no ``report.html`` without its extra.
    """

    paths: tuple[Path, ...]
    hints: tuple[str, ...] = ()


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
    forget_pages(folder)
    markdown = _in_unicode(summary_markdown(sources, unreported))
    write_atomically(folder / MARKDOWN, markdown)
    write_atomically(folder / CSV, _in_unicode(conditions_csv(sources, unreported)))
    paths: tuple[Path, ...] = (folder / MARKDOWN, folder / CSV)
    hints = _append_step_summary(markdown, environ)
    if html and not missing_packages():
        from pytest_robustbench.reports.pages.html.page import write_page

        write_page(sources, folder / HTML, start=start, unreported=unreported)
        paths = (folder / HTML, *paths)
    elif html:  # the pictures are kept: `report` renders the page where the extra is installed
        hints += (f"no {HTML}: {needed(missing_packages())}",)
    if html:
        _forget_old_pictures(sources)
    return Pages(paths, hints)


def _forget_old_pictures(sources: Sequence[Source]) -> None:
    """Remove pictures that no page of these reports shows."""
    from pytest_robustbench.reports.pages.html.gallery import thumbnail_names

    for source in sources:
        Thumbnails(source.path).keep_only(thumbnail_names(source))


def forget_pages(folder: Path) -> None:
    """Remove the pages of an earlier run.

    Raises
    ------
    ReportError
        If one cannot be removed.
    """
    try:
        for name in PAGES:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"cannot remove {error.filename} of an earlier run: {error.strerror or error}"
        ) from error


def _in_unicode(text: str) -> str:
    """Spell out Python's stand-ins for file names that are no Unicode: UTF-8 has no bytes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _append_step_summary(markdown: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Show the summary where a CI asks for it; return why not, where it cannot be."""
    path = environ.get(STEP_SUMMARY)
    if not path:
        return ()
    try:
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123  (it may be no path at all)
            file.write(markdown + "\n")
    except OSError as error:
        return (f"the file that {STEP_SUMMARY} names cannot be written: {error.strerror or error}",)
    return ()
