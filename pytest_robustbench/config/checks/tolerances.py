"""Along which corruptions a tolerance is looked for, what breaks there, and what limits it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import MIDDLE, SEVEREST, TOLERANCE, Condition
from pytest_robustbench.config.checks.precedence import LimitTable
from pytest_robustbench.config.declarations import LineDriftDeclaration
from pytest_robustbench.corruptions.catalogue import QUANTITIES, SEVERITY_UNIT, unit_of
from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.declarations import CorruptionReference
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.config.models.limits import ToleranceLimit
    from pytest_robustbench.config.models.values import Level
    from pytest_robustbench.corruptions.references import Reference
    from pytest_robustbench.metrics.metric import SideName

PLACE = ("accept", TOLERANCE)
LADDER = f"severity_{MIDDLE}"
BY_VALUE = "{0} is one level, given by value: a tolerance is looked for along severities"


@dataclass(frozen=True)
class Tolerances:
    """What is looked for, by corruption.

    Parameters
    ----------
    limits : mapping of str to tuple of Limit
        By id of the condition; none where the tolerance is only measured.
    breaks : mapping of str to mapping
        By corruption, the shares of parts above which decisions are broken, where limits say.
    """

    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    breaks: Mapping[str, Mapping[SideName, float]] = field(default_factory=dict)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What stands for them among the conditions."""
        return tuple(Condition(TOLERANCE, ladder=name) for name in self.breaks)


def tolerances_of(
    model: Benchmark, corruptions: Mapping[str, CorruptionReference], here: Scope
) -> Tolerances:
    """Return what a benchmark declares; complain of what cannot be looked for."""
    table = LimitTable(model.accept, here.table.table("accept"), here.file)
    limits: dict[str, tuple[Limit, ...]] = {}
    breaks: dict[str, Mapping[SideName, float]] = {}
    for name, declared in model.accept.tolerance.items():
        problem = _problem(name, corruptions)
        if problem and here.insists_on(*PLACE, name):
            here.complain_of_key(problem, *PLACE, name)
        if problem or declared is None:
            continue
        condition = Condition(TOLERANCE, ladder=name)
        limits[condition.id] = _limits(name, declared, parse_reference(corruptions[name]), here)
        breaks[name] = _breaks(table.of(Condition(name)))
    return Tolerances(limits, breaks)


def line_drift_of(model: Benchmark, here: Scope) -> LineDriftDeclaration | None:
    """Return where it stands how the line has drifted; complain where nothing asks for it."""
    if model.line_drift is None:
        return None
    if not model.accept.tolerance and here.insists_on("line_drift"):
        message = "line_drift tells tolerances as multiples of it: name some under accept.tolerance"
        here.complain_of_key(message, "line_drift")
    return LineDriftDeclaration(model.line_drift.file, here.source("line_drift"))


def _problem(name: str, corruptions: Mapping[str, CorruptionReference]) -> str:
    if name not in corruptions:
        return f"tolerance of {name!r}, which is not run; {suggestion(name, corruptions)}"
    return BY_VALUE.format(name) if parse_reference(corruptions[name]).by_value else ""


def _limits(
    name: str, declared: ToleranceLimit, reference: Reference, here: Scope
) -> tuple[Limit, ...]:
    place = (*PLACE, name, "min")
    if declared.min is None:
        return ()
    problem = _unfit(declared.min, name, reference)
    if problem:
        here.complain(problem, *place)
        return ()
    level = declared.min
    return (Limit(TOLERANCE, "min", level.value, here.source(*place), level.unit),)


def _unfit(level: Level, name: str, reference: Reference) -> str:
    """Return why nothing can be held against a level; empty where something can."""
    unit = unit_of(reference.target)
    if level.unit not in (SEVERITY_UNIT, unit):
        units = f"{unit}, or as severity 3" if unit else f"severities: {SEVERITY_UNIT} 3"
        return f"the tolerance of {name} is told in {units}, not in {level.unit}"
    severity = level.value
    if level.unit != SEVERITY_UNIT:
        severity = MIDDLE + math.log2(level.value / _middle(reference))
    if severity <= SEVEREST:
        return ""
    most = _middle(reference) * 2 ** (SEVEREST - MIDDLE) if level.unit == unit else SEVEREST
    return (
        f"{level.value:g} {level.unit} lies beyond severity {SEVEREST}, {most:g} {level.unit}: "
        f"nothing is measured there. Ask for less, or move the severities by {LADDER} of {name}"
    )


def _middle(reference: Reference) -> float:
    """Return the level at severity 3 of a built-in corruption."""
    first = QUANTITIES[reference.target][0]
    moved = reference.parameters.get(LADDER)
    value = moved.get(first.name) if isinstance(moved, dict) else None
    return float(value) if isinstance(value, int | float) and value > 0 else first.middle


def _breaks(limits: tuple[Limit, ...]) -> dict[SideName, float]:
    """Return the shares of wrong decisions that limits on a corruption allow."""
    values = {limit.metric: limit.value for limit in limits}
    wrong: dict[SideName, tuple[str, str]] = {
        "false_reject_rate": ("false_reject_rate", "specificity"),
        "miss_rate": ("miss_rate", "recall"),
    }
    found: dict[SideName, float] = {}
    for side, (rate, rest) in wrong.items():
        allowed = [values[rate]] if rate in values else []
        allowed += [1 - values[rest]] if rest in values else []
        if allowed:
            found[side] = min(allowed)
    return found
