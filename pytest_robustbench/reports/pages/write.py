"""Writes what people read beside the JSON reports, in every format."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.pages.formats import FORMATS
from pytest_robustbench.reports.pages.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_robustbench.reports.pages.source import Edition


@dataclass(frozen=True)
class Pages:
    """What was written.

    Parameters
    ----------
    paths : tuple of Path
        The files; at least one.
    hints : tuple of str
        What could not be done, and the remedy: no ``report.html`` without its extra.
    """

    paths: tuple[Path, ...]
    hints: tuple[str, ...] = ()

    def told(self, first: str) -> str:
        """Return one line that says where they are, the first of them as it is to be shown."""
        others = " and ".join(path.name for path in self.paths[1:])
        return f"page: {first} (beside it {others})" if others else f"page: {first}"


def write_pages(
    edition: Edition, folder: Path, *, html: bool, environ: Mapping[str, str] = os.environ
) -> Pages:
    """Write every format about the benchmarks of one run.

    Parameters
    ----------
    edition : Edition
        Their reports; those of an earlier run are no part of it.
    folder : Path
        Where the files go; older ones are replaced, or removed.
    html : bool
        Whether the formats are wanted that may be left out.
    environ : mapping
        The environment: a CI that shows a format is given it.

    Raises
    ------
    ReportError
        If a file cannot be written.
    """
    forget_pages(folder, edition.benchmarks)
    paths: list[Path] = []
    hints: list[str] = []
    for one in FORMATS:
        if one.may_be_left_out and not html:
            continue
        if one.extra is not None and one.extra.problem:
            # The pictures are kept: `report` renders the page where the extra is installed.
            hints.append(f"no {one.file}: {one.extra.problem}")
            continue
        paths += one.write(edition, folder)
        if environ.get(one.appended_to):
            hints += _append(one.text(edition), one.appended_to, environ)
    if html:
        _forget_old_pictures(edition)
    return Pages(tuple(paths), tuple(hints))


def _forget_old_pictures(edition: Edition) -> None:
    """Remove pictures that no page of these reports shows."""
    from pytest_robustbench.reports.pages.html.gallery import thumbnail_names

    for source in edition.sources:
        Thumbnails(source.path).keep_only(thumbnail_names(source))


def forget_pages(folder: Path, benchmarks: Iterable[str]) -> None:
    """Remove what an earlier run of `benchmarks` has written.

    Raises
    ------
    ReportError
        If a file cannot be removed.
    """
    names = tuple(benchmarks)
    try:
        for name in (name for one in FORMATS for name in one.files(names)):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"cannot remove {error.filename} of an earlier run: {error.strerror or error}"
        ) from error


def _append(text: str, variable: str, environ: Mapping[str, str]) -> list[str]:
    """Show a text where a CI asks for it; return why not, where it cannot be."""
    try:
        # It may be no path at all.
        with open(  # noqa: PTH123
            environ[variable], "a", encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(text + "\n")
    except OSError as error:
        return [f"the file that {variable} names cannot be written: {error.strerror or error}"]
    return []
