"""How far decisions hold along each drift, as bars over the severities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import MIDDLE, SEVEREST, condition_of
from pytest_robustbench.corruptions.catalogue import SEVERITY_UNIT
from pytest_robustbench.metrics.catalogue import TOLERANCE
from pytest_robustbench.reports.file.tolerance.record import scale_in
from pytest_robustbench.reports.pages.html.charts.bars import Bar, bars
from pytest_robustbench.reports.pages.tolerances import level_text, sentences

if TYPE_CHECKING:
    from pytest_robustbench.reports.pages.source import Plain, Source


def tolerances(source: Source) -> dict[str, Any] | None:
    """Return what a page shows of them; ``None`` where none was looked for."""
    if not source.tolerances:
        return None
    found = {c: record for c, record in source.tolerances.items() if "error" not in record}
    lines = list(sentences(found, source.plain.get("line_drift")))
    description = "How far image decisions hold along each drift: " + "; ".join(lines)
    rows = [_bar(source, name, record) for name, record in found.items()]
    key = f"{source.title}-tolerances"
    return {"svg": bars(key, description, rows) if rows else None, "lines": lines}


def _bar(source: Source, name: str, record: Plain) -> Bar:
    low, high = (_or_last(end) for end in record["interval"])
    severity = record["severity"]
    told = "holds throughout" if severity is None else level_text(record, severity)
    return Bar(
        label=f"{condition_of(name).ladder}: {told}",
        end=_or_last(severity),
        low=low,
        high=high,
        limit=_limit(source, name, record),
    )


def _or_last(severity: float | None) -> float:
    return float(SEVEREST if severity is None else severity)


def _limit(source: Source, name: str, record: Plain) -> float | None:
    """Return the limit on a tolerance as a severity."""
    verdict = source.judged.get((name, TOLERANCE.name))
    if verdict is None:
        return None
    scale, limit = scale_in(record), verdict.limit
    if scale is None or limit.unit == SEVERITY_UNIT:
        return limit.value
    return MIDDLE + math.log2(limit.value / scale.middle)
