"""Progress and results on standard error, for whoever waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.reports.report import Report

SHOWN = ("pixel_segf1", "bg_fpr", "miss_rate", "false_reject_rate", "latency_ms_per_image")


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

    def say(self, line: str) -> None:
        """Write a line at once."""
        self._stream.write(line + "\n")
        self._stream.flush()

    def progress(self, phase: str, done: int, total: int) -> None:  # noqa: ARG002
        """Name a phase when it begins."""
        if phase != self._phase:
            self._phase = phase
            self.say(f"  {phase}: {total} images")

    def tell(self, report: Report) -> None:
        """Write a row per condition, then what is wrong and what a reader should know."""
        for line in (*_table(report), *_problems(report), *_notes(report)):
            self.say(line)


def _table(report: Report) -> Iterator[str]:
    from pytest_robustbench.reports.fields import metrics_of

    measured = {c: r for c, r in report.records.items() if "error" not in r}
    if not measured:
        return
    width = max(map(len, measured))
    yield "  ".join(["condition".ljust(width), *SHOWN])
    for condition, record in measured.items():
        values = metrics_of(record)
        cells = (_cell(values, metric).rjust(len(metric)) for metric in SHOWN)
        yield "  ".join([condition.ljust(width), *cells])


def _cell(values: Mapping[str, Any], metric: str) -> str:
    value = values[metric]
    return "-" if value is None else f"{value:.3g}"


def _problems(report: Report) -> Iterator[str]:
    from pytest_robustbench.gates.wording import describe

    for condition, record in report.records.items():
        if "error" in record:
            yield f"{condition} could not be measured: {record['error']}"
    for verdict in report.verdicts:
        if verdict.violated or verdict.waived:
            yield describe(verdict)
    held = sum(verdict.outcome == "pass" for verdict in report.verdicts)
    if report.verdicts:
        yield f"{held} of {len(report.verdicts)} limits hold"
    else:
        yield "nothing is judged: no limit is declared"


def _notes(report: Report) -> Iterator[str]:
    from pytest_robustbench.reports.fields import notes_on_recorded_sets

    header = report.header.to_dict()
    point = header["operating_point"] or {}
    recorded = notes_on_recorded_sets(report.records)
    for note in (*header["notes"], *point.get("warnings", ()), *recorded):
        yield f"note: {note}"
