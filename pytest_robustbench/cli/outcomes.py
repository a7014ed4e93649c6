"""What became of the benchmarks of one command, and its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_robustbench.reports.file.report import Report

PASSED, FAILED, USERS_MISTAKE = range(3)


@dataclass(frozen=True)
class BenchmarkOutcome:
    """What became of one benchmark.

    Parameters
    ----------
    name : str
        The benchmark's key.
    code : int
        Exit code, were it the only one.
    report : Report, optional
        ``None`` where there is none to write.
    why : str
        Why there is none.
    """

    name: str
    code: int
    report: Report | None = None
    why: str = ""

    @classmethod
    def of(cls, report: Report) -> BenchmarkOutcome:
        """Return what a report comes to: a condition it lacks fails, as does a violated limit."""
        bad = report.missing or any(verdict.violated for verdict in report.verdicts)
        return cls(report.header.key, FAILED if bad else PASSED, report)


def tried(name: str, work: Callable[[], BenchmarkOutcome], *, alone: bool) -> BenchmarkOutcome:
    """Return what became of a benchmark; one that goes wrong leaves the others intact.

    Raises
    ------
    RobustbenchError
        If it goes wrong, and there are no others.
    """
    try:
        return work()
    except RobustbenchError as error:
        if alone:
            raise
        tell(f"{name}: {error}")
        return BenchmarkOutcome(name, USERS_MISTAKE, why=str(error))
