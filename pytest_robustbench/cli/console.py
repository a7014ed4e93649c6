"""Progress and results on standard error, for whoever waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from pytest_robustbench.display import displayed_lines
from pytest_robustbench.naming import shortened
from pytest_robustbench.reports.pages.notes import noticed
from pytest_robustbench.reports.pages.source import AT_A_GLANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_robustbench.reports.file.report import Report

WIDTH = 80
TITLES = (
    ("pixel_", "", "", "false_", "latency_ms_"),
    ("segf1", "bg_fpr", "miss_rate", "reject_rate", "per_image"),
)
"""Two lines: the names, cut so that a row fits."""
WIDTHS = tuple(max(8, len(first), len(second)) for first, second in zip(*TITLES, strict=True))
"""Of the columns: a value takes eight characters at most, such as ``1.23e-05``."""
GAP = "  "
NOT_CONDITIONS = ("fit", "calibrate")


class Console:
    """Writes one line whenever something new begins.

    Parameters
    ----------
    stream : text file
        Standard error; nothing else than the report stands on standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._phase = ""
        self._begun = self._of = 0

    def begin(self, line: str, conditions: int) -> None:
        """Say what is measured now, under how many conditions."""
        self.say(line)
        self._phase, self._begun, self._of = "", 0, conditions

    def say(self, line: str) -> None:
        """Write a line at once."""
        self._stream.write(f"{displayed_lines(line)}\n")
        self._stream.flush()

    def progress(self, phase: str, done: int, total: int) -> None:  # noqa: ARG002
        """Name a phase when it begins."""
        if phase != self._phase:
            self._phase = phase
            self.say(f"  {self._named(phase)}: {total} images")

    def _named(self, phase: str) -> str:
        if phase in NOT_CONDITIONS:
            return phase
        self._begun += 1
        return f"condition {self._begun} of {self._of} {phase}"

    def tell(self, report: Report) -> None:
        """Write a row per condition, then what is wrong and what a reader should know."""
        for line in (*_table(report), *_tolerances(report), *_problems(report)):
            self.say(line)
        for note in noticed(report.header.to_dict(), report.of_conditions):
            self.say(f"note: {note}")


def _table(report: Report) -> Iterator[str]:
    measured = _measured(report)
    if not measured:
        return
    room = WIDTH - sum(len(GAP) + width for width in WIDTHS)
    width = min(max(map(len, (*measured, "condition"))), room)
    for name, titles in zip(("", "condition"), TITLES, strict=True):
        yield _row(name, titles, width)
    for condition, values in measured.items():
        yield _row(condition, [_cell(values, metric) for metric in AT_A_GLANCE], width)


def _tolerances(report: Report) -> Iterator[str]:
    """Yield how far decisions hold along each corruption that was asked about."""
    from pytest_robustbench.reports.pages.tolerances import sentences

    yield from sentences(report.tolerances, report.header.to_dict().get("line_drift"))


def _measured(report: Report) -> dict[str, Mapping[str, Any]]:
    """Return the metrics of every condition that was measured."""
    from pytest_robustbench.reports.file.fields import metrics_of

    return {c: metrics_of(r) for c, r in report.of_conditions.items() if "error" not in r}


def _row(name: str, cells: Iterable[str], width: int) -> str:
    aligned = (cell.rjust(w) for cell, w in zip(cells, WIDTHS, strict=True))
    return GAP.join([shortened(name, width).ljust(width), *aligned])


def _cell(values: Mapping[str, Any], metric: str) -> str:
    value = values[metric]
    return "-" if value is None else f"{value:.3g}"


def _problems(report: Report) -> Iterator[str]:
    from pytest_robustbench.gates.soundness import wrong_decisions
    from pytest_robustbench.gates.wording import describe, on_showing

    for condition, record in report.records.items():
        if "error" in record:
            yield f"{condition} could not be measured: {record['error']}"
    for verdict in report.verdicts:
        if verdict.outcome != "pass":
            yield describe(verdict)
    held = sum(verdict.holds for verdict in report.verdicts)
    if report.verdicts:
        whole = f"{held} of {len(report.verdicts)} limits hold"
        wrong = wrong_decisions(report.verdicts, _measured(report))
        yield "; ".join((whole, *on_showing(report.verdicts), *wrong))
    else:
        yield "nothing is judged: no limit is declared"
