"""Whether the verdicts of a report follow from its values, its limits and its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.gates.judgement import judge
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.reports.file.comparison_integrity import comparison_problems
from pytest_robustbench.reports.file.fields import ranking_error_of
from pytest_robustbench.reports.file.record_integrity import EDITED, agree
from pytest_robustbench.reports.pages.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from pytest_robustbench.gates.limits import Outcome, Verdict


def verdict_problems(plain: Mapping[str, Any]) -> Iterator[str]:
    """Say which verdicts contradict the rest of a report, and which are missing.

    Parameters
    ----------
    plain : mapping
        A report whose parts have the types they must have.
    """
    source = Source(plain)
    declared = _declared(source)
    for verdict in source.verdicts:
        problem = _problem(verdict, source) or _undeclared(verdict, source, declared)
        if problem:
            yield f"the verdict on {verdict.limit.metric} of {verdict.condition} {problem}"
    lacking = [f"{metric} of {c}" for c, metric in declared.keys() - source.judged.keys()]
    if lacking:
        yield f"limits are declared, and not judged: {', '.join(sorted(lacking))}: {EDITED}"
    for compared in source.compared:
        yield from comparison_problems(source, compared)


def _problem(verdict: Verdict, source: Source) -> str:
    summary: Mapping[str, float | None] = source.plain["robustness_summary"]
    values = source.metrics.get(verdict.condition, {})
    found = (summary if verdict.condition == SUMMARY else values).get(verdict.limit.metric)
    if not agree(verdict.value, found):
        return f"is on {verdict.value}, but that metric is {found}: {EDITED}"
    if verdict.outcome != _outcome(verdict, source):
        return f"is {verdict.outcome!r}, but its value says otherwise: {EDITED}"
    return ""


def _outcome(verdict: Verdict, source: Source) -> Outcome:
    """Judge a value again; how exact a summary is, a report does not tell."""
    metric, record = verdict.limit.metric, source.records.get(verdict.condition)
    if record is None and verdict.outcome == "error":
        return "error"
    errors = {} if record is None else ranking_error_of(record)
    (judged,) = judge(verdict.condition, [verdict.limit], {metric: verdict.value}, {}, errors)
    return judged.outcome


def _undeclared(
    verdict: Verdict, source: Source, declared: Mapping[tuple[str, str], object]
) -> str:
    """Say what a verdict rests on that the configuration does not declare."""
    limit, place = verdict.limit, (verdict.condition, verdict.limit.metric)
    if declared.get(place, {limit.bound: limit.value}) != {limit.bound: limit.value}:
        return f"is on {limit.bound} {limit.value}, but {declared[place]} is declared: {EDITED}"
    waivers = source.plain["config"].get("waivers")
    if verdict.waiver is None or not declared or not isinstance(waivers, list):
        return ""
    waiver = {"condition": place[0], "metric": place[1], "until": verdict.waiver.until.isoformat()}
    is_declared = any(isinstance(w, dict) and waiver.items() <= w.items() for w in waivers)
    return "" if is_declared else f"is waived, but no such waiver is declared: {EDITED}"


def _declared(source: Source) -> dict[tuple[str, str], object]:
    """Return the declared limits on what was tried; those on the summary of a complete run."""
    complete = source.plain["complete"]
    return {
        (condition, metric): bounds
        for (condition, metric), bounds in source.declared.items()
        if condition in source.records or (condition == SUMMARY and complete)
    }
