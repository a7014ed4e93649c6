"""The course of a run: select, measure, book, conclude.

Modules that only a run with robustness items needs are imported where they are used.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.errors import ConfigError, ReportError
from pytest_robustbench.plugin.parametrize import BROKEN, asks_for_a_benchmark, params_of
from pytest_robustbench.plugin.reruns import rerun_of_benchmark
from pytest_robustbench.plugin.results.collector import Bookkeeper, new_ledger
from pytest_robustbench.plugin.results.run_results import Place
from pytest_robustbench.plugin.settings import narrowed_on_command_line
from pytest_robustbench.plugin.stash import LEDGER, SESSION, SETTINGS, SURROUNDINGS
from pytest_robustbench.plugin.workers.run_context import Surroundings
from pytest_robustbench.plugin.workers.xdist import (
    Announcer,
    Controller,
    briefing_of,
    is_controller,
    is_worker,
    limit_threads,
    worker_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.plugin.measuring.session import Session
    from pytest_robustbench.plugin.results.run_results import Account, Ledger
    from pytest_robustbench.reports.file.journal import Journal

MAKERS = ("robustness_dataset", "robustness_detector")


def session_of(config: pytest.Config) -> Session:
    """Return what this process knows, reading the YAML when first asked."""
    if SESSION not in config.stash:
        try:
            config.stash[SESSION] = _opened(config)
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[SESSION]


def _opened(config: pytest.Config) -> Session:
    from pytest_robustbench.plugin.measuring.opening import open_session, problem_session
    from pytest_robustbench.plugin.terminal.progress import ProgressLine
    from pytest_robustbench.processors import processors

    settings, progress, yaml = config.stash[SETTINGS], ProgressLine(config), None
    if is_worker(config):
        try:
            yaml = briefing_of(config).yaml
        except ConfigError as error:
            return problem_session(settings, progress, str(error))
        limit_threads(processors())
    return open_session(settings, progress, _surroundings_of(config), yaml)


def refuse_unfitting_options(config: pytest.Config) -> None:
    """Read the YAML now if options narrow it, so that a misspelt one stops pytest at once.

    Raises
    ------
    pytest.UsageError
        If an option names what the YAML does not have.
    """
    if not narrowed_on_command_line(config):
        return
    declarations = session_of(config).declarations.values()
    shard = config.stash[SETTINGS].shard
    try:
        if shard is not None and declarations:
            shard.conditions(declarations)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None


def keep_shard(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect in place what other shards measure."""
    shard = config.stash[SETTINGS].shard
    declarations = session_of(config).declarations.values() if shard else ()
    if shard is None or not declarations:
        return
    from pytest_robustbench.plugin.shards import split_items

    kept, others = split_items(items, shard.conditions(declarations))
    items[:] = kept
    config.hook.pytest_deselected(items=others)


def note_selection(session: pytest.Session) -> None:
    """Open the books on every condition that is going to run."""
    config = session.config
    if config.option.collectonly or config.getoption("setuponly", False):
        return
    items = [item for item in session.items if asks_for_a_benchmark(item)]
    if not items:
        return
    places, known = list(map(_place, items)), session_of(config)
    for item, place in zip(items, places, strict=True):
        if place.condition and place.benchmark not in known.reruns:
            known.reruns[place.benchmark] = rerun_of_benchmark(item, known.surroundings.command)
    if is_worker(config):
        config.pluginmanager.register(Announcer(places), "robustness-announcer")
        known.surroundings.enter()
        return
    for place in places:
        _ledger_of(config).select(place)
    forget_older_reports(config, dict.fromkeys(place.benchmark for place in places))


