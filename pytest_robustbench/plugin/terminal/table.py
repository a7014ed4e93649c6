"""What stands in the summary table: conditions x metrics, the worst conditions first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.gates.showing import is_unshown
from pytest_robustbench.gates.wording import ALL_DIGITS, FEW_DIGITS, shown
from pytest_robustbench.metrics.catalogue import known_metrics
from pytest_robustbench.plugin.terminal.layout import Cell, Column, Group
from pytest_robustbench.reports.file.fields import metrics_of
from pytest_robustbench.reports.pages.margins import margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults

WITHOUT_LIMITS = ("pixel_segf1", "bg_fpr", "latency_ms_per_image")
N_WORST = 3
VIOLATED = "!"
WAIVED = "w"
UNSHOWN = "~"
UNKNOWN = "-"
UNDECIDED = "?"


def groups_of(results: BenchmarkResults) -> list[Group]:
    """Return the measured conditions: the worst, then the others as they were declared."""
    conditions = _in_order(results)
    judged = [c for c in conditions if results.verdicts.get(c)]
    worst = sorted(judged, key=lambda c: min(map(margin, results.verdicts[c])))[:N_WORST]
    others = tuple(c for c in conditions if c not in worst)
    if not worst or len(conditions) == 1:
        return [Group("", tuple(conditions))]
    if not others:
        return [Group("by margin:", tuple(worst))]
    return [Group("worst by margin:", tuple(worst)), Group("others:", others)]


def columns_of(results: BenchmarkResults, conditions: Iterable[str]) -> list[Column]:
    """Return a column per metric that carries a limit; a few that say most where none does."""
    rows = [_values(results, condition) for condition in conditions]
    return [Column(metric, tuple(row[metric] for row in rows)) for metric in _metrics(results)]


def summary_table(verdicts: Sequence[Verdict]) -> tuple[list[Group], list[Column]]:
    """Return a row for each limit on the summary."""
    group = Group("summary:", tuple(verdict.limit.metric for verdict in verdicts))
    return [group], [Column("", tuple(map(judged_cell, verdicts)))]


def judged_cell(verdict: Verdict) -> Cell:
    """Return a value beside its limit."""
    limit, value = verdict.limit, verdict.value
    return Cell(
        UNKNOWN if value is None else _beside(value, limit.value),
        bound=">=" if limit.bound == "min" else "<=",
        limit=_exact(limit.value),
        margin=_distance(verdict),
        mark=_mark(verdict),
    )


def _mark(verdict: Verdict) -> str:
    if verdict.waived:
        return WAIVED
    if is_unshown(verdict):
        return UNSHOWN
    return "" if verdict.holds else VIOLATED


def _in_order(results: BenchmarkResults) -> list[str]:
    """Return what was measured as it was declared: workers tell in any order."""
    known = dict.fromkeys((*results.declared, *results.records))
    return [c for c in known if c in results.records and not condition_of(c).ladder]


def _metrics(results: BenchmarkResults) -> list[str]:
    limited = {v.limit.metric for verdicts in results.verdicts.values() for v in verdicts}
    return [m for m in known_metrics() if m in limited] or list(WITHOUT_LIMITS)


def _values(results: BenchmarkResults, condition: str) -> dict[str, Cell]:
    values = metrics_of(results.records[condition])
    judged = {v.limit.metric: judged_cell(v) for v in results.verdicts.get(condition, ())}
    return {metric: Cell(_few_digits(value)) for metric, value in values.items()} | judged


def _distance(verdict: Verdict) -> str:
    """Return the signed distance to the limit in the metric's unit; negative where violated."""
    if verdict.value is None or verdict.outcome == "error":
        return UNDECIDED
    distance = verdict.value - verdict.limit.value
    return _plain(f"{(distance if verdict.limit.bound == 'min' else -distance) + 0.0:+.2g}")


def _few_digits(value: float | None) -> str:
    return UNKNOWN if value is None else _plain(f"{value:.{FEW_DIGITS}g}")


def _beside(value: float, limit: float) -> str:
    """Return `value` in few digits, but on its own side of `limit`."""
    if value == limit:
        return _exact(limit)
    for digits in range(FEW_DIGITS, ALL_DIGITS):
        text = shown(value, limit, digits)
        if (float(text) < limit) == (value < limit):
            return _plain(text)
    return repr(value)


def _exact(limit: float) -> str:
    short = f"{limit:g}"
    return _plain(short if float(short) == limit else repr(limit))


def _plain(text: str) -> str:
    """Return a large number without its exponent: ``12300``, not ``1.23e+04``."""
    sign = "+" if text.startswith("+") else ""
    return f"{float(text):{sign}.{ALL_DIGITS - 1}g}" if "e+" in text else text
