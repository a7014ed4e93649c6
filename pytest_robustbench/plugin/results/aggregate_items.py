"""The summary, completeness and regression items: verdicts over all conditions of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_robustbench.gates.wording import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.plugin.results.run_results import Account, Place

    Outcome = Literal["passed", "failed", "skipped", "xfailed"]

NEW_LINE = "\n"
NOT_JUDGED = "not judged: "
OWED = "under 'inconclusive: fail' a run owes its comparison: leave these options out"


@dataclass(frozen=True)
class Aggregate:
    """One item that has no test function of its own.

    Parameters
    ----------
    name : str
        ``summary``, ``complete`` or ``regression``.
    outcome : {"passed", "failed", "skipped", "xfailed"}
        How it ended.
    text : str
        Why.
    came_to : str
        Of the regression item, what pytest's outcome cannot tell: ``pass``, ``regressed``,
        ``inconclusive``, ``error``, ``baseline_updated`` or ``not_judged``.
    """

    name: str
    outcome: Outcome
    text: str = ""
    came_to: str = ""


def aggregates(account: Account) -> Iterator[Aggregate]:
    """Judge one benchmark over all its conditions."""
    if account.declaration.summary_limits:
        yield _summary(account)
    yield _complete(account)
    if account.concerns_baseline:
        yield _regression(account)


def number_of_aggregates(account: Account) -> int:
    """Return how many aggregate items a benchmark will have."""
    declaration = account.declaration
    return 1 + bool(declaration.summary_limits) + account.concerns_baseline


def _summary(account: Account) -> Aggregate:
    unjudged = why_not_judged(account)
    if unjudged:
        return Aggregate("summary", "skipped", NOT_JUDGED + unjudged)
    verdicts = account.summary_verdicts()
    violated = [v for v in verdicts if v.violated]
    if violated:
        return Aggregate("summary", "failed", "\n".join(describe(v) for v in violated))
    waived = [describe(v) for v in verdicts if v.waived]
    return Aggregate("summary", "xfailed" if waived else "passed", "\n".join(waived))


def _complete(account: Account) -> Aggregate:
    problems = list(_incompleteness(account))
    if problems:
        return Aggregate("complete", "failed", "\n".join(problems))
    unjudged = why_not_judged(account)
    if unjudged:
        return Aggregate("complete", "skipped", NOT_JUDGED + unjudged)
    return Aggregate("complete", "passed")


def _incompleteness(account: Account) -> Iterator[str]:
    if account.write_error:
        yield account.write_error
    if account.trouble:
        yield account.trouble
    if account.data_missing and account.records:
        yield f"some workers of this run have the data, and others do not: {account.data_missing}"
    if account.missing and not account.data_missing:
        yield f"selected, but ended without a verdict: {_listed(account.missing)}"
    if account.errors:
        yield f"could not be measured: {_listed(account.errors)}"
    if account.unnoticed:
        yield (
            "violated limits, but no test failed of them: a mark such as xfail hid it, or a test "
            "of yours does not call robustness_judge (to measure without a limit, say measure_only)"
        )
        yield from (describe(verdict) for verdict in account.unnoticed)


def why_not_judged(account: Account) -> str:
    """Return why nothing can be said of the benchmark as a whole; empty where it can."""
    if account.data_missing:
        return f"the data are missing: {account.data_missing}"
    if account.terms.narrowing:
        return f"this run is not what the YAML declares ({', '.join(account.terms.narrowing)})"
    if account.deselected:
        n, total = len(account.deselected), len(account.declared)
        if account.terms.shard:
            return (
                f"this is shard {account.terms.shard}: pytest-robustbench merge judges all of them"
            )
        return f"{n} of {total} conditions are deselected"
    if not account.has_limits and account.declaration.regression is None:
        return "no limit is declared, everything is only measured"
    return ""


def _regression(account: Account) -> Aggregate:
    unjudged = why_not_judged(account)
    if unjudged:
        if account.owes_comparison:
            return Aggregate("regression", "failed", f"{NOT_JUDGED}{unjudged}; {OWED}")
        outcome: Outcome = "failed" if account.terms.baseline_asked else "skipped"
        return Aggregate("regression", outcome, NOT_JUDGED + unjudged, "not_judged")
    if not account.comparable:
        unfinished = "; ".join(_incompleteness(account)) or "there is no report"
        return Aggregate("regression", "failed", f"nothing to compare: {unfinished}", "error")
    if account.baseline_error:
        return Aggregate("regression", "failed", account.baseline_error, "error")
    if account.updated_baseline is not None:
        text = f"{NOT_JUDGED}the baseline {account.updated_baseline.name} is this run now"
        return Aggregate("regression", "skipped", text, "baseline_updated")
    return _compared(account)


def _compared(account: Account) -> Aggregate:
    from pytest_robustbench.reports.compare.regression import overall_outcome
    from pytest_robustbench.reports.pages.comparison_text import explanation

    came_to = overall_outcome(account.judged)
    if came_to == "pass":
        return Aggregate("regression", "passed", came_to=came_to)
    text = "\n".join(line for judged in account.judged for line in explanation(judged))
    tolerated = came_to == "inconclusive" and not account.fails_if_inconclusive
    outcome: Outcome = "skipped" if tolerated else "failed"
    return Aggregate("regression", outcome, text or "nothing was compared", came_to)


def problems_of(account: Account) -> Iterator[str]:
    """Yield what failed beyond the limits, which a report alone does not tell."""
    name = account.declaration.name
    for aggregate in aggregates(account):
        if aggregate.outcome == "failed" and not _stands_in_report(aggregate.name, account):
            yield f"[{name}-{aggregate.name}] failed: {aggregate.text.partition(NEW_LINE)[0]}"
    if account.failed_otherwise:
        conditions = _listed(account.failed_otherwise)
        yield f"a test failed for another reason than a limit: {conditions}"


def _stands_in_report(name: str, account: Account) -> bool:
    """Return whether the report itself says why an aggregate item failed."""
    only_errors = not (account.trouble or account.missing or account.unnoticed)
    return {
        "summary": True,
        "complete": bool(account.errors) and only_errors,
        "regression": bool(account.judged),
    }[name]


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def report_as_items(
    config: pytest.Config, anchor: Place, title: str, found: Sequence[Aggregate]
) -> None:
    """Report aggregates as if they were items of the same test as `anchor`.

    They cannot be collected items: what they judge is known only when everything else has run,
    whatever the order, and under several workers only on the controller.
    """
    for aggregate in found:
        nodeid, location = _address(anchor, f"[{title}-{aggregate.name}]")
        config.hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
        for report in _phases(nodeid, location, aggregate):
            config.hook.pytest_runtest_logreport(report=report)
        config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)


def _address(anchor: Place, suffix: str) -> tuple[str, tuple[str, int | None, str]]:
    path, line, test = anchor.location
    nodeid = anchor.nodeid.partition("[")[0] + suffix
    return nodeid, (path, line, test.partition("[")[0] + suffix)


def _phases(
    nodeid: str, location: tuple[str, int | None, str], aggregate: Aggregate
) -> Iterator[pytest.TestReport]:
    for when in ("setup", "call", "teardown"):
        called = when == "call"
        report = pytest.TestReport(
            nodeid=nodeid,
            location=location,
            keywords={"robustness": 1, location[2]: 1},
            outcome=_outcome(aggregate) if called else "passed",
            longrepr=_longrepr(location, aggregate) if called else None,
            when=when,
        )
        if called and aggregate.outcome == "xfailed":
            report.wasxfail = aggregate.text
        yield report


def _outcome(aggregate: Aggregate) -> Literal["passed", "failed", "skipped"]:
    """Return the outcome in pytest's words: what is xfailed is skipped, and says why."""
    return "skipped" if aggregate.outcome == "xfailed" else aggregate.outcome


def _longrepr(location: tuple[str, int | None, str], aggregate: Aggregate) -> Any:
    if aggregate.outcome in ("skipped", "xfailed"):
        return (location[0], location[1] or 0, f"Skipped: {aggregate.text}")
    if aggregate.outcome == "failed":
        return _failure(aggregate.text)
    return None


def _failure(text: str) -> Any:
    """Return what an item that calls `pytest.fail` shows, short summary included."""
    try:
        pytest.fail(text, pytrace=False)
    except pytest.fail.Exception:
        return pytest.ExceptionInfo.from_current().getrepr(style="value", chain=False)
