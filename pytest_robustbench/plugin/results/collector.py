"""From the reports of items to the results of the run, in one process or from many."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plugin.messages import FOUND, SELECTED, ItemMessage, Selection

if TYPE_CHECKING:
    import pytest

    from pytest_robustbench.plugin.results.run_results import RunResults
    from pytest_robustbench.plugin.workers.run_journal import RunJournals


class ResultCollector:
    """Reads the messages of items.

    Parameters
    ----------
    results : RunResults
        Where they are collected.
    journals : RunJournals, optional
        Where what workers found is kept as well: their own may lie on another machine.
    """

    def __init__(self, results: RunResults, journals: RunJournals | None = None) -> None:
        self._results = results
        self._journals = journals

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what is going to run, what an item found, and whether it failed in the end."""
        selected = getattr(report, SELECTED, "")
        if selected:
            self._results.select_all(Selection.loads(selected))
        if report.failed:
            self._results.note_failure(report.nodeid)
        text = getattr(report, FOUND, "")
        if text:
            message = ItemMessage.loads(text)
            self._keep(message)
            self._keep_pictures(message)
            self._results.add(message)

    def _keep_pictures(self, message: ItemMessage) -> None:
        """Write what report.html is going to show; it says so itself where a picture is missing.

        Those of workers may come from another machine.
        """
        if message.pictures:
            from pytest_robustbench.reports.pages.thumbnails import Thumbnails

            report = self._results.settings.report_dir / f"{message.benchmark}.json"
            with suppress(OSError):
                Thumbnails(report).write(message.thumbnails)

    def _keep(self, message: ItemMessage) -> None:
        if self._journals is None or message.record is None:
            return
        declaration = self._results.declared.benchmark(message.benchmark)
        journal = self._journals.of(declaration.place)
        try:
            journal.note_benchmark(declaration, message.header)
            journal.note_condition(
                benchmark=declaration.name,
                condition=message.condition,
                key=message.key,
                record=message.record,
                reused=message.reused,
                told=True,
            )
        except ReportError as error:
            self._results.write_error = str(error)
