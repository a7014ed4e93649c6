"""Is the candidate slower? Judged once per run, against what the machine did meanwhile.

A run times the detector under every condition, and between its calls a fixed reference workload on
the same device. What two runs of one model may differ by stands in `timings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.gates.regression.timings import (
    SESSION_SPREAD,
    Doubt,
    LatencySample,
    Layout,
    Timings,
    compare_timings,
    cut,
)
from pytest_robustbench.gates.regression.verdicts import RegressionVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.timings import Scale
    from pytest_robustbench.gates.regression.verdicts import Outcome

RUN = "run"
"""What a verdict on latency calls its condition."""

FEWEST_BLOCKS = 3
LEVELS = {"latency_ms_per_image": 0.5, "latency_p95_ms": 0.95, "latency_relative": 0.5}
CALLS_PER_BLOCK = {"latency_ms_per_image": 5, "latency_p95_ms": 40, "latency_relative": 5}
"""Calls that a median, or a 95th percentile, needs at least."""

MACHINES_DIFFER = (
    "measured on different machines: judged in units of the reference workload that each run timed "
    "between its calls"
)
UNEVEN = "the timed calls are too few, or too uneven, to bound {metric}"


def judge_latency(
    benchmark: str,
    change: AllowedChange,
    baseline: Mapping[str, LatencySample],
    candidate: Mapping[str, LatencySample],
    *,
    same_machine: bool,
    alpha: float = 0.05,
    spread: float = SESSION_SPREAD,
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
        Whether both ran on the same device, processor, cores and versions of what computes.
    alpha : float
        Level of the test and of each bound.
    spread : float
        Standard deviation of the logarithm of a latency over sessions of one model on one machine.

    Returns
    -------
    RegressionVerdict
        Of the condition ``run``. ``regressed``: p <= `alpha` and the estimate is beyond the allowed
        rise; ``pass``: the upper bound is not; ``error``: a condition or a time is missing, or is
        no positive number, or the devices cannot be compared.

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
    layout = Layout.of(runs, CALLS_PER_BLOCK[change.metric])
    if layout.n_blocks < FEWEST_BLOCKS:
        reason = _too_few(change.metric, layout.n_calls)
        return RegressionVerdict(benchmark, RUN, change, "inconclusive", reason=reason)
    doubt = Doubt(alpha, spread, same_machine)
    value, scales = _compared(runs, layout, change.metric, doubt)
    if _are_identical(*runs):
        return _identical(benchmark, change, value)
    return _Judgement(change, value, scales, doubt).verdict(benchmark)


def _compared(
    runs: Sequence[Sequence[LatencySample]], layout: Layout, metric: str, doubt: Doubt
) -> tuple[float, tuple[Scale, ...]]:
    """Return the baseline's value, and the scales to judge; the first of them is reported."""
    first, second = (cut(samples, layout.parts) for samples in runs)
    references = [
        np.array([np.log(np.median(piece.reference_calls)) for piece in run])
        for run in (first, second)
    ]
    shift = float((references[1] - references[0]).mean())
    calls = [[np.log(piece.calls) for piece in run] for run in (first, second)]
    units = [
        [times - unit for times, unit in zip(run, own, strict=True)]
        for run, own in zip(calls, references, strict=True)
    ]
    by_clock, by_reference = (
        [Timings.of(run, layout.n_blocks) for run in scale] for scale in (calls, units)
    )
    relative = metric == "latency_relative"
    judged = [by_reference] if relative or not doubt.same_machine else [by_clock, by_reference]
    level = LEVELS[metric]
    return (by_reference if relative else by_clock)[0].value(level), tuple(
        compare_timings(before, after, level, doubt, shift) for before, after in judged
    )


@dataclass(frozen=True)
class _Judgement:
    """The scales held against what is allowed; the first of them is the one reported."""

    change: AllowedChange
    baseline: float
    scales: tuple[Scale, ...]
    doubt: Doubt

    @property
    def allowed(self) -> float:
        return self.change.allowed(self.baseline)

    def verdict(self, benchmark: str) -> RegressionVerdict:
        if not all(np.isfinite([scale.below, scale.above]).all() for scale in self.scales):
            reason = UNEVEN.format(metric=self.change.metric)
            return RegressionVerdict(benchmark, RUN, self.change, "inconclusive", reason=reason)
        interval, outcome = self._interval(), self._outcome()
        loss = self._rise(self.scales[0].estimate)
        reasons = [self._undecided(loss)] if outcome == "inconclusive" else []
        reasons += [] if self.doubt.same_machine else [MACHINES_DIFFER]
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
            reason="; ".join(reasons),
        )

    def _rise(self, log_ratio: float) -> float:
        """Return a log ratio as a rise of the metric, in its units; infinite where it overflows."""
        with np.errstate(over="ignore"):
            return self.baseline * float(np.expm1(log_ratio))

    def _p(self) -> float:
        return max(scale.p for scale in self.scales)

    def _interval(self) -> tuple[float, float]:
        lows, highs = zip(*(scale.bounds(self.doubt.alpha) for scale in self.scales), strict=True)
        return self._rise(min(lows)), self._rise(max(highs))

    def _outcome(self) -> Outcome:
        rises = [self._rise(scale.estimate) for scale in self.scales]
        if self._p() <= self.doubt.alpha and min(rises) > self.allowed:
            return "regressed"
        return "pass" if self._interval()[1] < self.allowed else "inconclusive"

    def _undecided(self, loss: float) -> str:
        low, high = self._interval()
        text = (
            f"the rise is {loss:.3g}, and {low:.3g} to {high:.3g} is possible where sessions of "
            f"one model differ by {self.doubt.spread:.0%}"
        )
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
    yield from _device_problems(baseline, candidate)


def _device_problems(
    baseline: Mapping[str, LatencySample], candidate: Mapping[str, LatencySample]
) -> Iterator[str]:
    """Say why the reference workloads tell nothing of the detectors."""
    for name, run in {"baseline": baseline, "candidate": candidate}.items():
        for condition, one in run.items():
            if one.device != one.reference_device:
                yield (
                    f"the {name}'s {condition} ran on {one.device} and its reference workload on "
                    f"{one.reference_device}: latencies cannot be compared"
                )
    for condition, one in baseline.items():
        other = candidate[condition]
        if one.kind != other.kind:
            yield (
                f"{condition} ran on {one.device} in the baseline and on {other.device} in the "
                "candidate: latencies cannot be compared"
            )


def _sample_problems(sample: LatencySample, where: str) -> Iterator[str]:
    for what, times in (("calls", sample.calls), ("reference calls", sample.reference_calls)):
        if times.size == 0:
            yield f"{where} has no timed {what}"
        elif not (np.isfinite(times).all() and (times > 0).all()):
            yield f"{where} has {what} whose time is no positive number"


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
