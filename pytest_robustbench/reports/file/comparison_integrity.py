"""Whether a comparison that a report holds agrees with itself and with the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.gates.regression.changes import comparable_metrics
from pytest_robustbench.gates.regression.verdicts import WORST_FIRST
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.file.record_integrity import EDITED, agree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.reports.pages.source import Plain, Source


def comparison_problems(source: Source, compared: Plain) -> Iterator[str]:
    """Say where a comparison contradicts itself, or lacks what is declared.

    Parameters
    ----------
    source : Source
        The report.
    compared : mapping
        One of its comparisons. Its statistics rest on the baseline's images too, and cannot be
        worked out again here.
    """
    what = f"the comparison with the {compared['role']} {compared['baseline']}"
    verdicts = compared["verdicts"]
    outcomes = {verdict["outcome"] for verdict in verdicts} or {"error"}
    worst = next(outcome for outcome in WORST_FIRST if outcome in outcomes)
    if compared["outcome"] != ("error" if compared["problems"] else worst):
        yield f"{what} contradicts its own verdicts: {EDITED}"
    for verdict in verdicts:
        problem = _problem(verdict)
        if problem:
            yield f"{what}: {verdict['metric']} of {verdict['condition']} {problem}: {EDITED}"
    lacking = [] if compared["problems"] else list(_lacking(source, verdicts))
    if lacking:
        yield f"{what} lacks {', '.join(lacking)}, which is declared: {EDITED}"


def _problem(verdict: Plain) -> str:
    """Say what the numbers of a verdict cannot be together; empty where they can."""
    baseline, candidate, loss = verdict["baseline"], verdict["candidate"], verdict["loss"]
    if metric_called(
        verdict["metric"]
    ).is_latency:  # judged on the calls of both, not on these two numbers
        return ""
    if loss is None or baseline is None or candidate is None:
        return "passes without a value" if verdict["outcome"] == "pass" else ""
    sign = -metric_called(verdict["metric"]).sign
    if not agree(loss, sign * (baseline - candidate)):
        return f"loses {loss}, but its values differ by {sign * (baseline - candidate)}"
    allowed = verdict["allowed"]
    if verdict["outcome"] == "pass" and allowed is not None and loss > allowed:
        return f"passes with a loss of {loss}, more than the {allowed} allowed"
    if verdict["outcome"] == "regressed" and allowed is not None and loss <= allowed:
        return f"regressed with a loss of {loss}, within the {allowed} allowed"
    return ""


def _lacking(source: Source, verdicts: list[Plain]) -> Iterator[str]:
    """Yield the declared metrics, with their conditions, that no verdict speaks of."""
    declared = source.plain["config"].get("regression")
    if not source.declared or not isinstance(declared, dict):
        return
    found = {(verdict["condition"], verdict["metric"]) for verdict in verdicts}
    for metric in (m for m in comparable_metrics() if isinstance(declared.get(m), dict)):
        if metric_called(metric).is_latency:
            expected = ["run"]
        else:  # of a recorded set some metrics have no images to speak of
            expected = [c for c in source.measured if not source.conditions[c].recorded]
        yield from (f"{metric} of {c}" for c in expected if (c, metric) not in found)
