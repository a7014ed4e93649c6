"""Is the candidate slower? Judged once per run, against what the machine did meanwhile.

A run times the detector under every condition, and between its calls a fixed reference workload.
Two medians of two runs say little: the machine drifts, and calls that follow each other share its
load. So both runs are cut alike into at most eight blocks of consecutive conditions (of consecutive
calls, where there are few conditions), each block gives one log ratio of candidate to baseline, and
the mean of the blocks is judged by Student's t: non-overlapping batch means, which need blocks that
are long against the drift's memory and no model of it (B. Schmeiser, "Batch size effects in the
analysis of simulation output", Operations Research 30, 1982).

The spread over blocks cannot show what is the same in all blocks of a run: a machine that is busy
from the first to the last call. The reference workload can, but the detector follows it only
roughly. So the standard error has a floor: the shift of the reference between the runs, as far as
the detector may not follow it, and the standard error of that shift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_robustbench.gates.regression.verdicts import RegressionVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.verdicts import Outcome

    Numbers = NDArray[np.float64]

RUN = "run"
"""What a verdict on latency calls its condition."""

FEWEST_BLOCKS, MOST_BLOCKS = 3, 8
CALLS_PER_BLOCK = {"latency_ms_per_image": 5, "latency_p95_ms": 20, "latency_relative": 5}
"""Calls that a median, or a 95th percentile, needs at least."""

UNFOLLOWED_SAME_MACHINE = 1.0
"""Share of a shift of the reference that the detector may not follow. On one machine the reference
stands still unless the machine is disturbed, and no share of a disturbance can be counted on."""

UNFOLLOWED_OTHER_MACHINE = 0.25
"""Another machine is faster or slower for good; a convolution and the reference's matrix product
gain alike, but for about a quarter (in logarithms) that cache, memory and instructions decide."""

ROUNDING = 5e-4
"""Reports keep four digits of a time."""

MACHINES_DIFFER = (
    "measured on different machines: judged in units of the reference workload that each run timed "
    "between its calls"
)


@dataclass(frozen=True)
class LatencySample:
    """The timed calls of one condition of one run.

    Parameters
    ----------
    calls : (N,) float64
        Milliseconds per image of every timed call, in order.
    reference_calls : (R,) float64
        Milliseconds of every run of the reference workload between them, in order; the median alone
        where no more is recorded.
    """

    calls: Numbers
    reference_calls: Numbers


@dataclass(frozen=True)
class _Scale:
    """Log ratio of candidate to baseline on one scale: by the clock, or by the reference."""

    estimate: float
    error: float
    degrees: int

    @property
    def p(self) -> float:
        """One-sided, against a candidate that is no slower."""
        return float(stdtr(self.degrees, -self.estimate / self.error))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of level ``1 - alpha`` below and above."""
        reach = float(stdtrit(self.degrees, 1 - alpha)) * self.error
        return self.estimate - reach, self.estimate + reach


@dataclass(frozen=True)
class _Levels:
    """Logarithms per block of one run: calls, calls in units of the reference, reference."""

    calls: Numbers
    relative: Numbers
    reference: Numbers


def judge_latency(
    benchmark: str,
    change: AllowedChange,
    baseline: Mapping[str, LatencySample],
    candidate: Mapping[str, LatencySample],
    *,
    same_machine: bool,
    alpha: float = 0.05,
) -> RegressionVerdict:
    """Judge one allowed change of a latency, over all conditions of both runs together.

    A limit on ``latency_relative``, and any limit where the machines differ, is judged in units of
    the reference workload; milliseconds are then those of the baseline's machine. On the same
    machine a limit in milliseconds is judged by the clock and by the reference, and has to be
    violated, or kept, by both.

    Parameters
    ----------
    benchmark : str
        Name of the benchmark.
    change : AllowedChange
        How far one of the latencies may rise.
    baseline, candidate : mapping of str to LatencySample
        By condition id, in the order measured.
    same_machine : bool
        Whether both ran on the same processor, device and platform.
    alpha : float
        Level of the test and of each bound.

    Returns
    -------
    RegressionVerdict
        Of the condition ``run``. ``regressed``: p <= `alpha` and the estimate is beyond the allowed
        rise; ``pass``: the upper bound is not; ``error``: a condition or a time is missing, or is
        no positive number.

    Raises
    ------
    ValueError
        If the change is none of a latency.
    """
    if not change.row.is_latency:
        raise ValueError(f"{change.metric} is no latency")
    problem = next(_problems(baseline, candidate), "")
    if problem:
        return RegressionVerdict(benchmark, RUN, change, "error", reason=problem)
    runs = [list(baseline.values()), [candidate[condition] for condition in baseline]]
    layout = _layout(runs, change.metric)
    if layout.n_blocks < FEWEST_BLOCKS:
        reason = _too_few(change.metric, layout.n_calls)
        return RegressionVerdict(benchmark, RUN, change, "inconclusive", reason=reason)
    first, second = (_levels(samples, layout, change.metric) for samples in runs)
    if _are_identical(*runs):
        return _identical(benchmark, change, _value(first, change.metric))
    scales = _scales(first, second, change.metric, same_machine=same_machine)
    note = "" if same_machine or change.metric == "latency_relative" else MACHINES_DIFFER
    judgement = _Judgement(change, _value(first, change.metric), scales, alpha)
    return judgement.verdict(benchmark, note)