def forget_older_reports(config: pytest.Config, benchmarks: Iterable[str]) -> None:
    """Replace older reports by such that hold nothing yet: however this run ends, none is whole."""
    from pytest_robustbench.reports.file.report import Report
    from pytest_robustbench.reports.file.session import SESSION_FILE
    from pytest_robustbench.reports.pages.thumbnails import Thumbnails
    from pytest_robustbench.reports.pages.write import forget_pages

    known, folder = session_of(config), config.stash[SETTINGS].report_dir
    for name in benchmarks:
        path = folder / f"{name}.json"
        if name and not config.stash[SETTINGS].resume:
            Thumbnails(path).forget()
        if name and path.exists():
            declared = known.declarations[name].declared_conditions
            with suppress(ReportError):  # the same is going to be told at the end
                Report(known.header(name), declared, {}).write(path)
    with suppress(OSError, ReportError):  # what stays in the way is told at the end
        (folder / SESSION_FILE).unlink(missing_ok=True)
        forget_pages(folder, benchmarks)


def _place(item: pytest.Item) -> Place:
    return Place(item.nodeid, item.location, *params_of(item))


def lead_workers(config: pytest.Config) -> None:
    """Open the books in a process whose workers will tell what there is to enter."""
    if not is_controller(config):
        return
    settings, surroundings = config.stash[SETTINGS], _surroundings_of(config)
    ledger = _ledger_of(config, surroundings.journal)
    begin = partial(_begin, config, ledger)
    controller = Controller(surroundings.run, settings.config, ledger, begin)
    config.pluginmanager.register(controller, "robustness-controller")


def _begin(config: pytest.Config, ledger: Ledger) -> None:
    names = dict.fromkeys(place.benchmark for place in ledger.expected)
    if names:
        forget_older_reports(config, names)


def _surroundings_of(config: pytest.Config) -> Surroundings:
    """Return which process of which run this is."""
    if SURROUNDINGS not in config.stash:
        settings = config.stash[SETTINGS]
        place = Surroundings(settings.report_dir, resume=settings.resume)
        if is_worker(config):
            briefing = briefing_of(config)
            place = replace(
                place, run=briefing.run, process=worker_id(config), command=briefing.command
            )
        config.stash[SURROUNDINGS] = place
    return config.stash[SURROUNDINGS]


def _ledger_of(config: pytest.Config, journal: Journal | None = None) -> Ledger:
    if LEDGER not in config.stash:
        ledger = new_ledger(config.stash[SETTINGS], lambda: session_of(config).declarations)
        config.stash[LEDGER] = ledger
        keeper = Bookkeeper(ledger, config.stash[SETTINGS].report_dir, journal)
        config.pluginmanager.register(keeper, "robustness-bookkeeper")
    return config.stash[LEDGER]


def note_override(
    config: pytest.Config, fixturedef: pytest.FixtureDef[Any], result: object
) -> None:
    """Remember which function made a dataset or detector, ours or a conftest's."""
    if fixturedef.argname in MAKERS and SESSION in config.stash:
        config.stash[SESSION].note_origin(result, fixturedef.func)


