"""The hooks of a run that robustness concerns, as a table of contents.

They join a run where an option is given, a ``robustness.yaml`` is there, or a test asks for a
benchmark; a plain run never loads this module. They join after a project's own conftest files, and
so ask to be called last, as plugins that came first are: the last word on the exit status is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.plugin.parametrize import keep_benchmarks_together
from pytest_robustbench.plugin.run import (
    announce_aggregates,
    attach_payload,
    conclude,
    finish,
    keep_shard,
    lead_workers,
    note_override,
    note_selection,
    refuse_unfitting_options,
)
from pytest_robustbench.plugin.settings import read_settings
from pytest_robustbench.plugin.stash import SETTINGS
from pytest_robustbench.plugin.terminal.summary import header, summary

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_configure(config: pytest.Config) -> None:
    """Refuse bad options before anything runs, and expect workers where there will be some."""
    config.stash[SETTINGS] = read_settings(config)
    refuse_unfitting_options(config)
    lead_workers(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which configuration is used, where there is one."""
    return header(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out other shards, and keep each benchmark's items together, whoever shuffled before."""
    keep_shard(config, items)
    keep_benchmarks_together(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which conditions this run owes a verdict."""
    note_selection(session)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Remember which override made a dataset or detector."""
    result = yield
    note_override(request.config, fixturedef, result)
    return result


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what an item found to its last report."""
    report = yield
    attach_payload(item, report)
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Judge over all conditions once everything has run, or was stopped."""
    announce_aggregates(session)
    try:
        return (yield)
    finally:
        conclude(session)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what the whole session came to."""
    finish(session)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show every benchmark's table."""
    summary(terminalreporter)
