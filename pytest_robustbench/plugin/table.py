"""The cells of the summary table: conditions x metrics, the worst condition first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.gates.names import METRICS
from pytest_robustbench.gates.wording import shown
from pytest_robustbench.reports.fields import metrics_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.ledger import Account

WITHOUT_LIMITS = ("pixel_segf1", "bg_fpr", "latency_ms_per_image")


@dataclass(frozen=True)
class Cell:
    """One value with its limit.

    Parameters
    ----------
    text : str
        Such as ``0.31 >= 0.25``; an exclamation mark where the limit is violated.
    violated : bool
        Whether it is.
    """

    text: str
    violated: bool = False


def shown_metrics(account: Account) -> list[str]:
    """Return the metrics that carry a limit, or a few that say most where none does."""
    limited = {v.limit.metric for verdicts in account.verdicts.values() for v in verdicts}
    return [m for m in METRICS if m in limited] or list(WITHOUT_LIMITS)


def rows_of(account: Account, metrics: Sequence[str]) -> list[tuple[str, list[Cell]]]:
    """Return a row per condition and one for each summary limit, the worst conditions first."""
    conditions = sorted(account.records, key=lambda c: _distance(account.verdicts.get(c, ())))
    return [(c, _cells(account, c, metrics)) for c in conditions]


def _distance(verdicts: Sequence[Verdict]) -> float:
    """Return the smallest signed distance to a limit, relative to it; negative = violated."""
    return min((_margin(v) for v in verdicts), default=math.inf)


def _margin(verdict: Verdict) -> float:
    if verdict.value is None:
        return -math.inf
    sign = 1 if verdict.limit.bound == "min" else -1
    scale = abs(verdict.limit.value) or 1.0
    return sign * (verdict.value - verdict.limit.value) / scale


def _cells(account: Account, condition: str, metrics: Sequence[str]) -> list[Cell]:
    verdicts = {v.limit.metric: v for v in account.verdicts.get(condition, ())}
    values = metrics_of(account.records[condition])
    return [_cell(values[metric], verdicts.get(metric)) for metric in metrics]


def _cell(value: float | None, verdict: Verdict | None) -> Cell:
    if verdict is not None:
        return judged_cell(verdict)
    return Cell("-" if value is None else f"{value:.3g}")


def judged_cell(verdict: Verdict) -> Cell:
    """Return a value beside its limit."""
    limit, value = verdict.limit, verdict.value
    text = "-" if value is None else shown(value, limit.value)
    sign = ">=" if limit.bound == "min" else "<="
    violated = verdict.outcome != "pass"
    return Cell(f"{'! ' if violated else ''}{text} {sign} {limit.value:g}", violated)
