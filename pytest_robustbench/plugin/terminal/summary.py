"""What a run writes beside its items: the header line, and the summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.naming import relative
from pytest_robustbench.plugin.options import SETTINGS
from pytest_robustbench.plugin.results.course import RESULTS

if TYPE_CHECKING:
    import pytest

    from pytest_robustbench.reports.pages.write import Pages


def header(config: pytest.Config) -> str | None:
    """Return the header line, or ``None`` where no configuration is found."""
    settings = config.stash[SETTINGS]
    if settings.config is None:
        return None
    path = relative(settings.config, settings.start)
    profile = f", profile {settings.profile}" if settings.profile else ""
    return f"robustness: {path}{profile}"


def summary(reporter: pytest.TerminalReporter) -> None:
    """Write every benchmark's table, notes and report path; nothing without robustness items."""
    results = reporter.config.stash.get(RESULTS, None)
    if results is None or not results.benchmarks:
        return
    from pytest_robustbench.plugin.terminal.overview import write_benchmark

    reporter.section("robustness")
    for one in results.benchmarks.values():
        write_benchmark(reporter, one)
    for name in results.read_declared().benchmarks:
        if name not in results.benchmarks:
            text = f"{name}: NOT JUDGED, deselected"
            reporter.write_line(text, yellow=True, bold=True)
    if results.pages is not None:
        _write_pages(reporter, results.pages)
    if results.write_error:
        reporter.write_line(results.write_error, red=True, bold=True)


def _write_pages(reporter: pytest.TerminalReporter, pages: Pages) -> None:
    """Say where the pages are, or what keeps one from being written."""
    start = reporter.config.stash[SETTINGS].start
    reporter.write_line(pages.told(relative(pages.paths[0], start)))
    for hint in pages.hints:
        reporter.write_line(hint, yellow=True)
