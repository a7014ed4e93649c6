"""Whether the verdicts of a report follow from its values, its limits and its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.reports.record_integrity import EDITED, agree
from pytest_robustbench.reports.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from pytest_robustbench.gates.limits import Verdict

SUMMARY = "summary"


def verdict_problems(plain: Mapping[str, Any]) -> Iterator[str]:
    """Say which verdicts contradict the rest of a report, and which are missing.

    Parameters
    ----------
    plain : mapping
        A report whose parts have the types they must have.
    """
    source = Source(plain)
    for verdict in source.verdicts:
        problem = _problem(verdict, source)
        if problem:
            yield f"the verdict on {verdict.limit.metric} of {verdict.condition} {problem}"
    lacking = [f"{metric} of {c}" for c, metric in _declared(source) - set(source.judged)]
    if lacking:
        yield f"limits are declared, and not judged: {', '.join(sorted(lacking))}: {EDITED}"


def _problem(verdict: Verdict, source: Source) -> str:
    summary: Mapping[str, float | None] = source.plain["robustness_summary"]
    values = source.metrics.get(verdict.condition, {})
    found = (summary if verdict.condition == SUMMARY else values).get(verdict.limit.metric)
    if not agree(verdict.value, found):
        return f"is on {verdict.value}, but that metric is {found}: {EDITED}"
    if verdict.outcome != "error" and (verdict.outcome == "pass") != _holds(verdict):
        return f"is {verdict.outcome!r}, but its value says otherwise: {EDITED}"
    return ""


def _holds(verdict: Verdict) -> bool:
    if verdict.value is None:
        return False
    if verdict.limit.bound == "min":
        return verdict.value >= verdict.limit.value
    return verdict.value <= verdict.limit.value


def _declared(source: Source) -> set[tuple[str, str]]:
    """Return the limits on what was tried, by condition and metric.

    Those on the summary are judged in a complete run alone. A Python user's own configuration may
    have any shape, and then declares nothing.
    """
    config = source.plain["config"]
    accept, summary = config.get("accept"), config.get(SUMMARY)
    found = {
        (condition, metric)
        for condition, limits in (accept if isinstance(accept, dict) else {}).items()
        if condition in source.records and isinstance(limits, dict)
        for metric in limits
    }
    if isinstance(summary, dict) and source.plain["complete"]:
        found |= {(SUMMARY, metric) for metric in summary}
    return found
