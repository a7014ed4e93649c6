"""Limits that a run would keep, all together, on other images of the same kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import isfinite
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.prediction import Predicted, jointly_predicted
from pytest_robustbench.gates.soundness import ONE_SIDED, sides_of, sides_seen
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.reports.file.fields import metrics_of, undefined_of
from pytest_robustbench.reports.file.record import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.metrics.metric import Bound, Metric
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.reports.file.stored import StoredReport

PROPOSED = sorted((m for m in BUILT_IN if m.proposed), key=lambda m: "misses" not in m.sees)
"""What is found falls with the severity: one limit for all conditions would say nothing. False
alarms have one ceiling for all conditions that can have one, and a tighter one for clean."""
DIGITS = 2
MOST_LOST = 0.9
"""Share of what could be lost at most: a limit that lets more go is none."""
ALL = ("all",)
TEST = "test"
"""The images that all conditions show but for recorded sets, which have their own."""


@dataclass(frozen=True)
class ProposedLimit:
    """One limit for an ``accept`` section.

    Parameters
    ----------
    scope : tuple of str
        Where it stands under ``accept``: ``("all",)``, ``("blur", "severity_3")``.
    metric, bound : str
        What is bounded, ``min`` or ``max``.
    number : Decimal
        The bound, rounded outwards.
    condition : str
        Where `value` was measured; under ``all`` the condition that needs the loosest bound.
    value : float
        What was measured there.
    """

    scope: tuple[str, ...]
    metric: str
    bound: Bound
    number: Decimal
    condition: str
    value: float

    @property
    def judges(self) -> bool:
        """Whether it says something: most of what could be lost must not be lost."""
        worst = 0.0 if self.bound == "min" else metric_called(self.metric).largest
        at_stake = abs(worst - self.value)
        return at_stake > 0 and abs(float(self.number) - self.value) <= MOST_LOST * at_stake


@dataclass(frozen=True)
class Proposal:
    """Limits from one run.

    Parameters
    ----------
    limits : tuple of ProposedLimit
        By scope, ``all`` first, then the conditions in the report's order.
    omitted : tuple of str
        What no limit is proposed for, and why.
    unjudged : tuple of str
        Ids of the conditions that no limit reaches.
    """

    limits: tuple[ProposedLimit, ...]
    omitted: tuple[str, ...]
    unjudged: tuple[str, ...]


def propose_limits(report: StoredReport, safety: float) -> Proposal:
    """Propose floors and ceilings that another test set of the same size keeps, all together.

    Parameters
    ----------
    report : StoredReport
        A complete run.
    safety : float
        How often another set keeps them all, in (0, 1); see `jointly_predicted`.
    """
    own = [metric_called(name) for name in report.plain.get("own_metrics", {})]
    metrics = (*PROPOSED, *own)
    safe = _safe_values(report, metrics, safety)
    found: list[ProposedLimit] = []
    omitted: list[str] = []
    bounds_of = {
        metric: [_bound(report, condition, metric, safe) for condition in report.conditions]
        for metric in metrics
    }
    for k, condition in enumerate(report.conditions):
        for metric in _one_sided_on_images({m: each[k] for m, each in bounds_of.items()}):
            reason = f"{metric.name} of {condition}: it alone would judge whole images"
            bounds_of[metric][k] = f"{reason}, on one side of decisions"
    for metric, bounds in bounds_of.items():
        known = [bound for bound in bounds if isinstance(bound, ProposedLimit)]
        common = metric.bound == "max" and "misses" not in metric.sees and len(known) == len(bounds)
        wanted = _common(known, report) if common and all(b.judges for b in known) else known
        found += [limit for limit in wanted if limit.judges]
        omitted += dict.fromkeys(bound for bound in bounds if isinstance(bound, str))
        omitted += [_says_nothing(limit) for limit in wanted if not limit.judges]
    unreached = _unreached(found, report)
    blind = [c for c in report.conditions if c not in unreached and _is_blind(c, found)]
    omitted += [f"{condition}: it would see one side of decisions alone" for condition in blind]
    found = [limit for limit in found if limit.scope not in map(_scope_of, blind)]
    if len(blind) + len(unreached) == len(report.conditions):
        found = []
    return Proposal(_in_order(found, report), tuple(omitted), (*unreached, *blind))


def _one_sided_on_images(bounds: Mapping[Metric, ProposedLimit | str]) -> list[Metric]:
    """Return the metrics of whole images whose limits would see one side of decisions alone.

    Without them the limits on pixels may stay: beside them these do not count.
    """
    judging = [m for m, b in bounds.items() if isinstance(b, ProposedLimit) and b.judges]
    on_images = [m for m in judging if m.level == "image" and sides_of([m])]
    return [] if len(sides_of(on_images)) == len(ONE_SIDED) else on_images


def _is_blind(condition: str, found: Sequence[ProposedLimit]) -> bool:
    """Return whether the limits of a condition see misses alone, or false alarms alone."""
    scopes = (ALL, _scope_of(condition))
    bound = (Limit(f.metric, f.bound, float(f.number), "") for f in found if f.scope in scopes)
    return len(sides_seen(bound)) < len(ONE_SIDED)


def _safe_values(
    report: StoredReport, metrics: Sequence[Metric], safety: float
) -> Mapping[tuple[str, str], float]:
    """Return a safe limit by condition and metric, for every value that there is."""
    values = {
        (id_, metric.name): Predicted(metric, id_ if condition.recorded else TEST, outcomes)
        for id_, condition in report.conditions.items()
        for outcomes in [_outcomes(report, id_)]
        for metric in metrics
        if metrics_of(report.record(id_))[metric.name] is not None
    }
    limits = jointly_predicted(tuple(values.values()), safety)
    return dict(zip(values, limits.tolist(), strict=True))


def _outcomes(report: StoredReport, condition: str) -> Outcomes:
    return outcomes_of(report.record(condition), report.samples(condition))


def _bound(
    report: StoredReport,
    condition: str,
    metric: Metric,
    safe: Mapping[tuple[str, str], float],
) -> ProposedLimit | str:
    """Return a limit for one condition, or why there is none."""
    record, name = report.record(condition), metric.name
    value = metrics_of(record)[name]
    if value is None:
        return f"{name}: {undefined_of(record).get(name, 'not measured')}"
    limit = safe[condition, name]
    if not isfinite(limit):
        return f"{name}: it has no largest value, and one part not seen could be of any"
    furthest = min(limit, value) if metric.more_is_better else max(limit, value)
    number = outwards(furthest, floor=metric.more_is_better)
    return ProposedLimit(_scope_of(condition), name, metric.bound, number, condition, value)


def outwards(value: float, *, floor: bool, digits: int = DIGITS) -> Decimal:
    """Return `value` with so many significant digits: a floor rounded down, a ceiling up."""
    exact = Decimal(value)
    if not exact:
        return Decimal(0)
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return exact.quantize(step, ROUND_FLOOR if floor else ROUND_CEILING)


def _scope_of(condition: str) -> tuple[str, ...]:
    return tuple(condition.split("-", 1))


def _common(bounds: list[ProposedLimit], report: StoredReport) -> list[ProposedLimit]:
    """Return the loosest ceiling on the test images for all, and those that it does not fit.

    Clean has its own where that is tighter, recorded sets always: their images are others, and may
    be few.
    """
    shared = [bound for bound in bounds if not report.conditions[bound.condition].recorded]
    worst = max(shared or bounds, key=lambda limit: limit.number)
    others = [
        bound
        for bound in bounds
        if bound.number != worst.number and (bound not in shared or bound.condition == CLEAN.id)
    ]
    return [replace(worst, scope=ALL), *others]


def _says_nothing(limit: ProposedLimit) -> str:
    what = f"{limit.metric} of {limit.condition}"
    safe = f"only {limit.number:f} is safe, which says next to nothing"
    return f"{what}: after {limit.value:.3g}, {safe}; it takes more parts"


def _in_order(limits: list[ProposedLimit], report: StoredReport) -> tuple[ProposedLimit, ...]:
    scopes = [ALL, *(_scope_of(condition) for condition in report.conditions)]
    return tuple(sorted(limits, key=lambda limit: scopes.index(limit.scope)))


def _unreached(limits: list[ProposedLimit], report: StoredReport) -> tuple[str, ...]:
    scopes = {limit.scope for limit in limits}
    if ALL in scopes:
        return ()
    return tuple(c for c in report.conditions if _scope_of(c) not in scopes)


def slowest(report: StoredReport) -> tuple[str, float] | None:
    """Return the condition with the longest median time per image, and that time in ms."""
    times = dict(_latencies(report))
    return max(times.items(), key=lambda item: item[1]) if times else None


def _latencies(report: StoredReport) -> Iterator[tuple[str, float]]:
    for condition in report.conditions:
        latency = metrics_of(report.record(condition))["latency_ms_per_image"]
        if latency is not None:
            yield condition, latency
