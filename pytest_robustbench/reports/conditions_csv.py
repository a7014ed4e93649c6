"""``conditions.csv``: a row per benchmark and condition, for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.gates.names import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.source import Source

COLUMNS = ("benchmark", "model", "condition", "corruption", "severity", "verdict", "violated")
WORST_FIRST = ("error", "fail", "waived", "pass")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet calculate a cell that was meant as text."""
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


def conditions_csv(sources: Sequence[Source]) -> str:
    """Return a table of several benchmarks; metrics are numbers in full, texts never formulas."""
    target = io.StringIO()
    # As RFC 4180 has it; only then is a carriage return within a cell quoted.
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *METRICS, "error"])
    for source in sources:
        writer.writerows(_rows(source))
        writer.writerows(_absent_rows(source))
    return BYTE_ORDER_MARK + target.getvalue()


def _rows(source: Source) -> Iterator[list[str | float | None]]:
    for name, condition in source.conditions.items():
        verdicts = [v for v in source.verdicts if v.condition == name]
        texts = (source.name, str(source.plain["model"]), name, condition.corruption)
        yield [
            *map(_text, texts),
            condition.severity,
            "error" if name in source.errors else _worst(verdicts),
            _text(" ".join(v.limit.metric for v in verdicts if v.violated)),
            *(source.metrics[name][metric] for metric in METRICS),
            _text(source.errors.get(name, "")),
        ]


def _absent_rows(source: Source) -> Iterator[list[str | float | None]]:
    """Yield a row for each declared condition that was not even tried."""
    for name in source.absent:
        condition = condition_of(name)
        texts = (source.name, str(source.plain["model"]), name, condition.corruption)
        nothing = [None] * len(METRICS)
        yield [*map(_text, texts), condition.severity, "missing", "", *nothing, ""]


def _worst(verdicts: Sequence[Verdict]) -> str:
    outcomes = {"waived" if verdict.waived else verdict.outcome for verdict in verdicts}
    return next((word for word in WORST_FIRST if word in outcomes), "no limit")


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
