"""What one process of a run keeps on disk of what it knows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.plugin.workers.run_context import RunContext
    from pytest_robustbench.reports.file.journal import Entry
    from pytest_robustbench.reports.file.model import Header


class RunJournal:
    """Writes the journal of this process: every benchmark once, then its conditions.

    Parameters
    ----------
    context : RunContext
        Of this process.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._benchmarks: set[str] = set()

    def note_benchmark(
        self,
        declaration: BenchmarkDeclaration,
        header: Header | Mapping[str, Any],
        *,
        fitted: bool = False,
    ) -> None:
        """Write what is known of a benchmark, unless that was tried before.

        Raises
        ------
        ReportError
            If it cannot be written.
        """
        from pytest_robustbench.reports.file.journal import BenchmarkEntry

        if declaration.name in self._benchmarks:
            return
        self._benchmarks.add(declaration.name)
        prepared = {
            "benchmark": declaration.name,
            "header": header,
            "declared": [c.id for c in declaration.declared_conditions],
            "narrowed": list(self._context.settings.narrowing),
            "fitted": fitted,
        }
        self._append(BenchmarkEntry.from_dict(prepared))

    def note_condition(self, **finished: object) -> None:
        """Write the fields of a `ConditionEntry`.

        Raises
        ------
        ReportError
            If it cannot be written.
        """
        from pytest_robustbench.reports.file.journal import ConditionEntry

        self._append(ConditionEntry.from_dict(finished))

    def _append(self, entry: Entry) -> None:
        journal = self._context.journal
        self._context.presence.begin(journal.path)
        journal.append(entry)


class RunJournals:
    """The journals of this process, one for each of several configurations.

    Parameters
    ----------
    context : RunContext
        Of this process.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._journals: dict[str, RunJournal] = {}

    def of(self, place: str) -> RunJournal:
        """Return the journal beside the reports of a configuration."""
        if place not in self._journals:
            self._journals[place] = RunJournal(replace(self._context, place=place))
        return self._journals[place]
