"""The waivers that a benchmark declares: limits that may be violated until a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.gates.limits import SUMMARY, Waiver
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from pytest_robustbench.config.checks.runs import Plan
    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.config.models.limits import WaiverEntry


def waivers_of(model: Benchmark, plan: Plan, here: Scope) -> tuple[Waiver, ...]:
    """Return the declared waivers; one that waives nothing is complained of.

    What a profile inherits for conditions it does not run, or does not judge, is passed over.
    """
    found: dict[tuple[str, str], Waiver] = {}
    for index, entry in enumerate(model.waivers):
        key, problem = _problem(entry, plan)
        place = ("waivers", index, key)
        if (entry.condition, entry.metric) in found:
            problem = f"{entry.metric} under {entry.condition} is waived twice; keep one of them"
            here.complain(problem, *place)
        elif not problem:
            found[entry.condition, entry.metric] = _waiver(entry, here.source(*place[:2]))
        elif here.insists_on("waivers"):
            here.complain(problem, *place)
    return tuple(found.values())


def _waiver(entry: WaiverEntry, source: str) -> Waiver:
    return Waiver(
        str(entry.condition),
        str(entry.metric),
        str(entry.reason),
        str(entry.by),
        entry.until,
        source,
    )


def _problem(entry: WaiverEntry, plan: Plan) -> tuple[str, str]:
    """Return the key that is wrong, and why; the reason is empty where nothing is."""
    conditions = [*(c.id for c in plan.conditions), SUMMARY]
    if entry.condition not in conditions:
        why = f"unknown condition {entry.condition!r} in waivers"
        return "condition", f"{why}; {suggestion(entry.condition, conditions)}"
    limits = plan.summary if entry.condition == SUMMARY else plan.limits[entry.condition]
    limited = [limit.metric for limit in limits]
    if entry.metric in limited:
        return "metric", ""
    why = f"nothing to waive: no limit on {entry.metric!r} binds {entry.condition}"
    return "metric", f"{why}; {suggestion(entry.metric, limited)}" if limited else why
