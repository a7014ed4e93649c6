"""The summary, completeness and regression items: verdicts over all conditions of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_robustbench.gates.wording import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.plugin.messages import ItemRef
    from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults

    Outcome = Literal["passed", "failed", "skipped", "xfailed"]
    Address = tuple[str, tuple[str, int | None, str]]

NEW_LINE = "\n"
NOT_JUDGED = "not judged: "
NOT_ALONE = (
    "not judged: it is about all conditions of its benchmark, and none of them is selected: run "
    "the whole test function"
)
REMOVED = (
    "taken out of the collection without being deselected (who changes `items` in a conftest.py or "
    "plugin calls pytest_deselected as well)"
)
OWED = "under 'inconclusive: fail' a run owes its comparison: leave these options out"


@dataclass(frozen=True)
class Aggregate:
    """A verdict over all conditions.

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


def aggregates(results: BenchmarkResults) -> Iterator[Aggregate]:
    """Judge one benchmark over all its conditions."""
    for name in results.aggregate_names:
        if results.selected or not results.aggregate_items:
            yield JUDGES[name](results)
        else:  # asked for by their own names
            yield Aggregate(name, "failed", NOT_ALONE)


def _summary(results: BenchmarkResults) -> Aggregate:
    unjudged = why_not_judged(results)
    if unjudged:
        return Aggregate("summary", "skipped", NOT_JUDGED + unjudged)
    verdicts = results.summary_verdicts()
    violated = [v for v in verdicts if v.violated]
    if violated:
        return Aggregate("summary", "failed", "\n".join(describe(v) for v in violated))
    waived = [describe(v) for v in verdicts if v.waived]
    if waived:
        return Aggregate("summary", "xfailed", "\n".join(waived))
    unshown = [describe(v) for v in verdicts if v.open]
    return Aggregate("summary", "skipped" if unshown else "passed", "\n".join(unshown))


def _complete(results: BenchmarkResults) -> Aggregate:
    problems = list(_incompleteness(results))
    if problems:
        return Aggregate("complete", "failed", "\n".join(problems))
    unjudged = why_not_judged(results)
    if unjudged:
        return Aggregate("complete", "skipped", NOT_JUDGED + unjudged)
    return Aggregate("complete", "passed")


def _incompleteness(results: BenchmarkResults) -> Iterator[str]:
    if results.write_error:
        yield results.write_error
    if results.trouble:
        yield results.trouble
    if results.data_missing and results.records:
        yield f"some workers of this run have the data, and others do not: {results.data_missing}"
    gone = [c for c in results.missing if c in results.removed]
    if gone:
        yield f"{REMOVED}: {_listed(gone)}"
    ended = [c for c in results.missing if c not in results.removed]
    if ended and not results.data_missing:
        yield f"selected, but ended without a verdict: {_listed(ended)}"
    if results.errors:
        yield f"could not be measured: {_listed(results.errors)}"
    if results.unnoticed:
        yield (
            "violated limits, but no test failed of them: a mark such as xfail hid it, or a test "
            "of yours does not call robustness_judge (to measure without a limit, say measure_only)"
        )
        yield from (describe(verdict) for verdict in results.unnoticed)


def why_not_judged(results: BenchmarkResults) -> str:
    """Return why nothing can be said of the benchmark as a whole; empty where it can."""
    if results.data_missing:
        return f"the data are missing: {results.data_missing}"
    if results.settings.narrowing:
        return f"this run is not what the YAML declares ({', '.join(results.settings.narrowing)})"
    if results.deselected:
        n, total, shard = len(results.deselected), len(results.declared), results.settings.shard
        if shard:
            return f"this is shard {shard}: pytest-robustbench merge judges all of them"
        return f"{n} of {total} conditions are deselected"
    if not results.has_limits and results.declaration.regression is None:
        return "no limit is declared, everything is only measured"
    return ""


def _regression(results: BenchmarkResults) -> Aggregate:
    unjudged = why_not_judged(results)
    if unjudged:
        if results.owes_comparison:
            return Aggregate("regression", "failed", f"{NOT_JUDGED}{unjudged}; {OWED}")
        outcome: Outcome = "failed" if results.settings.asks_for_baseline else "skipped"
        return Aggregate("regression", outcome, NOT_JUDGED + unjudged, "not_judged")
    if not results.comparable:
        unfinished = "; ".join(_incompleteness(results)) or "there is no report"
        return Aggregate("regression", "failed", f"nothing to compare: {unfinished}", "error")
    if results.baseline_error:
        return Aggregate("regression", "failed", results.baseline_error, "error")
    if results.updated_baseline is not None:
        text = f"{NOT_JUDGED}the baseline {results.updated_baseline.name} is this run now"
        return Aggregate("regression", "skipped", text, "baseline_updated")
    return _compared(results)


def _compared(results: BenchmarkResults) -> Aggregate:
    from pytest_robustbench.reports.compare.regression import overall_outcome
    from pytest_robustbench.reports.pages.comparison_text import explanation

    came_to = overall_outcome(results.judged)
    if came_to == "pass":
        return Aggregate("regression", "passed", came_to=came_to)
    text = "\n".join(line for judged in results.judged for line in explanation(judged))
    tolerated = came_to == "inconclusive" and not results.fails_if_inconclusive
    outcome: Outcome = "skipped" if tolerated else "failed"
    return Aggregate("regression", outcome, text or "nothing was compared", came_to)


JUDGES = {"summary": _summary, "complete": _complete, "regression": _regression}


def problems_of(results: BenchmarkResults) -> Iterator[str]:
    """Yield what failed beyond the limits, which a report alone does not tell."""
    name = results.declaration.name
    for aggregate in aggregates(results):
        if aggregate.outcome == "failed" and not _stands_in_report(aggregate.name, results):
            yield f"[{name}-{aggregate.name}] failed: {aggregate.text.partition(NEW_LINE)[0]}"
    if results.failed_otherwise:
        conditions = _listed(results.failed_otherwise)
        yield f"a test failed for another reason than a limit: {conditions}"


def _stands_in_report(name: str, results: BenchmarkResults) -> bool:
    """Return whether the report itself says why an aggregate item failed."""
    told = results.errors or results.trouble
    return {
        "summary": True,
        "complete": bool(told) and not (results.missing or results.unnoticed),
        "regression": bool(results.judged),
    }[name]


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def addresses(results: BenchmarkResults, aggregate: str) -> list[Address]:
    """Return where a verdict is reported: its collected items, or one named after the first."""
    collected = results.aggregate_items.values()
    own = [(ref.nodeid, ref.location) for ref in collected if ref.aggregate == aggregate]
    return own or [address(results.first_item, f"{results.declaration.name}-{aggregate}")]


def address(first: ItemRef, name: str) -> Address:
    """Return the address of an item, of the same test as `first`, that was not collected."""
    path, line, test = first.location
    suffix = f"[{name}]"
    nodeid = first.nodeid.partition("[")[0] + suffix
    return nodeid, (path, line, test.partition("[")[0] + suffix)


def report_as_item(config: pytest.Config, at: Address, found: Aggregate) -> None:
    """Report a verdict as that of an item.

    pytest cannot run it: what it judges is known only when everything else has run, whatever the
    order, and under several workers only on the controller.
    """
    nodeid, location = at
    config.hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    for report in _phases(nodeid, location, found):
        config.hook.pytest_runtest_logreport(report=report)
    config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)


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
