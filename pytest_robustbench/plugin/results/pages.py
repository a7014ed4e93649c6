"""The pages of a run: what people read, beside the JSON reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plugin.measuring.findings import told
from pytest_robustbench.plugin.results.aggregate_items import problems_of
from pytest_robustbench.reports.pages.source import Edition, Source, Unreported
from pytest_robustbench.reports.pages.write import write_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pytest_robustbench.plugin.results.run_results import Account
    from pytest_robustbench.plugin.settings import Settings
    from pytest_robustbench.reports.pages.write import Pages


def write_pages_of(
    accounts: Sequence[Account], declared: Iterable[str], settings: Settings, start: Path
) -> Pages:
    """Write the pages about every benchmark of the YAML.

    Parameters
    ----------
    accounts : sequence of Account
        Whose reports are written, as far as they could be.
    declared : iterable of str
        Names of all benchmarks.
    settings : Settings
        Options.
    start : Path
        Where pytest was called.

    Raises
    ------
    ReportError
        If a page cannot be written, whatever the reason: the reports themselves are there.
    """
    sources = [
        Source(account.report().to_dict(), account.report_path, tuple(problems_of(account)))
        for account in accounts
        if account.report_path is not None
    ]
    edition = Edition(sources, start, tuple(_unreported(accounts, declared)))
    try:
        return write_pages(edition, settings.report_dir, html=settings.html)
    except Exception as error:
        raise ReportError(f"the pages of this run cannot be written: {told(error)}") from error


def _unreported(accounts: Sequence[Account], declared: Iterable[str]) -> Iterator[Unreported]:
    selected = {account.declaration.name: account for account in accounts}
    for name, account in selected.items():
        if account.report_path is None:
            yield Unreported(name, account.write_error or "there is no report")
    for name in declared:
        if name not in selected:
            yield Unreported(name, "Deselected: this run says nothing about it.", failed=False)
