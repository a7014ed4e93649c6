"""Stored reports that can be compared: read, whole, and in agreement with themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.file.fields import records_of
from pytest_robustbench.reports.file.header import sha256_of
from pytest_robustbench.reports.file.integrity import contradictions, incompleteness
from pytest_robustbench.reports.file.report import read_report
from pytest_robustbench.reports.file.structure import structural_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOT_CONTENT = ("accepted", "regression")
"""What is said about a report, and not what was measured."""
SHOWN_PROBLEMS = 3
REMEDY = (
    "restore the file from version control, or measure again with this version of "
    "pytest-robustbench (a new baseline: `pytest-robustbench accept REPORT --reason ...`)"
)
COMPLETE_REMEDY = (
    "measure every declared condition in one run, without narrowing options; or, if the run was "
    "complete, the file has been damaged since: restore it from version control"
)


@dataclass(frozen=True)
class StoredReport:
    """A report that was read from a file.

    Parameters
    ----------
    path : Path
        The file.
    plain : mapping
        The report as plain JSON, in its published schema.
    """

    path: Path
    plain: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return str(self.plain["name"])

    @property
    def conditions(self) -> tuple[str, ...]:
        """Ids of the conditions that were tried: clean, corruptions, recorded sets."""
        return tuple(records_of(self.plain))

    @property
    def content(self) -> dict[str, Any]:
        """What was measured, without what was said about it later."""
        return {key: value for key, value in self.plain.items() if key not in NOT_CONTENT}

    @property
    def digest(self) -> str:
        """SHA-256 of the content, however the file is formatted."""
        return sha256_of(self.content)

    def record(self, condition: str) -> Mapping[str, Any]:
        """Return the record of a condition.

        Raises
        ------
        KeyError
            If the report has no such condition.
        """
        return records_of(self.plain)[condition]

    def samples(self, condition: str) -> Mapping[str, Any]:
        """Return the columns over the images of a condition: a recorded set has its own."""
        own: Mapping[str, Any] | None = self.record(condition).get("samples")
        return own or self.plain["samples"]


def read_comparable(path: Path) -> StoredReport:
    """Read a report that may serve as baseline or as candidate.

    Raises
    ------
    ReportError
        If it cannot be read, has another schema version, is not that of a complete run, or
        contradicts itself: with the path, what is wrong, and the remedy.
    """
    report = read_stored(path, REMEDY)
    refuse(f"{path} cannot be compared", incompleteness(report), COMPLETE_REMEDY)
    refuse(f"{path} cannot be compared", contradictions(report), REMEDY)
    return report


def read_stored(path: Path, remedy: str) -> StoredReport:
    """Read a report, complete or not, whose parts have the types they must have.

    Parameters
    ----------
    path : Path
        The file.
    remedy : str
        What the message tells to do.

    Raises
    ------
    ReportError
        If it cannot be read, has another schema version, or a part of it has no place there.
    """
    try:
        plain = read_report(path)
    except ReportError as error:
        raise ReportError(f"{error}; {remedy}") from error
    except RecursionError:
        raise ReportError(
            f"cannot read the report {path}: it is nested too deeply; {remedy}"
        ) from None
    problem = structural_problem(plain)
    if problem:
        raise ReportError(f"{path} is no whole report: {problem}; {remedy}")
    return StoredReport(path, plain)


def refuse(what: str, problems: Iterator[str], remedy: str) -> None:
    """Raise the first problems in one message: one edit may contradict many things.

    Parameters
    ----------
    what : str
        What cannot be done because of them, and with which file.
    problems : iterator of str
        Nothing is raised where there are none.
    remedy : str
        What would be right.

    Raises
    ------
    ReportError
        If there is a problem.
    """
    shown = list(islice(problems, SHOWN_PROBLEMS))
    if not shown:
        return
    more = " (and more)" if next(problems, None) is not None else ""
    raise ReportError(f"{what}: {'; '.join(shown)}{more}; {remedy}")
