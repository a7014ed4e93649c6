"""Timed calls of two runs: cut alike into blocks, and compared by a quantile with its errors.

Four things make two runs of one model differ:

* The calls of one run. A quantile lies between two order statistics, whatever the distribution:
  where a few percent of the calls are slow, the 95th percentile may be one of these or none of
  them (R. Woodruff, "Confidence intervals for medians and other position measures", JASA 47, 1952).
  Slow calls come in bursts, and count as fewer calls by the design effect of the blocks (E. Korn
  and B. Graubard, "Confidence intervals for proportions with small expected number of positive
  counts estimated from survey data", Survey Methodology 24, 1998).
* The session. What is the same from a run's first to its last call cannot be seen within the run:
  two sessions are taken to differ by no less than two blocks do, and by no less than is supposed.
* The machine's state, as the reference workload sees it: a detector follows it only roughly.
* Another machine: what is left when every time is divided by that of the reference.

The errors of both runs are put together in quadrature, each side of the interval by itself (G. Zou
and A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27,
2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr, ndtr, ndtri, stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MOST_BLOCKS = 8

SESSION_SPREAD = 0.2
"""Standard deviation of the logarithm of a latency over sessions of one model on one machine.

Two runs cannot tell it, so it is supposed; where it is known, it is declared. Over cloud services
and programs it is 0.0003 to more than 1 (C. Laaber, J. Scheuner and P. Leitner, "Software
microbenchmarking in the cloud", Empirical Software Engineering 24, 2019). The project's own table
of `clean` measured first and last has ratios of 0.8 to 2.1 (docs/benchmarks.md)."""

MACHINE_SPREAD = 0.2
"""The same of what is left between two machines in units of the reference: what cache, memory and
instructions decide is not one number."""

UNFOLLOWED_SAME_MACHINE = 1.0
"""Share of a shift of the reference that the detector may not follow. On one machine the reference
stands still unless the machine is disturbed, and no share of a disturbance can be counted on."""

UNFOLLOWED_OTHER_MACHINE = 0.25
"""Another machine is faster or slower for good, and most of that is common to all work."""

MOST_INDEPENDENT = 200
"""No session tells more than this many independent calls: the share of calls that something else
slows down belongs to the session, a third more or less of one in twenty."""

ROUNDING = 5e-4
"""Reports keep four digits of a time."""


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
    device, reference_device : str
        Where the detector, and where the reference workload, computes: a kind such as ``cpu`` or
        ``cuda``, and behind a space which one.
    """

    calls: Numbers
    reference_calls: Numbers
    device: str = "cpu"
    reference_device: str = "cpu"

    @property
    def kind(self) -> str:
        """Kind of the detector's device."""
        return self.device.partition(" ")[0]


@dataclass(frozen=True)
class Doubt:
    """What two runs cannot show of themselves.

    Parameters
    ----------
    alpha : float
        Level of the test and of each bound.
    spread : float
        Standard deviation of the logarithm over sessions of one model on one machine.
    same_machine : bool
        Whether both ran on one machine.
    """

    alpha: float
    spread: float
    same_machine: bool

    def of_machine(self, shift: float) -> float:
        """Return the standard error that the machine may cause, of a log ratio.

        Parameters
        ----------
        shift : float
            By how much the reference moved, as a log ratio.
        """
        if self.same_machine:
            return UNFOLLOWED_SAME_MACHINE * abs(shift)
        return math.hypot(MACHINE_SPREAD, UNFOLLOWED_OTHER_MACHINE * shift)

    def of_session(self, shifts: Numbers) -> float:
        """Return the standard error that two sessions cause, of a log ratio.

        Parameters
        ----------
        shifts : (B,) float64
            Log ratios of the blocks.
        """
        between_blocks = float(shifts.std(ddof=1) * stdtrit(shifts.size - 1, 1 - self.alpha))
        return max(math.sqrt(2) * self.spread, between_blocks / float(ndtri(1 - self.alpha)))


@dataclass(frozen=True)
class Scale:
    """Log ratio of candidate to baseline, and its standard errors towards less and more."""

    estimate: float
    below: float
    above: float

    @property
    def p(self) -> float:
        """One-sided, against a candidate that is no slower."""
        return float(ndtr(-self.estimate / self.below))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of level ``1 - alpha`` below and above."""
        z = float(ndtri(1 - alpha))
        return self.estimate - z * self.below, self.estimate + z * self.above


@dataclass(frozen=True)
class Layout:
    """How both runs are cut: every condition into parts, and these put together to blocks."""

    n_calls: int
    parts: int
    n_blocks: int

    @classmethod
    def of(cls, runs: Sequence[Sequence[LatencySample]], calls_per_block: int) -> Layout:
        """Return the layout that both runs have enough calls for."""
        counts = [min(one.calls.size for one in samples) for samples in zip(*runs, strict=True)]
        affordable = min(MOST_BLOCKS, sum(counts) // calls_per_block)
        # Conditions are divided only where there are too few of them to be blocks.
        parts = max(1, min(math.ceil(affordable / len(counts)), *counts))
        return cls(sum(counts), parts, min(affordable, parts * len(counts)))


@dataclass(frozen=True)
class Timings:
    """The calls of one run on one scale, as logarithms: levels of blocks, and what scatters.

    Parameters
    ----------
    medians : (B,) float64
        Of the blocks.
    scatter : tuple of B (N,) float64
        Calls of the blocks, from their median.
    """

    medians: Numbers
    scatter: tuple[Numbers, ...]

    @classmethod
    def of(cls, pieces: Sequence[Numbers], n_blocks: int) -> Timings:
        """Put the calls of consecutive pieces together to blocks."""
        places = np.array_split(np.arange(len(pieces)), n_blocks)
        blocks = [np.concatenate([pieces[i] for i in block]) for block in places]
        medians = np.array([np.median(block) for block in blocks])
        scatter = tuple(block - median for block, median in zip(blocks, medians, strict=True))
        return cls(medians, scatter)

    def value(self, level: float) -> float:
        """Return a quantile of the run as a time again."""
        scatter = float(np.quantile(np.concatenate(self.scatter), level))
        return math.exp(float(self.medians.mean()) + scatter)


def compare_timings(
    baseline: Timings, candidate: Timings, level: float, doubt: Doubt, reference_shift: float
) -> Scale:
    """Compare a quantile of two runs; an error is infinite where their calls do not bound it.

    Parameters
    ----------
    baseline, candidate : Timings
        With equally many blocks.
    level : float
        Which quantile.
    doubt : Doubt
        What the runs cannot show.
    reference_shift : float
        By how much the reference moved, as a log ratio.
    """
    shifts = candidate.medians - baseline.medians
    first, second = (_quantile(run.scatter, level, doubt.alpha) for run in (baseline, candidate))
    others = (doubt.of_session(shifts), doubt.of_machine(reference_shift), ROUNDING)
    return Scale(
        float(shifts.mean()) + second.estimate - first.estimate,
        math.hypot(*others, second.below, first.above),
        math.hypot(*others, second.above, first.below),
    )


def _quantile(blocks: Sequence[Numbers], level: float, alpha: float) -> Scale:
    """Return a quantile of calls with its standard errors, by order statistics."""
    calls = np.sort(np.concatenate(blocks))
    estimate = float(np.quantile(calls, level))
    n = int(min(calls.size, MOST_INDEPENDENT) / _design_effect(blocks, estimate, level))
    below = bdtr(np.arange(n + 1), n, level)
    ranks = np.searchsorted(below, alpha), np.searchsorted(below, 1 - alpha) + 1
    if ranks[0] < 1 or ranks[1] > n:
        return Scale(estimate, math.inf, math.inf)
    low = calls[math.floor(ranks[0] * calls.size / n) - 1]
    high = calls[math.ceil(ranks[1] * calls.size / n) - 1]
    z = float(ndtri(1 - alpha))
    return Scale(estimate, float(estimate - low) / z, float(high - estimate) / z)


def _design_effect(blocks: Sequence[Numbers], threshold: float, level: float) -> float:
    """Return by how much the share of calls beyond varies more over blocks than by chance."""
    sizes = np.array([block.size for block in blocks])
    beyond = np.array([np.count_nonzero(block > threshold) for block in blocks])
    surplus = beyond - sizes * beyond.sum() / sizes.sum()
    by_chance = level * (1 - level) * sizes
    return max(1.0, float((surplus**2 / by_chance).sum()) / (sizes.size - 1))


def cut(samples: Sequence[LatencySample], parts: int) -> list[LatencySample]:
    """Return the parts of all conditions of a run, in order."""
    return [piece for sample in samples for piece in _cut(sample, parts)]


def _cut(sample: LatencySample, parts: int) -> list[LatencySample]:
    calls, references = sample.calls, sample.reference_calls
    # A part that has no reference of its own is held against that of its whole condition.
    own = np.array_split(references, parts) if references.size >= parts else [references] * parts
    pairs = zip(np.array_split(calls, parts), own, strict=True)
    return [LatencySample(*pair) for pair in pairs]
