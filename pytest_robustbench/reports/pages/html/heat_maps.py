"""One table per metric: corruptions x severities, coloured by how bad it is, limits marked."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.showing import is_unshown
from pytest_robustbench.gates.wording import shown
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.reports.pages.html.figures import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.pages.source import Source

SIGNS: Mapping[str, str] = MappingProxyType(
    {"min": "\N{GREATER-THAN OR EQUAL TO}", "max": "\N{LESS-THAN OR EQUAL TO}"}
)
DARKEST = 62  # percent of the heat colour, so that text on it can be read


def heat_maps(source: Source) -> Iterator[dict[str, Any]]:
    """Yield a heat map for each metric that a page shows, a row per corruption or single condition.

    A cell is ``None`` where there is no such condition; that of a single condition, as a corruption
    by value is, spans all severities.
    """
    corrupted = [c for c in source.conditions.values() if c.is_corrupted]
    severities = tuple(sorted({c.severity for c in corrupted if c.severity is not None}))
    for metric in source.shown_metrics:
        yield {
            "metric": metric,
            "meaning": metric_called(metric).description,
            "severities": [f"{severity:g}" for severity in severities],
            "rows": list(_rows(source, metric, severities)),
        }


def _rows(source: Source, metric: str, severities: tuple[float, ...]) -> Iterator[dict[str, Any]]:
    cells = {c: _cell(source, c, metric) for c in source.records}
    for name, cell in cells.items():
        if source.conditions[name].is_clean:
            yield {"label": "clean", "cells": [cell], "spans": True, "levels": ""}
    for corruption in source.corruptions:
        ids = [f"{corruption}-severity_{severity:g}" for severity in severities]
        spans = corruption in cells
        row = [cells[corruption]] if spans else [cells.get(i) for i in ids]
        levels = _levels(source, [corruption] if spans else ids)
        yield {"label": corruption, "cells": row, "spans": spans, "levels": levels}
    for name, cell in cells.items():
        if source.conditions[name].recorded:
            yield {"label": name, "cells": [cell], "spans": True, "levels": ""}


def _levels(source: Source, conditions: list[str]) -> str:
    """Return how strong the mildest and the severest of some conditions are."""
    records = [source.records[name] for name in conditions if name in source.records]
    told = [level for record in records if (level := record.get("level"))]
    return " to ".join(dict.fromkeys([told[0], told[-1]])) if told else ""


def _cell(source: Source, condition: str, metric: str) -> dict[str, Any]:
    """Return a value with its limit, and what came of that: in words, as a sign, and as a colour.

    The heat is in percent of the heat colour.
    """
    value, verdict = source.metrics[condition][metric], source.judged.get((condition, metric))
    limit = "" if verdict is None else limit_text(verdict)
    text, heat = figure(value), 0
    if value is None:
        is_bad = condition in source.errors or (verdict is not None and verdict.violated)
        status, mark = ("bad", "!") if is_bad else ("none", "")
    else:
        heat = round(DARKEST * _badness(source, value, metric))
        status, mark = _status(verdict)
        if verdict is not None:
            text = figure(value, shown(value, verdict.limit.value))
    found = {"value": text, "limit": limit, "status": status, "mark": mark, "heat": heat}
    return {"condition": condition, **found}


def limit_text(verdict: Verdict) -> str:
    """Return a limit as a table shows it."""
    return f"{SIGNS[verdict.limit.bound]} {verdict.limit.told}"


def _status(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "", ""
    if verdict.waived:
        return "waived", "w"
    if verdict.violated:
        return "bad", "\N{MULTIPLICATION X}"
    return "pass", "~" if is_unshown(verdict) else ""


def _badness(source: Source, value: float, metric: str) -> float:
    """Return 0 for the best value or limit of a metric in this report, 1 for the worst."""
    known = [v for values in source.metrics.values() if (v := values[metric]) is not None]
    limits = [v.limit.value for (_, name), v in source.judged.items() if name == metric]
    low, high = min(known + limits), max(known + limits)
    if low == high:
        return 0.0
    share = (value - low) / (high - low)
    return 1 - share if metric_called(metric).more_is_better else share