def attach_payload(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what an item found on the report of its call, or of the set-up that kept it from one."""
    benchmark, condition = params_of(item)
    is_last_word = report.when == "call" or (report.when == "setup" and not report.passed)
    if not (is_last_word and benchmark and condition):
        return
    from pytest_robustbench.plugin.workers.messages import ATTRIBUTE, payload_of

    payload = payload_of(session_of(item.config), benchmark, condition)
    if payload is not None:
        setattr(report, ATTRIBUTE, payload.dumps())


def announce_aggregates(session: pytest.Session) -> None:
    """Count the aggregate items in, so that progress does not pass 100 %.

    Before the items run; under several workers afterwards, as only then it is known what there is.
    """
    accounts = accounts_of(session.config)
    if accounts:
        from pytest_robustbench.plugin.results.aggregate_items import number_of_aggregates

        session.testscollected += sum(map(number_of_aggregates, accounts))


def conclude(session: pytest.Session) -> None:
    """Judge every benchmark over all its conditions and write its report."""
    if LEDGER not in session.config.stash:
        return
    ledger = session.config.stash[LEDGER]
    ledger.select_expected()  # workers that died may have told nothing
    if ledger.is_empty:
        return
    from pytest_robustbench.plugin.results.aggregate_items import (
        Aggregate,
        aggregates,
        report_as_items,
    )

    if is_controller(session.config):
        announce_aggregates(session)

    _write_reports(session.config)
    for account in accounts_of(session.config):
        found = tuple(aggregates(account))
        report_as_items(session.config, account.anchor, account.declaration.name, found)
    for place in ledger.broken.values():  # a mark kept it from failing
        problem = Aggregate("complete", "failed", session_of(session.config).problem)
        report_as_items(session.config, place, BROKEN, [problem])


def accounts_of(config: pytest.Config) -> tuple[Account, ...]:
    """Return the books of every benchmark this run is about."""
    return tuple(config.stash[LEDGER].accounts.values()) if LEDGER in config.stash else ()


def _write_reports(config: pytest.Config) -> None:
    """Write every report, and those that have a baseline once more with what it came to."""
    accounts = accounts_of(config)
    for account in accounts:
        _write_report(account, config)
    if not any(account.concerns_baseline for account in accounts):
        return
    from pytest_robustbench.plugin.results.comparison import settle_baselines

    settle_baselines(accounts, config.stash[SETTINGS], session_of(config).folder)
    for account in accounts:
        if account.judged:
            _write_report(account, config)


def _write_what_is_left(config: pytest.Config) -> None:
    """Write the reports that a second interruption has kept from being written."""
    for account in accounts_of(config):
        if account.report_path is None and not account.write_error:
            _write_report(account, config)


def _write_report(account: Account, config: pytest.Config) -> None:
    """Write what is known, if only that nothing is: no older report stays in its place."""
    name = account.declaration.name
    if account.header is None:
        account.header = session_of(config).header(name).to_dict()
    path = config.stash[SETTINGS].report_dir / f"{name}.json"
    try:
        account.report().write(path)
        account.report_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ReportError) as error:
        account.write_error = str(error)
    else:
        account.report_path = path


def finish(session: pytest.Session) -> None:
    """Write session.json, and let no session with a failed item end with exit status 0."""
    try:
        _finish(session)
    finally:
        if SURROUNDINGS in session.config.stash:
            session.config.stash[SURROUNDINGS].leave()


def _finish(session: pytest.Session) -> None:
    if LEDGER not in session.config.stash or session.config.stash[LEDGER].is_empty:
        return
    ledger = session.config.stash[LEDGER]
    _write_what_is_left(session.config)
    if session.testsfailed and not session.exitstatus:  # pytest.exit(returncode=0) in a test
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    try:
        _write_pages(session.config)
    except ReportError as error:
        ledger.write_error = str(error)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
    try:
        _write_session_file(session)
    except ReportError as error:
        ledger.write_error = str(error)
    accounts = accounts_of(session.config)
    if accounts and all(account.is_finished for account in accounts):
        session.config.stash[SURROUNDINGS].forget_earlier_runs()
    if ledger.write_error:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _write_pages(config: pytest.Config) -> None:
    from pytest_robustbench.plugin.results.pages import write_pages_of

    accounts = accounts_of(config)
    if accounts:
        settings, start = config.stash[SETTINGS], config.invocation_params.dir
        declared = session_of(config).declarations
        config.stash[LEDGER].pages = write_pages_of(accounts, declared, settings, start)


def _write_session_file(session: pytest.Session) -> None:
    """List the benchmarks of this session with their verdicts, files and hashes."""
    from pytest_robustbench.plugin.results.session_file import session_record
    from pytest_robustbench.reports.file.session import write_session

    known = session_of(session.config)
    record = session_record(
        tuple(known.declarations.values()),
        {account.declaration.name: account for account in accounts_of(session.config)},
        known.problem,
        int(session.exitstatus),
    )
    write_session(session.config.stash[SETTINGS].report_dir, record)
