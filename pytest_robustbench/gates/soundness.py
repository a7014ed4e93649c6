"""Limits that cannot be meant: that nothing violates, or that see one side of decisions alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.metrics.catalogue import BUILT_IN, DROP_PREFIXES, metric_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_robustbench.gates.limits import Limit
    from pytest_robustbench.metrics.metric import Sight

    Limits = Mapping[str, tuple[Limit, ...]]

OneSided = Literal["misses", "false_alarms"]

ONE_SIDED: dict[Sight, OneSided] = {"misses": "misses", "false alarms": "false_alarms"}
"""The sides of a decision, and what says that limits are meant to see it alone."""
DECIDED = {
    side: next(m for m in BUILT_IN if m.level == "image" and m.proposed and side in m.sees)
    for side in ONE_SIDED
}
"""For each side, the share of parts that are decided wrongly."""
KEEPS_ALL: dict[Sight, str] = {"misses": "nothing", "false alarms": "everything"}
"""What a detector may call defective if limits do not see a side."""
MOST_NAMED = 3
HALF = 0.5


class Objection(NamedTuple):
    """What is wrong with limits.

    Parameters
    ----------
    limit : Limit
        One that it is about, for its place.
    text : str
        What is wrong, and the remedy.
    """

    limit: Limit
    text: str


def objections(
    limits: Limits, summary: Iterable[Limit], one_sided: Mapping[str, OneSided]
) -> Iterator[Objection]:
    """Yield what is wrong with the limits of one benchmark.

    Parameters
    ----------
    limits : mapping of condition id to limits
        A condition without any is only measured, and nothing is wrong with it.
    summary : iterable of Limit
        Those over all conditions. Where a condition has limits of its own, these judge decisions,
        and the summary need not.
    one_sided : mapping of condition id to {"misses", "false_alarms"}
        The side that limits are meant to see alone.
    """
    of_summary = tuple(summary)
    every = (limit for one in (*limits.values(), of_summary) for limit in one)
    for limit in dict.fromkeys(every):
        if why_vacuous(limit):
            yield Objection(limit, why_vacuous(limit))
    judged = {name: found for name, found in limits.items() if found}
    yield from _blind(judged or ({SUMMARY: of_summary} if of_summary else {}), one_sided)


def why_vacuous(limit: Limit) -> str:
    """Return why nothing can violate a limit; empty where something can."""
    metric = metric_called(limit.metric)
    if limit.bound == "min":
        vacuous, end = limit.value <= 0, "no value is below 0"
    else:
        drops = limit.metric.startswith(DROP_PREFIXES)
        vacuous, end = limit.value >= metric.most, f"none is above {metric.most:g}"
        end = f"nothing drops by more than {metric.most:g}" if drops else end
        end = f"{metric.most:g} is a day" if metric.is_latency else end
    if not vacuous:
        return ""
    return (
        f"{limit.metric} {limit.bound} {limit.value:g} can never be violated ({end}): take a "
        "number that can fail, or take it out; measure_only says honestly what no limit judges"
    )


def sides_seen(limits: Iterable[Limit]) -> frozenset[Sight]:
    """Return the sides of wrong decisions that limits see; drops see nothing absolute."""
    absolute = (limit for limit in limits if not limit.metric.startswith(DROP_PREFIXES))
    return frozenset(s for one in absolute for s in metric_called(one.metric).sees if s in DECIDED)


def _blind(limits: Limits, one_sided: Mapping[str, OneSided]) -> Iterator[Objection]:
    """Yield one objection for all conditions that are blind in the same way."""
    found: dict[str, list[str]] = {}
    for condition, bound in limits.items():
        problem = _why_blind(sides_seen(bound), one_sided.get(condition))
        if problem:
            found.setdefault(problem, []).append(condition)
    for problem, conditions in found.items():
        more = len(conditions) - MOST_NAMED
        names = ", ".join(conditions[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield Objection(limits[conditions[0]][0], f"{names}: {problem}")


def _why_blind(seen: frozenset[Sight], meant: OneSided | None) -> str:
    unseen = [side for side in DECIDED if side not in seen]
    if meant is not None:
        side = next(side for side, word in ONE_SIDED.items() if word == meant)
        if side in seen:
            return ""
        return f"one_sided: {meant} is said, but no limit sees {side}: {_remedy([side])}"
    if not unseen:
        return ""
    if len(unseen) == len(DECIDED):
        return f"no limit sees a wrong decision: {_remedy(unseen)}, or name it in measure_only"
    (missing,), (side,) = unseen, seen
    return (
        f"no limit sees {missing}: a detector that calls {KEEPS_ALL[missing]} defective may keep "
        f"all of them; {_remedy(unseen)}, or write one_sided: {ONE_SIDED[side]} beside the limits"
    )


def _remedy(sides: Iterable[Sight]) -> str:
    return f"declare {' and '.join(DECIDED[side].name for side in sides)}"


def unseen_decisions(limits: Iterable[Limit], values: Mapping[str, float | None]) -> str:
    """Return that most decisions are wrong where no limit on decisions sees it; empty elsewhere.

    Parameters
    ----------
    limits : iterable of Limit
        Of one condition.
    values : mapping of str to float or None
        The metrics of the condition.
    """
    declared = tuple(limits)
    on_images = sides_seen(one for one in declared if metric_called(one.metric).level == "image")
    wrong = {
        row: values.get(row.name) or 0.0 for side, row in DECIDED.items() if side not in on_images
    }
    told = [f"{row.name} {value:.3g}" for row, value in wrong.items() if value > HALF]
    if not declared or not told:
        return ""
    return f"most image decisions are wrong ({', '.join(told)}), and no limit is on them"
