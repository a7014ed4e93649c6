"""session.json, beside the reports of a run: its benchmarks, and what each came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import DIGEST, dumps, is_sealed, read_object, sealed
from pytest_robustbench.reports.file.earlier import SESSION_FILE
from pytest_robustbench.reports.file.model_types import (
    ConditionId,
    Count,
    Distinct,
    Part,
    Sha256,
)
from pytest_robustbench.reports.file.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_robustbench.gates.limits import Verdict

RERUN = "rerun"
"""Folder beside a report for what is measured again: the report itself stays."""
SCHEMA_VERSION = 2
REMEDY = "take the file as the run wrote it, or run again"
Ended = Literal["passed", "failed", "skipped"]


class Outcomes(Part):
    """How the items over all conditions ended; absent where the benchmark has none of the kind."""

    summary: Literal["passed", "failed", "skipped", "xfailed"] | None = Field(
        default=None,
        description="The limits over all conditions; skipped: not judged, or not shown where that "
        "is let pass; xfailed: violated or not shown, and waived.",
    )
    complete: Ended | None = Field(
        default=None,
        description="Whether every selected condition has a verdict; skipped: not judged.",
    )
    regression: Ended | None = Field(
        default=None, description="The comparison with the baseline; skipped: see regression."
    )


class Regression(Part):
    """What the comparison with the baseline came to."""

    outcome: Literal[
        "pass", "regressed", "inconclusive", "error", "baseline_updated", "not_judged"
    ] = Field(description="The worst verdict; error: not comparable, or nothing to compare.")
    baseline: str | None = Field(
        description="File name of the stored report that was compared with, or written; null "
        "where there is none."
    )


class VerdictCounts(Part):
    """Number of judged limits by verdict, the summary's included."""

    passed: Count = Field(alias="pass", description="Limits met.")
    fail: Count = Field(description="Limits violated.")
    error: Count = Field(description="Limits on what could not be measured.")
    not_shown: Count = Field(
        description="Limits met that are not shown at the confidence that is demanded."
    )
    shown: Count = Field(
        description="Those of the limits met that are shown: at the confidence that is demanded, "
        "or at 95 % where none is."
    )


class BenchmarkRecord(Part):
    """What one benchmark came to."""

    complete: bool = Field(
        description="Whether every declared condition was measured on all declared images."
    )
    missing: Distinct[ConditionId] = Field(
        description="Ids of the selected conditions that ended without any finding."
    )
    deselected: Distinct[ConditionId] = Field(
        description="Ids of the declared conditions that were not asked for in this run."
    )
    outcomes: Outcomes
    problems: list[str] = Field(
        description="What failed beyond the limits: what the report does not tell."
    )
    regression: Regression | None = Field(description="Null where no comparison was asked for.")
    verdicts: VerdictCounts
    report: str | None = Field(
        description="File name of the report, in the same folder; null where none was written."
    )
    sha256: Sha256 | None = Field(
        description="SHA-256 of the report file; null where none was written."
    )


class SessionRecord(Part):
    """Which benchmarks one pytest run was about, and what each came to."""

    schema_version: Literal[2] = Field(description="Version of this schema.")
    exit_status: int = Field(description="Exit status of pytest, or of the command that ran.")
    problem: str | None = Field(
        description="Why there are no benchmarks of a YAML, such as a mistake in it, or that no "
        "test is about it; a line each, null otherwise."
    )
    benchmarks: dict[str, BenchmarkRecord] = Field(description="By name: every declared benchmark.")
    content_sha256: Sha256 = Field(
        description="Of everything else, as JSON with sorted keys: an edited file contradicts it."
    )


def write_session(folder: Path, content: Mapping[str, Any]) -> None:
    """Write session.json.

    Parameters
    ----------
    folder : Path
        Where the reports of the run lie.
    content : mapping
        What `SessionRecord` holds beside version and digest.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    plain = sealed({"schema_version": SCHEMA_VERSION, **content})
    SessionRecord.from_dict(plain)
    write_atomically(folder / SESSION_FILE, dumps(plain))


def verdict_counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return what `VerdictCounts` holds."""
    judged = tuple(verdicts)
    outcomes = Counter(verdict.outcome for verdict in judged)
    return {
        **{name: outcomes[name] for name in ("pass", "fail", "error")},
        "not_shown": outcomes["not shown"],
        "shown": sum(verdict.shown for verdict in judged),
    }


def report_digest(path: Path) -> str:
    """Return the SHA-256 by which session.json knows a report.

    Raises
    ------
    ReportError
        If it cannot be read.
    """
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror or error}") from error


@dataclass(frozen=True)
class Unreported:
    """A benchmark of a run that has no report, and must not be forgotten.

    Parameters
    ----------
    name : str
        The benchmark.
    why : str
        Why there is none.
    failed : bool
        Whether one was owed.
    """

    name: str
    why: str
    failed: bool = True

    @property
    def word(self) -> str:
        """Its verdict."""
        return "FAIL" if self.failed else "NOT JUDGED"


@dataclass(frozen=True)
class SessionFile:
    """The session.json of a folder; one that is not there tells nothing.

    Parameters
    ----------
    folder : Path
        Where reports lie.
    """

    folder: Path

    @cached_property
    def record(self) -> SessionRecord | None:
        """What it says; ``None`` where there is none.

        Raises
        ------
        ReportError
            If it is there, and was not written so.
        """
        path = self.folder / SESSION_FILE
        if not path.exists():
            return None
        try:
            plain = read_object(path)
            found = SessionRecord.from_dict(plain)
        except (ValueError, ReportError) as error:
            raise ReportError(f"cannot read {path}: {error}; {REMEDY}") from error
        if not is_sealed(plain):
            raise ReportError(f"{path} was edited: {DIGEST} contradicts its content; {REMEDY}")
        return found

    @property
    def benchmarks(self) -> Mapping[str, BenchmarkRecord]:
        """What it says of each benchmark, by name.

        Raises
        ------
        ReportError
            If it is there, and was not written so.
        """
        return self.record.benchmarks if self.record else {}

    def problems_of(self, report: Path, name: str) -> Iterator[str]:
        """Yield what failed in the run, beyond what its report tells.

        Parameters
        ----------
        report : Path
            The report of a benchmark in this folder.
        name : str
            The benchmark's.
        """
        found = self.benchmarks.get(name)
        if found is None or found.report != report.name:
            return
        if found.sha256 != report_digest(report):
            yield f"{SESSION_FILE} beside it is of another file: this one was changed or replaced"
            return
        yield from found.problems

    def unreported(self) -> Iterator[Unreported]:
        """Yield the benchmarks of the run that have no report."""
        for name, found in self.benchmarks.items():
            if found.report is None:
                failed = "failed" in found.outcomes.to_dict().values()
                why = "It has no report." if failed else "Deselected in the run."
                yield Unreported(name, why, failed=failed)
