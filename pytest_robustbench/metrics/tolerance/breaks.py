"""Where the limits on image decisions first break along a ladder, and how sure that is.

Shares that rise with the severity, as far as can be told, are made to: they break where an isotonic
regression crosses the limit. Its level sets are known without fitting it: it lies above the limit
from the k on at which ``sum over j < k of (share_j - limit)`` is least (Barlow et al. 1972). A
share that falls again by more than chance does, as misses do where everything alarms, breaks where
it first crosses.

The interval is that of the bootstrap over parts, its percentiles expanded as few parts need it:
draws of n parts vary by ``(n - 1) / n`` of what test sets do, and a percentile knows nothing of
Student's wider tails (Hesterberg 2015, section 3.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, stdtrit

from pytest_robustbench.errors import NotMeasurableError
from pytest_robustbench.metrics.metric import SIDES
from pytest_robustbench.metrics.parts import parts_of
from pytest_robustbench.metrics.tolerance.ladder import GRID
from pytest_robustbench.metrics.tolerance.sides import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import SideName
    from pytest_robustbench.metrics.parts import Parts
    from pytest_robustbench.metrics.tolerance.ladder import Ladder

    Array = NDArray[np.float64]

DRAWS = 2000
SEED = 0
CONFIDENCE = 0.9
"""Of the interval: its lower end alone holds at 95 %."""
MORE, HALF = 0.1, 0.5
"""What a share may add to its clean value where no limit bounds it, and what it may be at most:
where more than half of the parts are decided wrongly, nothing is left that could break.
"""
FALLS = 2.0
"""Standard errors by which a share must fall again before that is taken for more than chance."""
LEAST_PARTS = 2
BROKEN, NEVER = 0.0, math.inf
"""Severity of what is broken under clean, and of what no severity breaks."""


@dataclass(frozen=True)
class Break:
    """The first severity that breaks a limit.

    Parameters
    ----------
    severity : float
        0 where clean breaks it, infinite where no severity does.
    drawn : (R,) float64
        The same of other parts of the same kinds.
    n_parts : int
        How many parts it rests on, at least two; of each kind, where several kinds break.
    """

    severity: float
    drawn: Array
    n_parts: int

    def at_least(self, confidence: float) -> float:
        """Return the severity that the break lies at or beyond with a one-sided confidence."""
        return self._end(confidence)[0]

    @property
    def interval(self) -> tuple[float, float]:
        """The interval at `CONFIDENCE`, both ends severities that were drawn."""
        return self._end((1 + CONFIDENCE) / 2)

    def _end(self, confidence: float) -> tuple[float, float]:
        ordered = np.sort(self.drawn)
        beyond = int(expanded(1 - confidence, self.n_parts) * len(ordered))
        return float(ordered[beyond]), float(ordered[-1 - beyond])

    def or_earlier(self, other: Break) -> Break:
        """Return the break of whatever breaks first, draw by draw."""
        severity, drawn = min(self.severity, other.severity), np.minimum(self.drawn, other.drawn)
        return Break(severity, drawn, min(self.n_parts, other.n_parts))


def expanded(tail: float, n: int) -> float:
    """Return which tail of the draws of `n` parts stands for a tail of test sets of as many."""
    return float(ndtr(stdtrit(n - 1, tail) * math.sqrt(n / (n - 1))))


@dataclass(frozen=True)
class SideBreak:
    """Where one side breaks.

    Parameters
    ----------
    limit : float
        The share of parts above which it is broken.
    clean : float
        The share under clean.
    n_parts : int
        Parts of that kind.
    rises : bool
        Whether the share rises with the severity, as far as can be told.
    found : Break
        Where it first exceeds the limit.
    """

    limit: float
    clean: float
    n_parts: int
    rises: bool
    found: Break


@dataclass(frozen=True)
class Breaks:
    """Where image decisions first break, on either side."""

    sides: Mapping[SideName, SideBreak]

    @property
    def first(self) -> Break:
        """The break of either side, whichever is first."""
        one, *others = (side.found for side in self.sides.values())
        for other in others:
            one = one.or_earlier(other)
        return one

    @property
    def broken_by(self) -> SideName | None:
        """The side that breaks first; ``None`` where none does."""
        severity, name = min((side.found.severity, name) for name, side in self.sides.items())
        return None if severity == NEVER else name


def breaks_of(
    ladder: Ladder,
    threshold: float,
    limits: Mapping[SideName, float],
    *,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    n_draws: int = DRAWS,
) -> Breaks:
    """Return where decisions on N images break, with draws of the parts that they show.

    Parameters
    ----------
    ladder : Ladder
        Their scores.
    threshold : float
        The frozen image threshold.
    limits : mapping of {"false_reject_rate", "miss_rate"} to float
        Above which each side is broken; one that is absent at `MORE` than under clean, and at
        `HALF` of its parts.
    labels : (N,) int64
        1 = defective, 0 = good.
    groups : (N,) int64
        Equal numbers show one part.
    n_draws : int
        R; the draws depend on the parts alone.

    Raises
    ------
    NotMeasurableError
        If there are not two parts of each kind: one side would be blind.
    """
    parts = parts_of(labels, groups)
    weights = drawn_parts(parts, n_draws)
    found = {}
    for name in SIDES:
        side = Side.of(name, ladder, threshold, labels=labels, parts=parts)
        if side.n_parts < LEAST_PARTS:
            kind = "good" if name == "false_reject_rate" else "defective"
            raise NotMeasurableError(
                f"a tolerance takes {LEAST_PARTS} {kind} parts at least, and the test set has "
                f"{side.n_parts}: decisions on that side would not be seen"
            )
        found[name] = side_break(side, limits.get(name), weights)
    return Breaks(found)


def drawn_parts(parts: Parts, n_draws: int) -> NDArray[np.uint8]:
    """Draw parts with replacement, as many as there are of each kind: (R, P)."""
    rng = np.random.Generator(np.random.Philox(key=SEED))
    weights = np.zeros((n_draws, len(parts.strata)), np.uint8)
    for members in map(np.flatnonzero, parts.members()):
        for row in weights:  # of uniform numbers alone, which are the same with every NumPy
            chosen = (rng.random(len(members)) * len(members)).astype(np.int64)
            row[members] = np.bincount(chosen, minlength=len(members))
    return weights


def side_break(side: Side, limit: float | None, weights: NDArray[np.uint8]) -> SideBreak:
    """Return where one side breaks; see `breaks_of`.

    Less than half an image more than under clean is none: a limit of 0 breaks where the first
    image is decided wrongly.
    """
    every = np.ones((1, len(side.n_images)), np.uint8)
    (clean,), curve = side.shares(every)
    drawn_clean, drawn = side.shares(weights)
    rises = _rises(curve[0], drawn)
    least = 0.5 / float(side.n_images.sum())
    cleans = np.append(clean, drawn_clean)
    limits = np.minimum(cleans + MORE, HALF) if limit is None else np.full_like(cleans, limit)
    rooms = limits - cleans
    crossed = _crossed(np.vstack([curve, drawn]) - np.maximum(rooms, least)[:, None], rises=rises)
    severities = np.where(rooms < 0, BROKEN, np.append(GRID, NEVER)[crossed])
    found = Break(float(severities[0]), severities[1:], side.n_parts)
    return SideBreak(float(limits[0]), float(clean), side.n_parts, rises, found)


def _rises(curve: Array, drawn: Array) -> bool:
    """Return whether a curve never falls by more than chance: ``(G,)``, and ``(R, G)`` draws."""
    highest = np.maximum.accumulate(curve)
    low = int(np.argmax(highest - curve))
    high = int(np.argmax(curve[: low + 1]))
    fall = curve[high] - curve[low]
    return bool(fall <= FALLS * np.std(drawn[:, high] - drawn[:, low]))


def _crossed(excess: Array, *, rises: bool) -> NDArray[np.int64]:
    """Return the first place at which each row exceeds 0, or its length: ``(R, G)`` to ``(R,)``."""
    if rises:
        sums = np.pad(np.cumsum(excess, axis=1), ((0, 0), (1, 0)))
        last = np.argmin(sums[:, ::-1], axis=1)  # of equal sums the last: not above is not broken
        return np.asarray(excess.shape[1] - last, np.int64)
    above = excess > 0
    first = np.where(above.any(axis=1), np.argmax(above, axis=1), excess.shape[1])
    return np.asarray(first, np.int64)
