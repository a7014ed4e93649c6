"""The course of a run in the process that keeps its results: select, judge, write."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plugin.declared import declared_of
from pytest_robustbench.plugin.items import BROKEN
from pytest_robustbench.plugin.options import SETTINGS
from pytest_robustbench.plugin.results.collector import ResultCollector
from pytest_robustbench.plugin.results.run_results import RunResults
from pytest_robustbench.plugin.results.unused import asks_for_robustness, unused
from pytest_robustbench.plugin.selection import only_lists
from pytest_robustbench.plugin.workers.role import is_controller, is_worker
from pytest_robustbench.plugin.workers.run_context import CONTEXT, context_of
from pytest_robustbench.plugin.workers.run_journal import RunJournals
from pytest_robustbench.plugin.workers.xdist import Controller
from pytest_robustbench.reports.file.earlier import forget_aside, put_aside, put_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_robustbench.plugin.messages import ItemRef
    from pytest_robustbench.reports.file.model import Header

RESULTS: pytest.StashKey[RunResults] = pytest.StashKey()
UNUSED: pytest.StashKey[list[str]] = pytest.StashKey()
EARLIER: pytest.StashKey[EarlierSession] = pytest.StashKey()
ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


@contextmanager
def putting_earlier_aside(config: pytest.Config) -> Iterator[None]:
    """Let nobody take what an earlier run came to for this one's, should it end before its time.

    Nothing is put back where options are refused.
    """
    if is_worker(config):
        yield
        return
    earlier = config.stash[EARLIER] = EarlierSession(config)
    config.pluginmanager.register(earlier, "robustness-earlier")
    config.add_cleanup(earlier.put_back)
    try:
        yield
    except pytest.UsageError:
        earlier.forget()
        raise


class EarlierSession:
    """What an earlier run came to: put back where nothing of ours was to run, and else gone.

    Parameters
    ----------
    config : pytest.Config
        Of this run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._lists = only_lists(config)
        self._folders = put_aside(config.stash[SETTINGS].report_dir)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Put nothing back where a module cannot be collected: it may hold tests of ours."""
        if report.failed:
            self.forget()

    def forget(self) -> None:
        """Put nothing back: this run was to say what it came to, and cannot."""
        if not self._lists:
            forget_aside(self._folders)

    def put_back(self) -> None:
        """Let it stand, unless it is forgotten, or this run has written its own."""
        put_back(self._folders)


def select(
    config: pytest.Config, refs: Sequence[ItemRef], header_of: Callable[[str], Header]
) -> None:
    """Note which conditions this process owes a verdict."""
    results = _collecting(config, header_of)
    for ref in refs:
        results.select(ref)
    _begin(results, refs)


def lead_workers(config: pytest.Config) -> None:
    """Collect results in a process whose workers will tell what there is to collect."""
    if not is_controller(config):
        return
    context = context_of(config)
    journals = RunJournals(context)
    declared = declared_of(config)
    results = _collecting(config, declared.header, journals)
    controller = Controller(context, declared.texts, partial(_expect, results))
    config.pluginmanager.register(controller, "robustness-controller")


def _collecting(
    config: pytest.Config, header_of: Callable[[str], Header], journals: RunJournals | None = None
) -> RunResults:
    if RESULTS not in config.stash:
        results = RunResults(config.stash[SETTINGS], declared_of(config), header_of)
        config.stash[RESULTS] = results
        collector = ResultCollector(results, journals)
        config.pluginmanager.register(collector, "robustness-collector")
    return config.stash[RESULTS]


def _expect(results: RunResults, nodeids: Sequence[str]) -> None:
    """Note what workers are going to run, once: all of them have collected the same."""
    if results.expected:
        return
    results.expect(nodeids)
    if results.expected:
        _begin(results, results.expected)


def _begin(results: RunResults, refs: Sequence[ItemRef]) -> None:
    """Leave nothing of earlier runs that could be taken for what is going to be measured."""
    from pytest_robustbench.plugin.results.files import forget_older_reports

    try:
        forget_older_reports(results, dict.fromkeys(ref.benchmark for ref in refs))
    except ReportError as error:
        raise pytest.UsageError(str(error)) from None


def selected_conditions(config: pytest.Config) -> dict[str, dict[str, bool]]:
    """Return by benchmark which conditions were selected, and whether each is known by now."""
    results = config.stash.get(RESULTS, None)
    benchmarks = results.benchmarks if results else {}
    return {
        name: {condition: condition in one.records for condition in one.selected}
        for name, one in benchmarks.items()
    }


def announce_aggregates(session: pytest.Session) -> None:
    """Count in what was not collected and is reported all the same, so that none passes 100 %.

    Before the items run; of workers, who have collected none, when all is known.
    """
    results = session.config.stash.get(RESULTS, None)
    if results is not None and results.benchmarks:
        from pytest_robustbench.plugin.results.aggregate_items import addresses

        found = [
            addresses(one, n) for one in results.benchmarks.values() for n in one.aggregate_names
        ]
        counted = (
            0
            if is_controller(session.config)
            else sum(len(one.aggregate_items) for one in results.benchmarks.values())
        )
        session.testscollected += sum(map(len, found)) - counted


def conclude(session: pytest.Session) -> None:
    """Judge every benchmark over all its conditions and write its report."""
    results = session.config.stash.get(RESULTS, None)
    if results is None:
        return
    results.select_expected()  # workers that died may have told nothing
    if results.is_empty:
        return
    from pytest_robustbench.plugin.results.aggregate_items import (
        Aggregate,
        address,
        addresses,
        aggregates,
        report_as_item,
    )

    if is_controller(session.config):
        announce_aggregates(session)
    write_reports(results)
    for one in results.benchmarks.values():
        for found in tuple(aggregates(one)):
            for each in addresses(one, found.name):
                report_as_item(session.config, each, found)
    for ref in results.broken.values():  # a mark kept it from failing
        problem = Aggregate("complete", "failed", ref.problem)
        report_as_item(session.config, address(ref, f"{BROKEN}-complete"), problem)


def write_reports(results: RunResults) -> None:
    """Write every report, and those that have a baseline once more with what it came to."""
    from pytest_robustbench.plugin.results.files import write_report

    benchmarks = tuple(results.benchmarks.values())
    for one in benchmarks:
        write_report(results, one)
    if not any(one.concerns_baseline for one in benchmarks):
        return
    from pytest_robustbench.plugin.results.comparison import settle_baselines

    settle_baselines(results)
    for one in benchmarks:
        if one.judged:
            write_report(results, one)


def finish(session: pytest.Session) -> None:
    """Write session.json, and let no session with a failed item end with exit status 0."""
    results = session.config.stash.get(RESULTS, None)
    is_ours = results is not None and not results.is_empty
    asked = asks_for_robustness(session.config) or session.exitstatus not in ENDED
    if asked and EARLIER in session.config.stash:
        session.config.stash[EARLIER].forget()
    try:
        if is_ours or asks_for_robustness(session.config):
            _note_unused(session, results)
        if results is not None and is_ours:
            _finish(session, results)
    finally:
        if CONTEXT in session.config.stash:
            session.config.stash[CONTEXT].leave()


def _note_unused(session: pytest.Session, results: RunResults | None) -> None:
    """Let no run that was asked for robustness pass over a configuration."""
    found = session.config.stash[UNUSED] = unused(
        session.config, results.problems if results else ()
    )
    if found and asks_for_robustness(session.config):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
    if results is not None:
        results.problems.update(dict.fromkeys(found))


def _finish(session: pytest.Session, results: RunResults) -> None:
    from pytest_robustbench.plugin.results.files import (
        write_report,
        write_run_pages,
        write_session_files,
    )

    benchmarks = tuple(results.benchmarks.values())
    for one in benchmarks:
        if one.report_path is None and not one.write_error:  # a second interruption prevented it
            write_report(results, one)
    if session.testsfailed and not session.exitstatus:  # pytest.exit(returncode=0) in a test
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    try:
        if benchmarks:
            write_run_pages(results)
    except ReportError as error:
        results.write_error = str(error)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
    try:
        write_session_files(results, int(session.exitstatus))
    except ReportError as error:
        results.write_error = str(error)
    for place in {one.declaration.place for one in benchmarks}:
        own = [one for one in benchmarks if one.declaration.place == place]
        if all(one.is_finished for one in own):
            context = replace(context_of(session.config), place=place)
            context.forget_earlier_runs({one.declaration.name for one in own})
    if results.write_error:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
