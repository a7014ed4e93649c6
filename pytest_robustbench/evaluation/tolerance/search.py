"""Which severities are measured to find a break: the whole ones, then ever nearer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import SEVERITIES, rounded_severity
from pytest_robustbench.metrics.tolerance.breaks import BROKEN, NEVER
from pytest_robustbench.metrics.tolerance.ladder import Ladder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_robustbench.metrics.tolerance.breaks import Breaks

    Array = NDArray[np.float64]

FINEST = 0.25
"""Steps between the severities around a break: scores are interpolated over a fifth of a level."""
MOST_RUNGS = 12


def searched(
    clean: Array, scores_at: Callable[[float], Array], breaks_of: Callable[[Ladder], Breaks]
) -> tuple[Ladder, Breaks]:
    """Measure the whole severities, then halve the step in which the break lies.

    Parameters
    ----------
    clean : (N,) float64
        Scores under clean.
    scores_at : callable
        Severity to ``(D, N)`` scores; each severity is asked for once.
    breaks_of : callable
        Ladder to where it breaks.
    """
    ladder = Ladder(SEVERITIES, clean, np.stack([scores_at(severity) for severity in SEVERITIES]))
    while True:
        breaks = breaks_of(ladder)
        found = breaks.first.severity
        if found in (BROKEN, NEVER) or len(ladder.severities) >= MOST_RUNGS:
            return ladder, breaks
        low, high = ladder.bracket(found)
        if high - low <= FINEST:
            return ladder, breaks
        middle = rounded_severity((low + high) / 2)
        ladder = ladder.with_rung(middle, scores_at(middle))
