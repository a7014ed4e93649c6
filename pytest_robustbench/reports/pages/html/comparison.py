"""The candidate against a stored report: differences with intervals, changed decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.gates.regression.verdicts import WORST_FIRST
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.pages.html.charts.losses import Loss, losses
from pytest_robustbench.reports.pages.html.figures import (
    Figure,
    apart,
    brief,
    exceeds,
    figure,
    interval_figure,
)
from pytest_robustbench.reports.pages.overall import tolerates_inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from pytest_robustbench.reports.pages.source import Plain, Source

BADGES = {"pass": "pass", "regressed": "fail", "inconclusive": "open", "error": "error"}
SENTENCES = {
    "pass": "No loss beyond what is allowed.",
    "regressed": "Worse than allowed, beyond chance.",
    "inconclusive": "The test images cannot tell whether the loss is acceptable.",
    "error": "The reports cannot be compared.",
}


@dataclass(frozen=True)
class ChangeRow:
    """One metric under one condition, candidate against baseline."""

    condition: str
    metric: str
    baseline: Figure
    candidate: Figure
    loss: Figure
    interval: Figure
    allowed: Figure
    badge: str
    word: str
    reason: str


@dataclass(frozen=True)
class DecisionRow:
    """One image that is decided differently."""

    kind: str
    condition: str
    sample: str
    before: Figure
    now: Figure


@dataclass(frozen=True)
class Chart:
    """The losses of one metric."""

    metric: str
    svg: Markup


@dataclass(frozen=True)
class Compared:
    """One comparison.

    Parameters
    ----------
    role, baseline : str
        What the candidate is held against.
    badge, word, sentence : str
        What it came to.
    problems, notes : sequence of str
        Why there is no comparison, and what a reader has to know.
    charts : tuple of Chart
        One per metric.
    rows : tuple of ChangeRow
        Worst first.
    n_decisions : int
        How many decisions differ.
    decisions : tuple of DecisionRow
        The worst of them, worst first.
    """

    role: str
    baseline: str
    badge: str
    word: str
    sentence: str
    problems: Sequence[str]
    notes: Sequence[str]
    charts: tuple[Chart, ...]
    rows: tuple[ChangeRow, ...]
    n_decisions: int
    decisions: tuple[DecisionRow, ...]


def comparisons(source: Source) -> Iterator[Compared]:
    """Yield every comparison that a report holds."""
    for plain in source.compared:
        outcome = plain["outcome"]
        verdicts = sorted(plain["verdicts"], key=lambda v: WORST_FIRST.index(v["outcome"]))
        yield Compared(
            plain["role"],
            plain["baseline"],
            _badge(source, outcome),
            outcome.upper(),
            SENTENCES[outcome],
            plain["problems"],
            plain["notes"],
            tuple(_charts(source, plain)),
            tuple(_row(source, verdict) for verdict in verdicts),
            plain["n_changed_decisions"],
            tuple(_decision(decision) for decision in plain["changed_decisions"]),
        )


def _badge(source: Source, outcome: str) -> str:
    is_failure = outcome == "inconclusive" and not tolerates_inconclusive(source)
    return "fail" if is_failure else BADGES[outcome]


def _charts(source: Source, plain: Plain) -> Iterator[Chart]:
    for metric in dict.fromkeys(v["metric"] for v in plain["verdicts"]):
        of_metric = [v for v in plain["verdicts"] if v["metric"] == metric]
        found = [_loss(v) for v in of_metric if v["loss"] is not None]
        if found:
            key = f"{source.name}-{plain['role']}-{metric}"
            description = f"Loss of {metric} by condition: {', '.join(map(_told, found))}"
            unit = f"loss of {metric} ({metric_called(metric).unit}); negative = better"
            yield Chart(metric, losses(key, description, found, unit))


def _loss(verdict: Plain) -> Loss:
    interval = verdict["interval"]
    return Loss(
        verdict["condition"],
        verdict["loss"],
        None if interval is None else (interval[0], interval[1]),
        verdict["allowed"],
        verdict["outcome"] == "regressed",
    )


def _told(loss: Loss) -> str:
    return f"{loss.label} {brief(loss.value)}"


def _row(source: Source, verdict: Plain) -> ChangeRow:
    outcome = verdict["outcome"]
    return ChangeRow(
        verdict["condition"],
        verdict["metric"],
        figure(verdict["baseline"]),
        figure(verdict["candidate"]),
        figure(verdict["loss"]),
        interval_figure(verdict["interval"]),
        figure(verdict["allowed"]),
        _badge(source, outcome),
        "improved" if verdict["improved"] else outcome,
        verdict["reason"],
    )


def _decision(plain: Plain) -> DecisionRow:
    return DecisionRow(
        plain["kind"],
        plain["condition"],
        plain["id"],
        _against(plain["baseline_score"], plain["baseline_threshold"]),
        _against(plain["candidate_score"], plain["candidate_threshold"]),
    )


def _against(score: float, threshold: float) -> Figure:
    sign = ">" if exceeds(score, threshold) else "\N{LESS-THAN OR EQUAL TO}"
    return figure(score, f" {sign} ".join(apart(score, threshold)))
