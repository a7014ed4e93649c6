"""Scores of images along the severities of one corruption, and between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import SEVEREST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STEPS = 500
GRID = np.round(np.linspace(SEVEREST / STEPS, SEVEREST, STEPS), 3)
"""Severities at which a break is looked for: 0.7 % of a level apart, as one step doubles it."""


@dataclass(frozen=True)
class Ladder:
    """What a detector says of N images at some severities of a corruption.

    Parameters
    ----------
    severities : tuple of float
        Ascending, above 0; L of them.
    clean : (N,) float64
        Scores without the corruption.
    scores : (L, D, N) float64
        Scores under it, by D draws.
    """

    severities: tuple[float, ...]
    clean: Array
    scores: Array

    @property
    def n_draws(self) -> int:
        """D."""
        return int(self.scores.shape[1])

    def between(self) -> tuple[NDArray[np.int64], Array]:
        """Return where every severity of `GRID` lies: the rung above it, and how near it is.

        Scores are taken to be linear in the severity, which is the logarithm of the level; below
        the first rung, where the level goes to nothing, in the level itself.

        Returns
        -------
        above : (G,) int64
            Index of the rung, the last one where there is none above.
        share : (G,) float64
            0 at the rung below, which is clean below the first, 1 at the rung.
        """
        rungs = np.array(self.severities)
        above = np.minimum(np.searchsorted(rungs, GRID), len(rungs) - 1)
        below = rungs[np.maximum(above - 1, 0)]
        with np.errstate(divide="ignore", invalid="ignore"):
            linear = (GRID - below) / (rungs[above] - below)
        share = np.where(above == 0, 2.0 ** (GRID - rungs[0]), linear)
        return above, np.minimum(share, 1.0)

    def along(self, images: NDArray[np.bool_], draw: int) -> Array:
        """Return the scores of some images at every severity of `GRID`: (G, images)."""
        above, share = self.between()
        rungs = np.vstack([self.clean[images], self.scores[:, draw, images]])
        lower, upper = rungs[above], rungs[above + 1]
        return np.asarray(lower + share[:, None] * (upper - lower))

    def with_rung(self, severity: float, scores: Array) -> Ladder:
        """Return the ladder with the ``(D, N)`` scores of one more severity."""
        place = int(np.searchsorted(self.severities, severity))
        severities = (*self.severities[:place], severity, *self.severities[place:])
        return Ladder(severities, self.clean, np.insert(self.scores, place, scores, axis=0))

    def bracket(self, severity: float) -> tuple[float, float]:
        """Return the rungs around a severity; 0 stands for clean."""
        rungs = (0.0, *self.severities)
        place = min(int(np.searchsorted(self.severities, severity)), len(self.severities) - 1)
        return rungs[place], rungs[place + 1]
