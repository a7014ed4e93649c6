"""Candidates held against their baselines: one family of limits over all benchmarks of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.conditions import RECORDED
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.effects import is_dead
from pytest_robustbench.gates.regression.changes import SETTINGS
from pytest_robustbench.gates.regression.decisions import changed_decisions
from pytest_robustbench.gates.regression.family import Comparison, judge_family
from pytest_robustbench.gates.regression.latency import judge_latency
from pytest_robustbench.gates.regression.timings import LatencySample
from pytest_robustbench.gates.regression.verdicts import worst_of
from pytest_robustbench.gates.soundness import why_blind
from pytest_robustbench.metrics.own import same_numbers
from pytest_robustbench.reports.compare.comparability import compare_inputs
from pytest_robustbench.reports.compare.pairing import pairs_of
from pytest_robustbench.reports.compare.same_model import is_same_model
from pytest_robustbench.reports.file.integrity import read_comparable, require_comparable
from pytest_robustbench.reports.file.stored import StoredReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.decisions import ChangedDecision
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.gates.regression.verdicts import Outcome, RegressionVerdict
    from pytest_robustbench.gates.soundness import OneSided
    from pytest_robustbench.metrics.metric import Metric

KINDS: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        "defect": frozenset({1}),
        "normal": frozenset({0}),
        "both": frozenset({0, 1}),
        "any": frozenset(),
    }
)
"""Labels of the images that a metric rests on."""
"""Share of the good parts from which on rejecting them is taken to be the rule."""
SET_APART = {
    False: "can fail nothing, as the baseline has no more to lose than is allowed",
    True: "can never be shown, as they allow a share of a baseline that is 0",
}
"""Why limits count for nothing, by whether they could be violated."""
USELESS = {
    False: (
        "can fail nothing under any condition, as the baseline has no more to lose",
        "allow less, or a share of the baseline (relative: true)",
    ),
    True: (
        "can be shown under no condition, as it is a share of a baseline that is 0",
        "allow a number (relative: false)",
    ),
}
"""Of those that do so under every condition: that, and the remedy."""
SAME_MACHINE = ("cpu", "cpu_count", "python", "packages")
"""Of the environment, beside the device of every condition: never the kernel's version."""
LATENCY_ALPHA = 0.05
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
    candidate : Path or StoredReport
        A report file; or the report of this very run, which is not read back.
    baseline : Path
        A report file.
    allowed : tuple of AllowedChange
        What may get worse, and how far; each is held against every condition.
    role : {"baseline", "anchor"}
        Which stored report it is.
    min_overlap : float
        Least share of test images that both reports have.
    strict_pixels : bool
        Whether corrupted pixels must be equal to the last bit.
    one_sided : {"misses", "false_alarms"}, optional
        The side of wrong decisions that the changes are meant to see alone.
    """

    benchmark: str
    candidate: Path | StoredReport
    baseline: Path
    allowed: tuple[AllowedChange, ...]
    role: str = "baseline"
    min_overlap: float = 1.0
    strict_pixels: bool = False
    one_sided: OneSided | None = None


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
        return "error" if self.problems else worst_of(v.outcome for v in self.verdicts)


def overall_outcome(judged: Iterable[Judged]) -> Outcome:
    """Return the worst of several comparisons; nothing compared is an error, never a pass."""
    return worst_of(one.outcome for one in judged)


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
    alive = [o for o in opened if isinstance(o, _Opened)]
    verdicts = iter(judge_family([c for o in alive for c in _comparisons(o)]))
    # Latencies have no images to exchange with the others: they are a family of their own.
    n_latencies = sum(change.row.is_latency for o in alive for change in o.match.allowed)
    alpha = LATENCY_ALPHA / max(1, n_latencies)
    return tuple(
        o if isinstance(o, Judged) else _judged(o, [next(verdicts) for _ in _comparisons(o)], alpha)
        for o in opened
    )


def _open(match: Match) -> _Opened | Judged:
    if not match.allowed:
        return Judged(match, problems=("no allowed change is declared: nothing would be judged",))
    if not match.baseline.is_file():
        return Judged(match, problems=(absence(match.role, match.baseline),))
    fresh = isinstance(match.candidate, StoredReport)
    try:
        baseline, candidate = read_comparable(match.baseline), _candidate(match)
        if fresh and baseline.digest == candidate.digest:
            return Judged(match, problems=(ITSELF.format(role=match.role, path=match.baseline),))
        inputs = compare_inputs(
            baseline,
            candidate,
            min_overlap=match.min_overlap,
            strict_pixels=match.strict_pixels,
            latency=any(change.row.is_latency for change in match.allowed),
        )
        named = tuple(_other_names(baseline, candidate))
        problems = (*(named if fresh else ()), *inputs.problems)
        weaker = _weaker_terms(match, baseline)
        notes = (*weaker, *(() if fresh else named), *inputs.notes)
        if problems:
            return Judged(match, notes=notes, problems=problems)
        pairs = pairs_of(baseline, candidate, inputs)
    except ReportError as error:
        return Judged(match, problems=(str(error),))
    return _Opened(match, baseline, candidate, pairs, notes)


def _candidate(match: Match) -> StoredReport:
    """Return the candidate, checked alike in memory and from a file: hooks may have changed it."""
    if not isinstance(match.candidate, StoredReport):
        return read_comparable(match.candidate)
    require_comparable(match.candidate)
    return match.candidate


def absence(role: str, path: Path) -> str:
    """Say that a stored report is not there, and how one is made."""
    text = NO_ANCHOR if role == "anchor" else NO_BASELINE
    return text.format(path=path)


def _weaker_terms(match: Match, baseline: StoredReport) -> Iterator[str]:
    """Say where more is allowed than when the baseline was measured: who widens knows of it."""
    recorded = baseline.plain["config"].get("regression")
    for metric, entry in (recorded or {}).items():
        if metric in SETTINGS or not isinstance(entry, dict):
            continue
        before = " ".join(f"{key} {value}" for key, value in entry.items() if value is not False)
        now = next((change for change in match.allowed if change.metric == metric), None)
        if now is None:
            yield f"{metric} is judged no more; the {match.role} was measured with {before}"
        elif now.relative != entry.get("relative") or now.value > entry.get(now.bound, 0):
            yield (
                f"{metric}: {now.bound} {now.value:g}{' relative' * now.relative} is not what the "
                f"{match.role} was measured with: {before}"
            )


def _other_names(baseline: StoredReport, candidate: StoredReport) -> Iterator[str]:
    if baseline.name != candidate.name:
        yield (
            f"{baseline.path} is the report of another benchmark: {baseline.name!r}, and the "
            f"candidate that of {candidate.name!r}"
        )


def _comparisons(opened: _Opened) -> list[Comparison]:
    same = is_same_model(opened.baseline, opened.candidate)
    return [
        Comparison(opened.match.benchmark, pair, change, _other_metric(opened, change.metric), same)
        for change in opened.match.allowed
        if not change.row.is_latency
        for pair in opened.pairs
        if not _lacks_images(pair, change.row)
    ]


def _other_metric(opened: _Opened, metric: str) -> str:
    """Return that a metric of one's own has become another one; empty where it has not."""
    before, after = (
        report.plain.get("own_metrics", {}).get(metric)
        for report in (opened.baseline, opened.candidate)
    )
    if same_numbers(before, after):
        return ""
    return (
        f"{metric} is version {before['version']} in the baseline and {after['version']} in the "
        "candidate: measure a new baseline"
    )


