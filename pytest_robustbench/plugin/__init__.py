"""Every hook of the plugin, as a table of contents; what they do is in the modules beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.plugin import options, parametrize, run
from pytest_robustbench.plugin import terminal as display
from pytest_robustbench.plugin.fixtures import (
    robustness_benchmark,
    robustness_condition,
    robustness_dataset,
    robustness_detector,
    robustness_judge,
    robustness_result,
    robustness_threshold,
)
from pytest_robustbench.plugin.stash import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = [
    "robustness_benchmark",
    "robustness_condition",
    "robustness_dataset",
    "robustness_detector",
    "robustness_judge",
    "robustness_result",
    "robustness_threshold",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini twins."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse bad options before anything runs."""
    config.addinivalue_line("markers", run.MARKER)
    config.stash[SETTINGS] = options.read_settings(config)
    run.refuse_unfitting_options(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which configuration is used, where there is one."""
    return display.header(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item per benchmark and condition for tests that ask for them."""
    if parametrize.BENCHMARK in metafunc.fixturenames:
        parametrize.parametrize(metafunc, run.session_of(metafunc.config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each benchmark's items together, whoever sorted or shuffled before."""
    parametrize.keep_benchmarks_together(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which conditions this run owes a verdict."""
    run.note_selection(session)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Remember which override made a dataset or detector."""
    result = yield
    run.note_override(request.config, fixturedef, result)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what an item found to its last report."""
    report = yield
    run.attach_payload(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Judge over all conditions once everything has run, or was stopped."""
    run.announce_aggregates(session)
    try:
        return (yield)
    finally:
        run.conclude(session)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what the whole session came to."""
    run.finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show every benchmark's table."""
    display.summary(terminalreporter)
