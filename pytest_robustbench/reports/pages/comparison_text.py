"""A judged comparison as text for terminals, logs and pull requests."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pytest_robustbench.display import displayed
from pytest_robustbench.gates.regression.verdicts import describe_regression
from pytest_robustbench.reports.pages import plain_markdown
from pytest_robustbench.reports.pages.plain_markdown import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_robustbench.gates.regression.decisions import ChangedDecision
    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict
    from pytest_robustbench.reports.compare.regression import Judged

DECISIONS_SHOWN = 8
LINES_SHOWN = 8
IMAGES_SHOWN = 3
NOTES_SHOWN = 4
HEADLINES = {
    "pass": "PASS: no loss beyond what is allowed",
    "regressed": "REGRESSED: the candidate is worse than allowed",
    "inconclusive": "INCONCLUSIVE: the test images cannot tell",
    "error": "NOT COMPARABLE",
}
COLUMNS = ("condition", "metric", "baseline", "candidate", "loss", "interval", "allowed", "verdict")


def headline(judged: Judged) -> str:
    """Return one line: which benchmark, against what, and the verdict with its counts."""
    match = judged.match
    counts = Counter[str](verdict.outcome for verdict in judged.verdicts)
    parts = [f"{counts[name]} {name}" for name in (*HEADLINES, "vacuous") if counts[name]]
    told = f" ({', '.join(parts)})" if parts else ""
    against = f"{match.role} {match.baseline.name}"
    return displayed(f"{match.benchmark} against {against}: {HEADLINES[judged.outcome]}{told}")


def explanation(judged: Judged) -> list[str]:
    """Return why it did not pass, worst first, then what was decided differently."""
    lines = [headline(judged), *(f"  {line}" for line in _telling(judged))]
    lines += [
        f"  {_in_role(judged, line)}" for line in _decision_lines(judged.decisions, DECISIONS_SHOWN)
    ]
    lines += [f"  note: {_in_role(judged, n)}" for n in judged.notes]
    return list(map(displayed, lines))


def brief(judged: Judged) -> list[str]:
    """Return what a reader must know even of a pass, in a few lines: the report has the rest."""
    notes = [f"note: {_in_role(judged, note)}" for note in judged.notes]
    most = LINES_SHOWN - min(len(notes), NOTES_SHOWN)
    lines = _shortened(list(_telling(judged)), most)
    if judged.outcome != "pass":  # the images to look at
        told = _decision_lines(judged.decisions, IMAGES_SHOWN)
        lines += [_in_role(judged, line) for line in told]
    return list(map(displayed, [*lines, *_shortened(notes, NOTES_SHOWN)]))


def _telling(judged: Judged) -> Iterator[str]:
    """Yield what is wrong or not decided, worst first, then what got better."""
    yield from judged.problems
    for outcome in ("error", "regressed", "inconclusive"):
        yield from (_described(judged, v) for v in judged.verdicts if v.outcome == outcome)
    yield from (_described(judged, v) for v in judged.verdicts if v.improved)


def _described(judged: Judged, verdict: RegressionVerdict) -> str:
    return _in_role(judged, describe_regression(verdict))


def _in_role(judged: Judged, text: str) -> str:
    """Let a text speak of the anchor where it was written for baselines."""
    return re.sub(r"\bthe baseline\b", f"the {judged.match.role}", text)


def _shortened(lines: Sequence[str], most: int) -> list[str]:
    left = len(lines) - most
    return [*lines[:most], f"(and {left} more, in the report)"] if left > 0 else list(lines)


def _decision_lines(decisions: Sequence[ChangedDecision], most: int) -> Iterator[str]:
    if not decisions:
        return
    counts = Counter(decision.kind for decision in decisions)
    told = ", ".join(f"{n} x {kind}" for kind, n in counts.items())
    yield f"changed decisions: {told}"
    lines = [decision.describe() for decision in decisions]
    yield from (f"  {line}" for line in _shortened(lines, most))


def rows(judged: Judged) -> list[tuple[str, ...]]:
    """Return one row of text per verdict, in the order of `COLUMNS`."""
    return [
        (
            verdict.condition,
            verdict.change.metric,
            _number(verdict.baseline),
            _number(verdict.candidate),
            _number(verdict.loss),
            _interval(verdict.interval),
            _number(verdict.allowed),
            "improved" if verdict.improved else verdict.outcome,
        )
        for verdict in judged.verdicts
    ]


def _columns(judged: Judged) -> tuple[str, ...]:
    return tuple(judged.match.role if c == "baseline" else c for c in COLUMNS)


def table(judged: Judged) -> list[str]:
    """Return the rows aligned for a terminal; text to the left, numbers to the right."""
    cells = [_columns(judged), *rows(judged)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    return [_aligned(row, widths) for row in cells] if judged.verdicts else []


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    last = len(row) - 1
    left = (0, 1, last)
    padded = (
        text.ljust(width) if i in left else text.rjust(width)
        for i, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def markdown(judged: Judged) -> list[str]:
    """Return the comparison as Markdown for a pull request."""
    lines = [f"### {escaped(headline(judged))}", ""]
    lines += [f"- {escaped(_in_role(judged, problem))}" for problem in judged.problems]
    if judged.verdicts:
        lines += plain_markdown.table(_columns(judged), rows(judged))
    lines += [""] + [f"- {escaped(line.strip())}" for line in explanation(judged)[1:]]
    return [*lines, ""]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}"