def _lacks_images(pair: Pair, metric: Metric) -> bool:
    """Whether a recorded set has no image of a kind that the metric speaks of.

    A set of good parts alone is worth recording, and says all it can about false alarms. The test
    part is not excused: a metric that is asked for and cannot be had is an error there.
    """
    kinds = set(pair.labels.tolist())
    return pair.condition.startswith(f"{RECORDED}-") and not KINDS[metric.rests_on] <= kinds


def _blind_spots(opened: _Opened) -> Iterator[str]:
    """Say what the declared limits do not see."""
    metrics = [change.row for change in opened.match.allowed if not change.row.is_latency]
    absent = {
        pair.condition: [m.name for m in metrics if _lacks_images(pair, m)] for pair in opened.pairs
    }
    for condition, names in absent.items():
        if names:
            yield f"{condition} has no images for {', '.join(sorted(names))}: not compared there"
    blind = why_blind(metrics, opened.match.one_sided)
    if blind:
        yield blind


def _judged(opened: _Opened, of_images: Sequence[RegressionVerdict], alpha: float) -> Judged:
    decisions = [decision for pair in opened.pairs for decision in changed_decisions(pair)]
    notes = *_blind_spots(opened), *_dead_conditions(opened.pairs), *_vacuous_limits(of_images)
    return Judged(
        opened.match,
        (*of_images, *_latency_verdicts(opened, alpha)),
        tuple(sorted(decisions, key=lambda decision: decision.rank)),
        (*opened.notes, *notes),
        tuple(_limits_without_use(of_images)),
    )


