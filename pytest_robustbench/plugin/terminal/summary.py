"""What a run writes beside its items: the header line, and the summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench import opencv
from pytest_robustbench.display import displayed
from pytest_robustbench.naming import relative
from pytest_robustbench.plugin.declared import declared_of
from pytest_robustbench.plugin.items import item_ref
from pytest_robustbench.plugin.options import SETTINGS
from pytest_robustbench.plugin.results.course import RESULTS, UNUSED
from pytest_robustbench.plugin.terminal.lines import Lines
from pytest_robustbench.plugin.workers.role import is_controller

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.plugin.results.run_results import RunResults
    from pytest_robustbench.reports.pages.write import Pages

INCONCLUSIVE = "inconclusive"


def header(config: pytest.Config) -> str | None:
    """Return the header line, or ``None`` where no configuration is found."""
    settings, declared = config.stash[SETTINGS], declared_of(config)
    paths = declared.reach if is_controller(config) else declared.asked
    if not paths:
        return None
    shown = ", ".join(relative(path, settings.start) for path in paths)
    profile = f", profile {settings.profile}" if settings.profile else ""
    return displayed(f"robustness: {shown}{profile}")


def collected(config: pytest.Config, items: Iterable[pytest.Item]) -> list[str]:
    """Return which files decide for which modules, where the header could not tell."""
    settings, declared = config.stash[SETTINGS], declared_of(config)
    paths = [file.path for file in declared.files if file.path is not None]
    if set(paths) <= set(declared.asked) and len(paths) < 2:
        return []
    modules: dict[Path, dict[Path, None]] = {path: {} for path in paths}
    for item in items:
        if item_ref(item) is not None:
            path = declared.path_for(item.path.parent)
            if path in modules:
                modules[path][item.path] = None
    shown = {
        relative(path, settings.start): [relative(each, settings.start) for each in of]
        for path, of in modules.items()
    }
    return [
        displayed(f"robustness: {path} decides for {', '.join(of) or 'nothing that is selected'}")
        for path, of in shown.items()
    ]


def summary(terminal: pytest.TerminalReporter) -> None:
    """Write every benchmark's table, notes and report path; nothing without robustness items."""
    reporter = Lines(terminal)
    _benchmarks(reporter)
    _count_inconclusive(terminal)
    for line in reporter.config.stash.get(UNUSED, []):
        reporter.write_line(line, red=True, bold=True)


def _count_inconclusive(terminal: pytest.TerminalReporter) -> None:
    """Have pytest's last line count what the test images could not tell, beside what it skipped."""
    results = terminal.config.stash.get(RESULTS, None)
    if results is None or not any(one.judged for one in results.benchmarks.values()):
        return
    from pytest_robustbench.reports.compare.regression import overall_outcome

    found = [
        one
        for one in results.benchmarks.values()
        if one.judged and overall_outcome(one.judged) == "inconclusive"
    ]
    if found:
        terminal.stats.setdefault(INCONCLUSIVE, []).extend(found)


def _benchmarks(reporter: Lines) -> None:
    results = reporter.config.stash.get(RESULTS, None)
    if results is None or not results.benchmarks:
        return
    from pytest_robustbench.plugin.terminal.overview import write_benchmark

    reporter.section("robustness")
    for one in results.benchmarks.values():
        write_benchmark(reporter, one, _title(results, one.declaration))
    for name in results.declared.benchmarks:
        if name not in results.benchmarks:
            text = f"{name}: NOT JUDGED, deselected"
            reporter.write_line(text, yellow=True, bold=True)
    if told := opencv.shared():
        reporter.write_line(told, yellow=True)
    if results.pages is not None:
        _write_pages(reporter, results.pages)
    if results.replaced:
        reporter.write_line(results.replaced, yellow=True)
    if results.write_error:
        reporter.write_line(results.write_error, red=True, bold=True)


def _title(results: RunResults, declaration: BenchmarkDeclaration) -> str:
    """Return how a benchmark is called, with its file where several decide."""
    if len(results.declared.files) < 2:
        return declaration.key
    path = results.declared.file_of(declaration.key).path
    assert path is not None, "a declared benchmark stands in a file"
    return f"{declaration.key} ({relative(path, results.settings.start)})"


def _write_pages(reporter: Lines, pages: Pages) -> None:
    """Say where the pages are, or what keeps one from being written."""
    start = reporter.config.stash[SETTINGS].start
    reporter.write_line(pages.told(relative(pages.paths[0], start)))
    for hint in pages.hints:
        reporter.write_line(hint, yellow=True)
