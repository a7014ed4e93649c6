"""``conditions.csv``: a row per benchmark and condition, for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TypeAlias

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.display import displayed
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.gates.showing import is_unshown
from pytest_robustbench.metrics.catalogue import METRICS
from pytest_robustbench.reports.pages.overall import overall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.pages.source import Edition, Source

    Row: TypeAlias = dict[str, str | float | None]

COLUMNS = (
    *("benchmark", "overall", "model", "condition", "corruption", "severity"),
    *("verdict", "violated", "not_shown"),
)
WORST_FIRST = ("error", "fail", "not shown", "waived", "pass")
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001
"""What makes a spreadsheet calculate a cell that was meant as text, the wide forms included."""
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


def conditions_csv(edition: Edition) -> str:
    """Return a table of several benchmarks; metrics are numbers in full, texts never formulas.

    Every row says what its whole benchmark came to: one row that passes is no benchmark that does.
    """
    own = dict.fromkeys(name for source in edition.sources for name in source.metric_names)
    target = io.StringIO()
    # As RFC 4180 has it; only then is a carriage return within a cell quoted.
    fields = dict.fromkeys([*COLUMNS, *METRICS, *own, "error"])
    writer = csv.DictWriter(target, list(fields), lineterminator="\r\n")
    writer.writeheader()
    for absent in edition.unreported:
        texts = {"benchmark": absent.name, "error": absent.why}
        writer.writerow({**_texts(texts), "overall": absent.word})
    for source in edition.sources:
        texts = {"benchmark": source.title, "model": str(source.plain["model"])}
        whole = {**_texts(texts), "overall": overall(source).word}
        judged = (*source.tolerances, SUMMARY)
        others = (row for name in judged for row in _judged_rows(source, name))
        rows = (*_rows(source), *_absent_rows(source), *others)
        writer.writerows({**whole, **row} for row in rows)
    return BYTE_ORDER_MARK + target.getvalue()


def _rows(source: Source) -> Iterator[Row]:
    for name, condition in source.conditions.items():
        verdicts = [v for v in source.verdicts if v.condition == name]
        yield {
            **_of(condition),
            "verdict": "error" if name in source.errors else _worst(verdicts),
            "violated": _violated(verdicts),
            "not_shown": _not_shown(verdicts),
            **source.metrics[name],
            "error": _text(source.errors.get(name, "")),
        }


def _absent_rows(source: Source) -> Iterator[Row]:
    """Yield a row for each declared condition that was not even tried."""
    yield from ({**_of(condition_of(name)), "verdict": "missing"} for name in source.absent)


def _judged_rows(source: Source, name: str) -> Iterator[Row]:
    """Yield a row for the limits on a tolerance, or over all conditions, if there are any."""
    verdicts = [v for v in source.verdicts if v.condition == name]
    if verdicts:
        yield {
            "condition": name,
            "verdict": _worst(verdicts),
            "violated": _violated(verdicts),
            "not_shown": _not_shown(verdicts),
            "error": _text(source.errors.get(name, "")),
        }


def _of(condition: Condition) -> Row:
    texts = {"condition": condition.id, "corruption": condition.corruption}
    return {**_texts(texts), "severity": condition.severity}


def _texts(texts: Mapping[str, str]) -> Row:
    return {key: _text(text) for key, text in texts.items()}


def _violated(verdicts: Sequence[Verdict]) -> str:
    return _text(" ".join(v.limit.metric for v in verdicts if v.violated))


def _not_shown(verdicts: Sequence[Verdict]) -> str:
    """Return the metrics whose limits hold on these images, and are not shown for others."""
    return _text(" ".join(v.limit.metric for v in verdicts if is_unshown(v)))


def _worst(verdicts: Sequence[Verdict]) -> str:
    outcomes = {"waived" if verdict.waived else verdict.outcome for verdict in verdicts}
    return next((word for word in WORST_FIRST if word in outcomes), "no limit")


def _text(text: str) -> str:
    shown = displayed(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
