"""``conditions.csv``: a row per benchmark and condition, for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.metrics.catalogue import METRICS
from pytest_robustbench.reports.pages.overall import overall

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.pages.source import Edition, Source

COLUMNS = (
    *("benchmark", "overall", "model", "condition", "corruption", "severity"),
    *("verdict", "violated"),
)
NO_METRICS = (None,) * len(METRICS)
NOTHING = (None,) * (len(COLUMNS) - 2 + len(METRICS))
WORST_FIRST = ("error", "fail", "waived", "pass")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet calculate a cell that was meant as text."""
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


def conditions_csv(edition: Edition) -> str:
    """Return a table of several benchmarks; metrics are numbers in full, texts never formulas.

    Every row says what its whole benchmark came to: one row that passes is no benchmark that does.
    """
    target = io.StringIO()
    # As RFC 4180 has it; only then is a carriage return within a cell quoted.
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *METRICS, "error"])
    for absent in edition.unreported:
        writer.writerow([_text(absent.name), absent.word, *NOTHING, _text(absent.why)])
    for source in edition.sources:
        word = overall(source).word
        rows = (*_rows(source), *_absent_rows(source), *_summary_rows(source))
        writer.writerows([_text(source.name), word, *row] for row in rows)
    return BYTE_ORDER_MARK + target.getvalue()


def _rows(source: Source) -> Iterator[list[str | float | None]]:
    for name, condition in source.conditions.items():
        verdicts = [v for v in source.verdicts if v.condition == name]
        yield [
            *map(_text, (str(source.plain["model"]), name, condition.corruption)),
            condition.severity,
            *("error" if name in source.errors else _worst(verdicts), _violated(verdicts)),
            *(source.metrics[name][metric] for metric in METRICS),
            _text(source.errors.get(name, "")),
        ]


def _absent_rows(source: Source) -> Iterator[list[str | float | None]]:
    """Yield a row for each declared condition that was not even tried."""
    for name in source.absent:
        condition = condition_of(name)
        texts = (str(source.plain["model"]), name, condition.corruption)
        yield [*map(_text, texts), condition.severity, "missing", "", *NO_METRICS, ""]


def _summary_rows(source: Source) -> Iterator[list[str | float | None]]:
    """Yield a row for the limits over all conditions, if there are any."""
    verdicts = [v for v in source.verdicts if v.condition == SUMMARY]
    if verdicts:
        texts = (str(source.plain["model"]), SUMMARY, "")
        yield [*map(_text, texts), None, _worst(verdicts), _violated(verdicts), *NO_METRICS, ""]


def _violated(verdicts: Sequence[Verdict]) -> str:
    return _text(" ".join(v.limit.metric for v in verdicts if v.violated))


def _worst(verdicts: Sequence[Verdict]) -> str:
    outcomes = {"waived" if verdict.waived else verdict.outcome for verdict in verdicts}
    return next((word for word in WORST_FIRST if word in outcomes), "no limit")


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
