"""What a run writes beside its items: the header line, and the summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.plugin.paths import relative
from pytest_robustbench.plugin.run import accounts_of
from pytest_robustbench.plugin.stash import LEDGER, SESSION, SETTINGS

if TYPE_CHECKING:
    import pytest


def header(config: pytest.Config) -> str | None:
    """Return the header line, or ``None`` where no configuration is found."""
    settings = config.stash[SETTINGS]
    if settings.config is None:
        return None
    path = relative(settings.config, config.invocation_params.dir)
    profile = f", profile {settings.profile}" if settings.profile else ""
    return f"robustness: {path}{profile}"


def summary(reporter: pytest.TerminalReporter) -> None:
    """Write every benchmark's table, notes and report path; nothing without robustness items."""
    config = reporter.config
    accounts = accounts_of(config)
    if not accounts:
        return
    from pytest_robustbench.plugin.terminal.overview import write_benchmark, write_unselected

    reporter.section("robustness")
    for account in accounts:
        write_benchmark(reporter, account)
    selected = {account.declaration.name for account in accounts}
    write_unselected(reporter, [n for n in config.stash[SESSION].declarations if n not in selected])
    _tell_pages(reporter)
    problem = config.stash[LEDGER].write_error
    if problem:
        reporter.write_line(problem, red=True, bold=True)


def _tell_pages(reporter: pytest.TerminalReporter) -> None:
    """Say where the pages are, or what keeps one from being written."""
    pages, start = reporter.config.stash[LEDGER].pages, reporter.config.invocation_params.dir
    if pages is None:
        return
    reporter.write_line(pages.told(relative(pages.paths[0], start)))
    for hint in pages.hints:
        reporter.write_line(hint, yellow=True)
