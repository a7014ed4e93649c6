"""The two sides of a wrong decision along a ladder: shares of parts, smoothed over scores.

A share of few parts moves in steps, and where it first crosses a limit is a matter of luck.
Smoothed over the scores it moves as the scores do::

    F(s) = mean Phi((score(s) - t) / h),    h = 0.74 sd n^(-1/5)

with the spread and the number n of the clean scores of that kind of parts. What it adds to clean,
``F(s) - F(0)``, is the damage; the clean share itself is counted, not smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.metric import SideName
    from pytest_robustbench.metrics.parts import Parts
    from pytest_robustbench.metrics.tolerance.ladder import Ladder

    Array = NDArray[np.float64]

WIDTH = 0.74
"""Width of the smoothing at n = 1, in standard deviations."""
ROWS = 256
"""Draws that are worked out at a time."""
NORMAL_QUARTILES = 1.349
"""Distance of the quartiles of a normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Side:
    """What P parts add to one side of wrong decisions.

    Parameters
    ----------
    name : {"false_reject_rate", "miss_rate"}
        The share of parts that it is.
    n_images : (P,) float64
        How many images of its kind each part has.
    wrong : (P,) float64
        How many of them are decided wrongly under clean.
    smoothed : (P, G + 1) float64
        The same, smoothed: under clean, then at every severity of the grid.
    """

    name: SideName
    n_images: Array
    wrong: Array
    smoothed: Array

    @classmethod
    def of(
        cls,
        name: SideName,
        ladder: Ladder,
        threshold: float,
        *,
        labels: NDArray[np.int64],
        parts: Parts,
    ) -> Side:
        """Work out one side.

        Parameters
        ----------
        name : {"false_reject_rate", "miss_rate"}
            Which.
        ladder : Ladder
            The scores of N images.
        threshold : float
            A part is rejected where its score lies strictly above.
        labels : (N,) int64
            1 = defective, 0 = good.
        parts : Parts
            The parts that the images show.
        """
        sign = 1 if name == "false_reject_rate" else -1
        images = labels == (0 if sign > 0 else 1)
        clean = ladder.clean[images]
        wrong = clean > threshold if sign > 0 else clean <= threshold
        width = width_of(clean)
        along = np.zeros((int(images.sum()), 1 + len(ladder.between()[0])))
        for draw in range(ladder.n_draws):
            scores = np.vstack([clean, ladder.along(images, draw)])
            along += _smoothed(sign * (scores - threshold), width).T / ladder.n_draws
        return cls(
            name,
            parts.sums(images.astype(np.float64)),
            parts.sums(_spread(wrong, images)),
            parts.sums(_spread(along, images)),
        )

    @property
    def n_parts(self) -> int:
        """Number of parts of its kind."""
        return int((self.n_images > 0).sum())

    def shares(self, weights: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Return the clean share and the damage along the grid: ``(R,)`` and ``(R, G)``.

        Parameters
        ----------
        weights : (R, P) uint8
            How often each draw holds each part.
        """
        blocks = [
            self._shares(weights[start : start + ROWS].astype(np.float64))
            for start in range(0, len(weights), ROWS)
        ]
        clean, damage = zip(*blocks, strict=True)
        return np.concatenate(clean), np.concatenate(damage)

    def _shares(self, weights: Array) -> tuple[Array, Array]:
        total = weights @ self.n_images
        smoothed = (weights @ self.smoothed) / total[:, None]
        return (weights @ self.wrong) / total, smoothed[:, 1:] - smoothed[:, :1]


def width_of(clean: Array) -> float:
    """Return the width of the smoothing for ``(n,)`` clean scores of one kind of parts.

    The spread is the smaller of the standard deviation and that which the quartiles would have of a
    normal distribution: single parts far away do not widen it (Silverman 1986, section 3.4.2).
    """
    if len(clean) < 2:
        return 0.0
    spread = float(np.std(clean, ddof=1))
    low, high = np.quantile(clean, (0.25, 0.75))
    middle = float(high - low) / NORMAL_QUARTILES
    return float(WIDTH * (min(spread, middle) or spread) * len(clean) ** -0.2)


def _smoothed(distances: Array, width: float) -> Array:
    """Return how much each image counts as wrong, from its signed distance to the threshold."""
    if width == 0:
        return np.asarray(distances > 0, np.float64)
    return np.asarray(ndtr(distances / width))


def _spread(values: NDArray[np.generic], images: NDArray[np.bool_]) -> Array:
    """Return rows of some images as rows of all images, 0 for the others."""
    found = np.zeros((len(images), *values.shape[1:]))
    found[images] = values
    return found
