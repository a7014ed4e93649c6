"""Limits that cannot be meant: that nothing violates, or that see one side of decisions alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.metrics.catalogue import BUILT_IN, DROP_PREFIXES, bound_of, metric_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_robustbench.gates.limits import Limit, Verdict
    from pytest_robustbench.metrics.metric import Level, Metric, Sight

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
PARTS: dict[Sight, str] = {"misses": "defective", "false alarms": "good"}
"""The parts that are decided wrongly on a side."""
WRITE = "write one_sided: {side} beside the limits"
"""How one says in YAML that one side is meant."""
SEES_BOTH = "one_sided is said, but the limits see both sides: drop it"
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
        objection = _why_reversed(limit) or why_vacuous(limit)
        if objection:
            yield Objection(limit, objection)
    judged = {name: found for name, found in limits.items() if found}
    yield from _blind(judged or ({SUMMARY: of_summary} if of_summary else {}), one_sided)


def _why_reversed(limit: Limit) -> str:
    """Return that a limit is a floor where less is better, or a ceiling where more is."""
    right = bound_of(limit.metric)
    if limit.bound == right:
        return ""
    better = "more" if right == "min" else "less"
    return f"{limit.bound!r} on {limit.metric}: {better} of it is better, so it takes {right!r}"


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
    """Return the sides of wrong decisions that limits see, by level; drops see nothing absolute.

    See `sides_of`.
    """
    return sides_of(_absolute(limits))


def sides_of(metrics: Iterable[Metric]) -> frozenset[Sight]:
    """Return the sides of wrong decisions that limits on metrics see together.

    Pixels do not say which parts are rejected, and which pass: where a limit on whole images sees a
    side, those on pixels do not count.
    """
    rows = tuple(metrics)
    return _sides_at("image", rows) or _sides_at("pixel", rows)


def _absolute(limits: Iterable[Limit]) -> Iterator[Metric]:
    absolute = (limit for limit in limits if not limit.metric.startswith(DROP_PREFIXES))
    return (metric_called(limit.metric) for limit in absolute)


def _sides_at(level: Level, metrics: Iterable[Metric]) -> frozenset[Sight]:
    return frozenset(s for one in metrics if one.level == level for s in one.sees if s in DECIDED)


def _blind(limits: Limits, one_sided: Mapping[str, OneSided]) -> Iterator[Objection]:
    """Yield one objection for all conditions that are blind in the same way."""
    found: dict[str, list[str]] = {}
    for condition, bound in limits.items():
        problem = why_blind(_absolute(bound), one_sided.get(condition))
        if problem:
            problem += ", or name it in measure_only" if not sides_seen(bound) else ""
            found.setdefault(problem, []).append(condition)
    for problem, conditions in found.items():
        more = len(conditions) - MOST_NAMED
        names = ", ".join(conditions[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield Objection(limits[conditions[0]][0], f"{names}: {problem}")


def why_blind(metrics: Iterable[Metric], meant: OneSided | None, write: str = WRITE) -> str:
    """Return why limits on metrics see one side of wrong decisions alone; empty where they do not.

    Parameters
    ----------
    metrics : iterable of Metric
        What is bounded, absolutely or against a baseline.
    meant : {"misses", "false_alarms"}, optional
        The side that is meant to be seen alone.
    write : str
        How one says that, with ``{side}`` for the side.
    """
    rows = tuple(metrics)
    seen, on_images = sides_of(rows), _sides_at("image", rows)
    unseen = [side for side in DECIDED if side not in seen]
    if meant is not None:
        side = next(side for side, word in ONE_SIDED.items() if word == meant)
        said = f"one_sided: {meant} is said, but {_no_limit(side, rows)}: {_remedy([side])}"
        return "" if side in seen else said
    if not unseen:
        return ""
    if len(unseen) == len(DECIDED):
        return f"no limit sees a wrong decision: {_remedy(unseen)}"
    (missing,), (side,) = unseen, seen
    return (
        f"{_no_limit(missing, rows)}: a detector that calls {KEEPS_ALL[missing]} defective may "
        f"keep all of them; {_remedy(unseen if on_images else DECIDED)}, or "
        f"{write.format(side=ONE_SIDED[side])}"
    )


def _no_limit(missing: Sight, metrics: Sequence[Metric]) -> str:
    """Return that no limit sees a side, or none that counts."""
    if missing in _sides_at("pixel", metrics):
        return (
            f"no limit on whole images sees {missing} (pixels do not say which parts are rejected)"
        )
    return f"no limit sees {missing}"


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
    on_images = _sides_at("image", tuple(_absolute(declared)))
    rates = {side: values.get(row.name) or 0.0 for side, row in DECIDED.items()}
    wrong = [side for side, rate in rates.items() if rate > HALF and side not in on_images]
    if not declared or not wrong:
        return ""
    parts = " and ".join(PARTS[side] for side in wrong)
    told = ", ".join(f"{DECIDED[side].name} {rates[side]:.3g}" for side in wrong)
    return f"most image decisions on {parts} parts are wrong ({told}), and no limit sees it"


def wrong_decisions(
    verdicts: Iterable[Verdict], measured: Mapping[str, Mapping[str, float | None]]
) -> Iterator[str]:
    """Yield where most image decisions are wrong and no limit sees it: the first condition alone.

    Parameters
    ----------
    verdicts : iterable of Verdict
        Of one benchmark. Where none is on a condition, those on the summary stand for all of them.
    measured : mapping of condition id to metrics
        What was measured.
    """
    limits: dict[str, list[Limit]] = {}
    for verdict in verdicts:
        limits.setdefault(verdict.condition, []).append(verdict.limit)
    of_all = limits[SUMMARY] if set(limits) == {SUMMARY} else []
    found = {c: unseen_decisions(limits.get(c, of_all), values) for c, values in measured.items()}
    told = {condition: text for condition, text in found.items() if text}
    if told:
        condition, text = next(iter(told.items()))
        more = f" (so under {len(told)} conditions)" if len(told) > 1 else ""
        yield f"{condition}: {text}{more}"
