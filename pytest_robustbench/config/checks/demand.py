"""Checks of the demand that limits are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.gates.limits import Demand
from pytest_robustbench.gates.showing import why_never_shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.config.checks.runs import Plan
    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.gates.limits import Limit


def demand_of(model: Benchmark, plan: Plan, here: Scope) -> Demand | None:
    """Return the declared demand, if there is one; complain of limits that can never meet it."""
    confidence, unsure = model.accept.confidence, model.accept.unsure
    if confidence is None:
        if unsure is not None and here.insists_on("accept", "unsure"):
            message = "accept.unsure says how limits end that are not shown: name accept.confidence"
            here.complain_of_key(message, "accept", "unsure")
        return None
    never = {(one.source, one.metric): one for one in _limits(plan) if why_never_shown(one)}
    for path in here.limit_paths():
        limit = never.get((here.source(*path), path[-1])) if path[0] == "accept" else None
        if limit is not None:
            message = (
                f"no number of parts can show this limit at accept.confidence {confidence:g}: "
                f"{why_never_shown(limit)}; take it out, or move it, or leave confidence out"
            )
            here.complain_of_key(message, *path)
    return Demand(confidence, unsure or "fail")


def _limits(plan: Plan) -> Iterator[Limit]:
    yield from (limit for limits in plan.limits.values() for limit in limits)
    yield from plan.summary