@dataclass(frozen=True)
class _Judgement:
    """The scales held against what is allowed; the first of them is the one reported."""

    change: AllowedChange
    baseline: float
    scales: tuple[_Scale, ...]
    alpha: float

    @property
    def allowed(self) -> float:
        return self.change.allowed(self.baseline)

    def verdict(self, benchmark: str, note: str) -> RegressionVerdict:
        interval, outcome = self._interval(), self._outcome()
        loss = self._rise(self.scales[0].estimate)
        reasons = [self._undecided(loss)] if outcome == "inconclusive" else []
        return RegressionVerdict(
            benchmark=benchmark,
            condition=RUN,
            change=self.change,
            outcome=outcome,
            baseline=self.baseline,
            candidate=self.baseline + loss,
            loss=loss,
            allowed=self.allowed,
            interval=interval,
            p=self._p(),
            improved=interval[1] < -self.allowed,
            reason="; ".join([*reasons, *([note] if note else [])]),
        )

    def _rise(self, log_ratio: float) -> float:
        """Return a log ratio as a rise of the metric, in its units; infinite where it overflows."""
        with np.errstate(over="ignore"):
            return self.baseline * float(np.expm1(log_ratio))

    def _p(self) -> float:
        return max(scale.p for scale in self.scales)

    def _interval(self) -> tuple[float, float]:
        lows, highs = zip(*(scale.bounds(self.alpha) for scale in self.scales), strict=True)
        return self._rise(min(lows)), self._rise(max(highs))

    def _outcome(self) -> Outcome:
        rises = [self._rise(scale.estimate) for scale in self.scales]
        if self._p() <= self.alpha and min(rises) > self.allowed:
            return "regressed"
        return "pass" if self._interval()[1] < self.allowed else "inconclusive"

    def _undecided(self, loss: float) -> str:
        low, high = self._interval()
        text = f"the rise is {loss:.3g}, but noise alone leaves {low:.3g} to {high:.3g} possible"
        if len(self.scales) == 1:
            return text
        by_reference = self._rise(self.scales[1].estimate)
        return f"{text} ({by_reference:.3g} in units of the reference workload)"


def _problems(
    baseline: Mapping[str, LatencySample], candidate: Mapping[str, LatencySample]
) -> Iterator[str]:
    if not baseline:
        yield "the baseline has no timed condition"
    for condition in baseline:
        if condition not in candidate:
            yield f"the candidate has not timed {condition}"
        runs = {"baseline": baseline, "candidate": candidate}
        for name, run in runs.items():
            sample = run.get(condition)
            if sample is not None:
                yield from _sample_problems(sample, f"the {name}'s {condition}")


def _sample_problems(sample: LatencySample, where: str) -> Iterator[str]:
    for what, times in (("calls", sample.calls), ("reference calls", sample.reference_calls)):
        if times.size == 0:
            yield f"{where} has no timed {what}"
        elif not (np.isfinite(times).all() and (times > 0).all()):
            yield f"{where} has {what} whose time is no positive number"


@dataclass(frozen=True)
class _Layout:
    """How both runs are cut: every condition into parts, and these put together to blocks."""

    n_calls: int
    parts: int
    n_blocks: int


