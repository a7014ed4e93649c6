"""Candidates held against their baselines: one family of limits over all benchmarks of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.regression.changes import LATENCIES
from pytest_robustbench.gates.regression.decisions import changed_decisions
from pytest_robustbench.gates.regression.family import Comparison, judge_family
from pytest_robustbench.gates.regression.latency import LatencySample, judge_latency
from pytest_robustbench.reports.baseline import read_comparable
from pytest_robustbench.reports.comparability import compare_inputs
from pytest_robustbench.reports.pairing import pairs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.decisions import ChangedDecision
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.gates.regression.verdicts import Outcome, RegressionVerdict
    from pytest_robustbench.reports.baseline import StoredReport

SAME_MACHINE = ("cpu", "device", "platform")
LATENCY_ALPHA = 0.05
WORST_FIRST: tuple[Outcome, ...] = ("error", "regressed", "inconclusive", "pass")
NO_BASELINE = (
    "no baseline at {path}: measure the model that is in production and store its report, by "
    "--robustness-update-baseline or `pytest-robustbench accept REPORT --reason ...`, and commit it"
)
NO_ANCHOR = (
    "no anchor at {path}: store a report that stays when the baseline is replaced, by "
    "`pytest-robustbench accept REPORT --baseline {path} --reason ...`, and commit it"
)
ITSELF = (
    "the {role} {path} is this very run, and a run held against itself always passes: name the "
    "stored report of another run"
)


@dataclass(frozen=True)
class Match:
    """One candidate and the stored report it is held against.

    Parameters
    ----------
    benchmark : str
        Name of the benchmark.
    candidate, baseline : Path
        Report files.
    allowed : tuple of AllowedChange
        What may get worse, and how far; each is held against every condition.
    role : {"baseline", "anchor"}
        Which stored report it is.
    min_overlap : float
        Least share of test images that both reports have.
    strict_pixels : bool
        Whether corrupted pixels must be equal to the last bit.
    fresh : bool
        Whether the candidate was measured just now: then it must not be the stored run itself.
    """

    benchmark: str
    candidate: Path
    baseline: Path
    allowed: tuple[AllowedChange, ...]
    role: str = "baseline"
    min_overlap: float = 1.0
    strict_pixels: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Judged:
    """What became of one match.

    Parameters
    ----------
    match : Match
        What was compared.
    verdicts : tuple of RegressionVerdict
        One per allowed change and condition; empty where the reports cannot be compared.
    decisions : tuple of ChangedDecision
        Images that are decided differently, worst first.
    notes : tuple of str
        What a reader has to know.
    problems : tuple of str
        Why the reports cannot be compared.
    """

    match: Match
    verdicts: tuple[RegressionVerdict, ...] = ()
    decisions: tuple[ChangedDecision, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def outcome(self) -> Outcome:
        """The worst verdict; nothing compared is an error, never a pass."""
        if self.problems or not self.verdicts:
            return "error"
        found = {verdict.outcome for verdict in self.verdicts}
        return next(outcome for outcome in WORST_FIRST if outcome in found)


@dataclass(frozen=True)
class _Opened:
    match: Match
    baseline: StoredReport
    candidate: StoredReport
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def judge_matches(matches: Sequence[Match]) -> tuple[Judged, ...]:
    """Judge every match; all their limits on images are one family of the max-t statistics.

    What cannot be compared is told apart with its problems, and leaves the others to be judged.
    """
    opened = [_open(match) for match in matches]
    comparisons = [c for o in opened if isinstance(o, _Opened) for c in _comparisons(o)]
    verdicts = iter(judge_family(comparisons))
    return tuple(
        o if isinstance(o, Judged) else _judged(o, [next(verdicts) for _ in _comparisons(o)])
        for o in opened
    )


def _open(match: Match) -> _Opened | Judged:
    if not match.allowed:
        return Judged(match, problems=("no allowed change is declared: nothing would be judged",))
    if not match.baseline.is_file():
        return Judged(match, problems=(absence(match.role, match.baseline),))
    try:
        baseline, candidate = read_comparable(match.baseline), read_comparable(match.candidate)
        if match.fresh and baseline.digest == candidate.digest:
            return Judged(match, problems=(ITSELF.format(role=match.role, path=match.baseline),))
        inputs = compare_inputs(
            baseline,
            candidate,
            min_overlap=match.min_overlap,
            strict_pixels=match.strict_pixels,
            latency=any(change.metric in LATENCIES for change in match.allowed),
        )
        named = tuple(_other_names(baseline, candidate))
        problems = (*(named if match.fresh else ()), *inputs.problems)
        notes = (*(() if match.fresh else named), *inputs.notes)
        if problems:
            return Judged(match, notes=notes, problems=problems)
        pairs = pairs_of(baseline, candidate, inputs)
    except ReportError as error:
        return Judged(match, problems=(str(error),))
    return _Opened(match, baseline, candidate, pairs, notes)


def absence(role: str, path: Path) -> str:
    """Say that a stored report is not there, and how one is made."""
    text = NO_ANCHOR if role == "anchor" else NO_BASELINE
    return text.format(path=path)


def _other_names(baseline: StoredReport, candidate: StoredReport) -> Iterator[str]:
    if baseline.name != candidate.name:
        yield (
            f"{baseline.path} is the report of another benchmark: {baseline.name!r}, and the "
            f"candidate that of {candidate.name!r}"
        )


def _comparisons(opened: _Opened) -> list[Comparison]:
    return [
        Comparison(opened.match.benchmark, pair, change)
        for change in opened.match.allowed
        if change.metric not in LATENCIES
        for pair in opened.pairs
    ]


def _judged(opened: _Opened, of_images: Sequence[RegressionVerdict]) -> Judged:
    decisions = [decision for pair in opened.pairs for decision in changed_decisions(pair)]
    return Judged(
        opened.match,
        (*of_images, *_latency_verdicts(opened)),
        tuple(sorted(decisions, key=lambda decision: decision.rank)),
        opened.notes,
    )


def _latency_verdicts(opened: _Opened) -> list[RegressionVerdict]:
    changes = [change for change in opened.match.allowed if change.metric in LATENCIES]
    return [
        judge_latency(
            opened.match.benchmark,
            change,
            _latencies(opened.baseline),
            _latencies(opened.candidate),
            same_machine=_same_machine(opened.baseline.plain, opened.candidate.plain),
            alpha=LATENCY_ALPHA / len(changes),
        )
        for change in changes
    ]


def _latencies(report: StoredReport) -> dict[str, LatencySample]:
    records = {condition: report.record(condition) for condition in report.conditions}
    return {c: _latency_sample(record["latency"]) for c, record in records.items()}


def _latency_sample(latency: Mapping[str, Any]) -> LatencySample:
    return LatencySample(
        np.asarray(latency["calls_ms"], np.float64),
        np.asarray(latency.get("reference_calls_ms") or [latency["reference_ms"]], np.float64),
    )


def _same_machine(baseline: Mapping[str, Any], candidate: Mapping[str, Any]) -> bool:
    first, second = baseline["environment"], candidate["environment"]
    return all(first.get(key) == second.get(key) for key in SAME_MACHINE)