def _dead_conditions(pairs: Sequence[Pair]) -> Iterator[str]:
    """Name the conditions under which the baseline itself rejects nearly everything."""
    dead = [pair.condition for pair in pairs if is_dead(pair.baseline)]
    if dead:
        yield (
            "nearly all good parts are rejected, or nearly all defects missed, in the baseline "
            f"already under {', '.join(dead)}: comparisons there say little; calibrate for it, or "
            "do not judge it"
        )


def _vacuous_limits(verdicts: Sequence[RegressionVerdict]) -> Iterator[str]:
    """Count and name the limits that count for nothing under a condition, by the reason."""
    for can_fail, why in SET_APART.items():
        where: dict[str, list[str]] = {}
        vacuous = [v for v in verdicts if v.outcome == "vacuous" and _can_fail(v) == can_fail]
        for verdict in vacuous:
            where.setdefault(verdict.change.metric, []).append(verdict.condition)
        if vacuous:
            told = "; ".join(f"{metric} under {', '.join(c)}" for metric, c in where.items())
            number = f"{len(vacuous)} of {len(verdicts)} limits"
            yield f"{number} {why}, and count for nothing: {told}"


def _can_fail(verdict: RegressionVerdict) -> bool:
    """Return whether a limit could be violated, and only never be shown to be kept."""
    return verdict.allowed == 0


def _limits_without_use(verdicts: Sequence[RegressionVerdict]) -> Iterator[str]:
    """Refuse a limit that counts for nothing under any condition: it would only look like one."""
    found: dict[AllowedChange, list[RegressionVerdict]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.change, []).append(verdict)
    for change, of_change in found.items():
        if any(verdict.outcome != "vacuous" for verdict in of_change):
            continue
        why, remedy = USELESS[all(map(_can_fail, of_change))]
        yield f"{change.metric}: {change.bound} {change.value:g} {why} ({change.source}): {remedy}"


def _latency_verdicts(opened: _Opened, alpha: float) -> list[RegressionVerdict]:
    changes = [change for change in opened.match.allowed if change.row.is_latency]
    return [
        judge_latency(
            opened.match.benchmark,
            change,
            _latencies(opened.baseline),
            _latencies(opened.candidate),
            same_machine=_same_machine(opened.baseline, opened.candidate),
            alpha=alpha,
        )
        for change in changes
    ]


def _latencies(report: StoredReport) -> dict[str, LatencySample]:
    return {c: _latency_sample(record["latency"]) for c, record in report.records.items()}


def _latency_sample(latency: Mapping[str, Any]) -> LatencySample:
    return LatencySample(
        np.asarray(latency["calls_ms"], np.float64),
        np.asarray(latency["reference_calls_ms"], np.float64),
        latency["device"],
        latency["reference_device"],
    )


def _same_machine(baseline: StoredReport, candidate: StoredReport) -> bool:
    """Whether device, processor, cores and the versions of what computes are the same."""
    first, second = (report.plain["environment"] for report in (baseline, candidate))
    devices = [{s.device for s in _latencies(one).values()} for one in (baseline, candidate)]
    return devices[0] == devices[1] and all(first[key] == second[key] for key in SAME_MACHINE)