def _layout(runs: Sequence[Sequence[LatencySample]], metric: str) -> _Layout:
    counts = [min(one.calls.size for one in samples) for samples in zip(*runs, strict=True)]
    affordable = min(MOST_BLOCKS, sum(counts) // CALLS_PER_BLOCK[metric])
    # Conditions are divided only where there are too few of them to be blocks.
    parts = max(1, min(math.ceil(affordable / len(counts)), *counts))
    return _Layout(sum(counts), parts, min(affordable, parts * len(counts)))


def _too_few(metric: str, n_calls: int) -> str:
    needed = FEWEST_BLOCKS * CALLS_PER_BLOCK[metric]
    return (
        f"{n_calls} timed calls are too few to tell a slower detector from a busy machine: "
        f"{metric} needs at least {needed} over all conditions"
    )


def _are_identical(baseline: Sequence[LatencySample], candidate: Sequence[LatencySample]) -> bool:
    """Return whether it is one and the same run: no two agree in every digit of every call."""
    pairs = zip(baseline, candidate, strict=True)
    return all(np.array_equal(one.calls, other.calls) for one, other in pairs)


def _identical(benchmark: str, change: AllowedChange, value: float) -> RegressionVerdict:
    return RegressionVerdict(
        benchmark=benchmark,
        condition=RUN,
        change=change,
        outcome="pass",
        baseline=value,
        candidate=value,
        loss=0.0,
        allowed=change.allowed(value),
        identical=True,
    )


def _value(levels: _Levels, metric: str) -> float:
    """Return a run's latency: the geometric mean of its blocks."""
    return math.exp((levels.relative if metric == "latency_relative" else levels.calls).mean())


def _scales(
    first: _Levels, second: _Levels, metric: str, *, same_machine: bool
) -> tuple[_Scale, ...]:
    """Return what is to be judged; the one that is reported comes first."""
    floor = _floor(first.reference, second.reference, same_machine=same_machine)
    relative = _scale(second.relative - first.relative, floor)
    if metric == "latency_relative" or not same_machine:
        return (relative,)
    return _scale(second.calls - first.calls, floor), relative


def _scale(ratios: Numbers, floor: float) -> _Scale:
    spread = float(ratios.std(ddof=1)) / math.sqrt(ratios.size)
    return _Scale(float(ratios.mean()), math.hypot(spread, floor), ratios.size - 1)


def _floor(first: Numbers, second: Numbers, *, same_machine: bool) -> float:
    """Return the standard error that the machine alone may cause, of a log ratio."""
    share = UNFOLLOWED_SAME_MACHINE if same_machine else UNFOLLOWED_OTHER_MACHINE
    shift = float(second.mean() - first.mean())
    errors = [float(one.std(ddof=1)) / math.sqrt(one.size) for one in (first, second)]
    return math.hypot(share * shift, *errors, ROUNDING)


def _levels(samples: Sequence[LatencySample], layout: _Layout, metric: str) -> _Levels:
    """Cut a run into blocks, and summarise each."""
    pieces = [piece for sample in samples for piece in _cut(sample, layout.parts)]
    statistic = _percentile_95 if metric == "latency_p95_ms" else _median
    blocks = np.array_split(np.arange(len(pieces)), layout.n_blocks)
    rows = [_block_levels([pieces[i] for i in block], statistic) for block in blocks]
    return _Levels(*np.log(np.array(rows)).T)


def _cut(sample: LatencySample, parts: int) -> list[LatencySample]:
    calls, references = sample.calls, sample.reference_calls
    # A part that has no reference of its own is held against that of its whole condition.
    cut = np.array_split(references, parts) if references.size >= parts else [references] * parts
    pairs = zip(np.array_split(calls, parts), cut, strict=True)
    return [LatencySample(*pair) for pair in pairs]


def _block_levels(
    pieces: Sequence[LatencySample], statistic: Callable[[Numbers], float]
) -> tuple[float, float, float]:
    references = [_median(piece.reference_calls) for piece in pieces]
    calls = [piece.calls for piece in pieces]
    relative = [times / one for times, one in zip(calls, references, strict=True)]
    return (
        statistic(np.concatenate(calls)),
        statistic(np.concatenate(relative)),
        float(np.exp(np.mean(np.log(references)))),
    )


def _median(times: Numbers) -> float:
    return float(np.median(times))


def _percentile_95(times: Numbers) -> float:
    return float(np.quantile(times, 0.95))
