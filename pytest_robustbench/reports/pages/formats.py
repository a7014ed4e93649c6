"""What people read: one row per format of a report.

A format is a function of one module here and a row of `FORMATS`; whoever writes, replaces, lists or
names the files asks the rows.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_robustbench.importing import import_object
from pytest_robustbench.reports.file.writing import write_atomically
from pytest_robustbench.reports.pages.extras import REPORT, Extra

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_robustbench.reports.pages.source import Edition

HERE = "pytest_robustbench.reports.pages"
BENCHMARK = "{benchmark}"


@dataclass(frozen=True)
class Format:
    """One kind of file beside the JSON reports.

    Parameters
    ----------
    file : str
        Its name. With ``{benchmark}`` in it there is one file per benchmark, without one file is
        about all of them.
    writer : str
        Import path of the function that returns its text, given an `Edition`.
    extra : Extra, optional
        What it needs beyond the core.
    may_be_left_out : bool
        Whether ``--no-html`` and ``robustness_html`` are about it.
    appended_to : str
        Environment variable by which a CI names a file that it shows; empty for none.
    """

    file: str
    writer: str
    extra: Extra | None = None
    may_be_left_out: bool = False
    appended_to: str = ""

    @property
    def is_of_one_benchmark(self) -> bool:
        """Whether each benchmark has a file of its own."""
        return BENCHMARK in self.file

    def files(self, benchmarks: Iterable[str]) -> list[str]:
        """Return the names of the files that a run of `benchmarks` has."""
        if not self.is_of_one_benchmark:
            return [self.file]
        return [self.file.replace(BENCHMARK, name) for name in benchmarks]

    def text(self, edition: Edition) -> str:
        """Return the text of a file.

        Raises
        ------
        ReportError
            If the extra is not installed.
        ImportError
            If the row names no function.
        """
        if self.extra is not None:
            self.extra.require()
        with warnings.catch_warnings():
            # What a drawing library finds old-fashioned in another takes no page away, though a
            # project may have warnings as errors.
            warnings.simplefilter("default")
            try:
                writer = import_object(self.writer)
            except (ImportError, AttributeError) as error:
                raise ImportError(
                    f"{self.file} of FORMATS names {self.writer} as its writer: {error}"
                ) from error
            text: str = writer(edition)
        return text

    def write(self, edition: Edition, folder: Path) -> list[Path]:
        """Write the files of an edition; return where they are.

        Raises
        ------
        ReportError
            If the extra is not installed, or a file cannot be written.
        """
        editions = [edition]
        if self.is_of_one_benchmark:
            editions = [replace(edition, sources=[s], unreported=()) for s in edition.sources]
        paths = [folder / name for name in self.files(s.title for s in edition.sources)]
        for path, one in zip(paths, editions, strict=True):
            write_atomically(path, self.text(one))
        return paths


HTML = Format("report.html", f"{HERE}.html.page:report_html", REPORT, may_be_left_out=True)
FORMATS = (
    HTML,
    Format(
        "summary.md",
        f"{HERE}.summary_markdown:summary_markdown",
        appended_to="GITHUB_STEP_SUMMARY",
    ),
    Format("conditions.csv", f"{HERE}.conditions_csv:conditions_csv"),
)
"""The first of them that a run writes is the one that it names."""
