"""The course of a run: select, measure, book, conclude.

Modules that only a run with robustness items needs are imported where they are used.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.errors import ConfigError, ReportError
from pytest_robustbench.plugin.parametrize import BROKEN, asks_for_a_benchmark, params_of
from pytest_robustbench.plugin.settings import narrowed_on_command_line
from pytest_robustbench.plugin.stash import LEDGER, SESSION, SETTINGS

if TYPE_CHECKING:
    from pytest_robustbench.plugin.ledger import Account, Ledger
    from pytest_robustbench.plugin.session import Session
    from pytest_robustbench.plugin.settings import Settings

MAKERS = ("robustness_dataset", "robustness_detector")


def session_of(config: pytest.Config) -> Session:
    """Return what this process knows, reading the YAML when first asked."""
    if SESSION not in config.stash:
        from pytest_robustbench.plugin.opening import open_session
        from pytest_robustbench.plugin.progress import ProgressLine

        try:
            opened = open_session(
                config.stash[SETTINGS], ProgressLine(config), worker=is_worker(config)
            )
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[SESSION] = opened
    return config.stash[SESSION]


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
    if _only_looks(session.config):
        return
    for item in session.items:
        if asks_for_a_benchmark(item):
            _select(session_of(session.config), _ledger_of(session.config), item)


def _select(session: Session, ledger: Ledger, item: pytest.Item) -> None:
    benchmark, condition = params_of(item)
    if session.problem:
        ledger.select_broken(item)
    else:
        ledger.select(session.declarations[benchmark], condition, item)


def _only_looks(config: pytest.Config) -> bool:
    """Whether nothing is going to be measured here: --collect-only, --setup-only, or a worker."""
    looks = config.option.collectonly or config.getoption("setuponly", False)
    return bool(looks or is_worker(config))


def is_worker(config: pytest.Config) -> bool:
    """Return whether this is one of several processes of pytest-xdist."""
    return hasattr(config, "workerinput")


def _ledger_of(config: pytest.Config) -> Ledger:
    if LEDGER not in config.stash:
        config.stash[LEDGER] = _new_ledger(config.stash[SETTINGS])
        config.pluginmanager.register(Bookkeeper(config.stash[LEDGER]), "robustness-bookkeeper")
    return config.stash[LEDGER]


def _new_ledger(settings: Settings) -> Ledger:
    from pytest_robustbench.plugin.ledger import Ledger

    asked = settings.update_baseline or settings.baseline is not None
    return Ledger(settings.narrowing, asked)


class Bookkeeper:
    """Reads what items tell; registered only where there are such items."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter an item's payload, and whether it failed in the end."""
        from pytest_robustbench.plugin.payload import ATTRIBUTE, Payload

        if report.failed:
            self._ledger.note_failure(report.nodeid)
        text = getattr(report, ATTRIBUTE, "")
        if text:
            self._ledger.add(Payload.loads(text))


def note_override(
    config: pytest.Config, fixturedef: pytest.FixtureDef[Any], result: object
) -> None:
    """Remember which function made a dataset or detector, ours or a conftest's."""
    if fixturedef.argname in MAKERS and SESSION in config.stash:
        config.stash[SESSION].note_origin(result, fixturedef.func)


def attach_payload(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what an item found on its last report."""
    benchmark, condition = params_of(item)
    if report.when != "teardown" or not (benchmark and condition):
        return
    from pytest_robustbench.plugin.payload import ATTRIBUTE, payload_of

    payload = payload_of(session_of(item.config), benchmark, condition)
    if payload is not None:
        setattr(report, ATTRIBUTE, payload.dumps())


def announce_aggregates(session: pytest.Session) -> None:
    """Count the aggregate items in, so that progress does not pass 100 %."""
    accounts = accounts_of(session.config)
    if accounts:
        from pytest_robustbench.plugin.aggregate import number_of_aggregates

        session.testscollected += sum(map(number_of_aggregates, accounts))


def conclude(session: pytest.Session) -> None:
    """Judge every benchmark over all its conditions and write its report."""
    if LEDGER not in session.config.stash:
        return
    from pytest_robustbench.plugin.aggregate import Aggregate, aggregates, report_as_items

    _write_reports(session.config)
    for account in accounts_of(session.config):
        found = tuple(aggregates(account))
        report_as_items(session.config, account.anchor, account.declaration.name, found)
    for item in session.config.stash[LEDGER].broken.values():  # a mark kept it from failing
        problem = Aggregate("complete", "failed", session_of(session.config).problem)
        report_as_items(session.config, item, BROKEN, [problem])


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
    from pytest_robustbench.plugin.comparison import settle_baselines

    settle_baselines(accounts, config.stash[SETTINGS], session_of(config).folder)
    for account in accounts:
        if account.judged:
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
    if LEDGER not in session.config.stash:
        return
    ledger = session.config.stash[LEDGER]
    if session.testsfailed and not session.exitstatus:  # pytest.exit(returncode=0) in a test
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    try:
        _write_session_file(session)
    except ReportError as error:
        ledger.write_error = str(error)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _write_session_file(session: pytest.Session) -> None:
    """List the benchmarks of this session with their verdicts, files and hashes."""
    from pytest_robustbench.plugin.session_file import session_record
    from pytest_robustbench.reports.json_lines import dumps
    from pytest_robustbench.reports.writing import write_atomically

    known = session_of(session.config)
    record = session_record(
        tuple(known.declarations.values()),
        {account.declaration.name: account for account in accounts_of(session.config)},
        known.problem,
        int(session.exitstatus),
    )
    folder = session.config.stash[SETTINGS].report_dir
    write_atomically(folder / "session.json", dumps(record))
