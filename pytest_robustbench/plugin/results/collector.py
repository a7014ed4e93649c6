"""From the reports of items to the ledger, in one process or from many."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plugin.results.run_results import Ledger, Place, Terms
from pytest_robustbench.plugin.workers.xdist import SELECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.plugin.settings import Settings
    from pytest_robustbench.plugin.workers.messages import Payload
    from pytest_robustbench.reports.file.journal import Journal


def new_ledger(
    settings: Settings, declarations: Callable[[], Mapping[str, BenchmarkDeclaration]]
) -> Ledger:
    """Return empty books."""
    asked = settings.update_baseline or settings.baseline is not None
    terms = Terms(
        settings.narrowing,
        asked,
        heeds_waivers=not settings.runxfail,
        shard=str(settings.shard or ""),
        resumes=settings.resume,
    )
    return Ledger(declarations, terms)


class Bookkeeper:
    """Reads what items tell.

    Parameters
    ----------
    ledger : Ledger
        Where it is entered.
    report_dir : Path
        Below it pictures are kept: those of workers may come from another machine.
    journal : Journal, optional
        Where what workers found is kept as well: their own may lie on another machine.
    """

    def __init__(self, ledger: Ledger, report_dir: Path, journal: Journal | None = None) -> None:
        self._ledger = ledger
        self._report_dir = report_dir
        self._journal = journal
        self._journaled: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter what is going to run, an item's payload, and whether it failed in the end."""
        from pytest_robustbench.plugin.workers.messages import ATTRIBUTE, Payload

        for plain in json.loads(getattr(report, SELECTION, "[]")):
            self._ledger.select(Place(**{**plain, "location": tuple(plain["location"])}))
        if report.failed:
            self._ledger.note_failure(report.nodeid)
        text = getattr(report, ATTRIBUTE, "")
        if text:
            payload = Payload.loads(text)
            self._keep(payload)
            self._keep_pictures(payload)
            self._ledger.add(payload)

    def _keep(self, payload: Payload) -> None:
        if self._journal is None or payload.record is None:
            return
        try:
            self._append(self._journal, payload)
        except ReportError as error:
            self._ledger.write_error = str(error)

    def _keep_pictures(self, payload: Payload) -> None:
        """Write what report.html is going to show; it says so itself where a picture is missing."""
        if payload.pictures:
            from pytest_robustbench.reports.pages.thumbnails import Thumbnails

            report = self._report_dir / f"{payload.benchmark}.json"
            with suppress(OSError):
                Thumbnails(report).write(payload.thumbnails)

    def _append(self, journal: Journal, payload: Payload) -> None:
        from pytest_robustbench.reports.file.journal import BenchmarkEntry, ConditionEntry

        assert payload.record is not None, "kept only where there is one"
        name = payload.benchmark
        if name not in self._journaled:
            self._journaled.add(name)
            declaration = self._ledger.declarations()[name]
            prepared = {
                "benchmark": name,
                "header": payload.header,
                "declared": [c.id for c in declaration.declared_conditions],
                "narrowed": list(self._ledger.terms.narrowing),
                "fitted": False,
            }
            journal.append(BenchmarkEntry.from_dict(prepared))
        finished = {
            "benchmark": name,
            "condition": payload.condition,
            "key": payload.key,
            "record": payload.record,
            "reused": payload.reused,
            "told": True,
        }
        journal.append(ConditionEntry.from_dict(finished))
