"""The candidate against a stored report: differences with intervals, changed decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.regression.verdicts import WORST_FIRST
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.pages.html.charts.losses import losses
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
    from collections.abc import Iterator

    from pytest_robustbench.reports.pages.source import Plain, Source

BADGES = {
    "pass": "pass",
    "regressed": "fail",
    "inconclusive": "open",
    "error": "error",
    "vacuous": "open",
}
SENTENCES = {
    "pass": "No loss beyond what is allowed.",
    "regressed": "Worse than allowed, beyond chance.",
    "inconclusive": "The test images cannot tell whether the loss is acceptable.",
    "error": "The reports cannot be compared.",
}


def comparisons(source: Source) -> Iterator[dict[str, Any]]:
    """Yield every comparison that a report holds, as the template shows it, worst limits first."""
    for plain in source.compared:
        outcome = plain["outcome"]
        verdicts = sorted(plain["verdicts"], key=lambda v: WORST_FIRST.index(v["outcome"]))
        yield {
            **{key: plain[key] for key in ("role", "baseline", "problems", "notes")},
            "badge": _badge(source, outcome),
            "word": outcome.upper(),
            "sentence": SENTENCES[outcome],
            "charts": list(_charts(source, plain)),
            "rows": [_row(source, verdict) for verdict in verdicts],
            "n_decisions": plain["n_changed_decisions"],
            "decisions": [_decision(decision) for decision in plain["changed_decisions"]],
        }


def _badge(source: Source, outcome: str) -> str:
    is_failure = outcome == "inconclusive" and not tolerates_inconclusive(source)
    return "fail" if is_failure else BADGES[outcome]


def _charts(source: Source, plain: Plain) -> Iterator[dict[str, Any]]:
    for metric in dict.fromkeys(v["metric"] for v in plain["verdicts"]):
        of_metric = [v for v in plain["verdicts"] if v["metric"] == metric]
        found = [v for v in of_metric if v["loss"] is not None]
        if found:
            key = f"{source.title}-{plain['role']}-{metric}"
            told = ", ".join(f"{v['condition']} {brief(v['loss'])}" for v in found)
            description = f"Loss of {metric} by condition: {told}"
            unit = f"loss of {metric} ({metric_called(metric).unit}); negative = better"
            yield {"metric": metric, "svg": losses(key, description, found, unit)}


def _row(source: Source, verdict: Plain) -> dict[str, Any]:
    outcome = verdict["outcome"]
    numbers = {k: figure(verdict[k]) for k in ("baseline", "candidate", "loss", "allowed")}
    return {
        **{key: verdict[key] for key in ("condition", "metric", "reason")},
        **numbers,
        "interval": interval_figure(verdict["interval"]),
        "badge": _badge(source, outcome),
        "word": "improved" if verdict["improved"] else outcome,
    }


def _decision(plain: Plain) -> dict[str, Any]:
    return {
        "kind": plain["kind"],
        "condition": plain["condition"],
        "sample": plain["id"],
        "before": _against(plain["baseline_score"], plain["baseline_threshold"]),
        "now": _against(plain["candidate_score"], plain["candidate_threshold"]),
    }


def _against(score: float, threshold: float) -> Figure:
    sign = ">" if exceeds(score, threshold) else "\N{LESS-THAN OR EQUAL TO}"
    return figure(score, f" {sign} ".join(apart(score, threshold)))
