"""The hooks of a run that robustness concerns, as a table of contents.

The process that measures and the process that keeps results are two rooms that know nothing of each
other; one process simply has both, and this module is all that sees them.

They join a run where an option is given, a ``robustness.yaml`` is there, or a test asks for a
benchmark; a plain run never loads this module. They join after a project's own conftest files, and
so ask to be called last, as plugins that came first are: the last word on the exit status is ours.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.display import hide_environment
from pytest_robustbench.folder_imports import forget_imports
from pytest_robustbench.plugin.declared import declared_of, refuse_unfitting_options
from pytest_robustbench.plugin.measuring.course import (
    attach_message,
    imports_of,
    measurements_of,
    note_override,
    note_reruns,
)
from pytest_robustbench.plugin.messages import Selection
from pytest_robustbench.plugin.options import SETTINGS, Settings
from pytest_robustbench.plugin.results.course import (
    announce_aggregates,
    conclude,
    finish,
    lead_workers,
    putting_earlier_aside,
    select,
    selected_conditions,
)
from pytest_robustbench.plugin.selection import (
    leave_aggregates_out,
    note_deselected,
    selected,
    selecting,
)
from pytest_robustbench.plugin.terminal.progress import PROGRESS, ProgressLine
from pytest_robustbench.plugin.terminal.summary import collected, header, summary
from pytest_robustbench.plugin.workers.role import is_worker
from pytest_robustbench.plugin.workers.xdist import announce

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_configure(config: pytest.Config) -> None:
    """Refuse bad options before anything runs, and expect workers where there will be some."""
    config.add_cleanup(hide_environment())
    config.stash[SETTINGS] = Settings(config)
    config.stash[PROGRESS] = ProgressLine(config, partial(selected_conditions, config))
    with putting_earlier_aside(config):
        refuse_unfitting_options(config)
    lead_workers(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which configuration is used, where there is one."""
    return header(config)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say which configuration decides for which module, where there are several."""
    return collected(config, items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Leave out other shards, and keep each benchmark's items together, whoever chose before."""
    with selecting(config, items):
        yield


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember what is left out on purpose: anything else that is not there is missing."""
    note_deselected(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which conditions this run owes a verdict, or tell the process that keeps results."""
    config, items = session.config, selected(session)
    refs = [ref for _, ref in items]
    if items:
        note_reruns(config, items)
    if refs and is_worker(config):
        places = (file.place for file in declared_of(config).files if file.benchmarks)
        announce(config, Selection(tuple(refs), tuple(places)))
    elif refs:
        select(config, refs, measurements_of(config).header)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let whatever an item of ours imports, at any time, come from the folder of its YAML."""
    with imports_of(item):
        return (yield)


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
    attach_message(item, report)
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Judge over all conditions once everything has run, or was stopped."""
    leave_aggregates_out(session)
    announce_aggregates(session)
    try:
        return (yield)
    finally:
        conclude(session)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what the whole session came to."""
    finish(session)


def pytest_unconfigure() -> None:
    """Forget what was imported: the same process may call pytest again, and files change."""
    forget_imports()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show every benchmark's table."""
    summary(terminalreporter)
