"""How much each trait says about each parameter, and how far chance alone moves an estimate."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Matrix = NDArray[np.float64]

ERROR = 0.03
"""How often pictures that did not drift may be said to have drifted, in anything at all."""
_LEAST = 1e-6
"""Standard deviation of a trait that is the same in all pictures."""


def critical(compared: int, before: int, after: int) -> float:
    """Return how many standard errors are chance, where so many things are compared at once.

    Student's t of the smaller side, divided over everything that is compared (Bonferroni).
    """
    from scipy.stats import t

    return float(t.ppf(1 - ERROR / (2 * compared), min(before, after) - 1))


class Weights:
    """Generalised least squares of the difference of two sides.

    The covariance of traits is estimated from the same few pictures; an estimate's spread is
    therefore that of pictures whose weights were worked out without them.

    Parameters
    ----------
    before, after : ndarray, shape (n, D)
        Traits of the pictures of each side.
    slopes : ndarray, shape (D, P)
        What each parameter does to the traits.
    tolerance : ndarray, shape (D,)
        Standard deviation of what no number of pictures averages out.
    """

    def __init__(self, before: Matrix, after: Matrix, slopes: Matrix, tolerance: Vector) -> None:
        self.difference = after.mean(axis=0) - before.mean(axis=0)
        self.slopes = slopes
        self._tolerance = tolerance
        self._sides = [one - one.mean(axis=0) for one in (before, after)]
        self._both = np.concatenate(self._sides)
        self._loads = self._loads_without(None)

    @cached_property
    def _left_out(self) -> list[Matrix]:
        return [self._loads_without(picture) for picture in range(len(self._both))]

    def solution(self, difference: Vector, which: Sequence[int]) -> Vector:
        """Return the parameters `which` that explain a difference ``(D,)`` best, together."""
        return np.asarray(self._effects(self._loads, which) @ difference)

    def left(self, difference: Vector) -> float:
        """Return how large a difference ``(D,)`` is: its square, over the covariance."""
        return float(difference @ np.linalg.solve(self._covariance(self._both), difference))

    def margins(self, which: Sequence[int], compared: int) -> tuple[Vector, Vector]:
        """Return the margins of the parameters `which`, and what they would be before alone."""
        pairs = zip(self._left_out, self._both, strict=True)
        spread = np.array([self._effects(loads, which) @ one for loads, one in pairs])
        counts = [len(side) for side in self._sides]
        before, after = (
            (part**2).sum(axis=0) / (len(part) - 1) for part in np.split(spread, counts[:1])
        )
        systematic = (self._effects(self._loads, which) ** 2) @ self._tolerance**2
        factor = critical(compared, *counts)
        shares = 1 / counts[0] + 1 / counts[1]
        # The wider side for both: few pictures may be alike by chance.
        margin = np.sqrt(np.maximum(before, after) * shares + systematic)
        floor = np.sqrt(before * shares + systematic)
        return factor * margin, factor * floor

    def _effects(self, loads: Matrix, which: Sequence[int]) -> Matrix:
        """Return what each trait adds to each of the parameters `which`, ``(len(which), D)``."""
        chosen = loads[:, list(which)]
        # Not `inv`: a parameter may do nothing, such as blur to a blank picture.
        effects = np.linalg.pinv(chosen.T @ self.slopes[:, list(which)])
        return np.asarray(effects @ chosen.T, np.float64)

    def _loads_without(self, picture: int | None) -> Matrix:
        """Return the slopes over the covariance of all pictures but one, ``(D, P)``."""
        rest = self._both if picture is None else np.delete(self._both, picture, axis=0)
        return np.asarray(np.linalg.solve(self._covariance(rest), self.slopes), np.float64)

    def _covariance(self, deviations: Matrix) -> Matrix:
        """Return the covariance of the difference of the means, ``(D, D)``."""
        from sklearn.covariance import ledoit_wolf

        scale = deviations.std(axis=0) + _LEAST
        shrunk: Matrix = ledoit_wolf(deviations / scale, assume_centered=True)[0]
        shares = sum(1 / len(side) for side in self._sides)
        return shares * shrunk * np.outer(scale, scale) + np.diag(self._tolerance**2)
