"""Scores of the test images at any severity of one corruption, draw by draw."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import CLEAN, SEVEREST, Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.evaluation.measure.scenes import Scenes
    from pytest_robustbench.evaluation.sweep import Sweep

    Array = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

MOST_LOOKED_AT = 8
"""Images by which it is told whether a corruption draws anything."""


class Rungs:
    """Measures scores, and nothing else.

    Parameters
    ----------
    condition : Condition
        The tolerance that is looked for.
    scenes : sequence of Scenes
        The test images, each with other draws.
    sweep_of : callable
        Returns what predicts the images of scenes.
    known : mapping of Condition to (N,) array
        Scores that were measured before, by the first draw; N test images.
    progress : callable
        Told ``(phase, done, total)``.
    """

    def __init__(
        self,
        condition: Condition,
        scenes: Sequence[Scenes],
        sweep_of: Callable[[Scenes], Sweep],
        known: Mapping[Condition, NDArray[np.float32]],
        progress: Progress,
    ) -> None:
        self._condition = condition
        self._scenes = scenes
        self._sweep_of = sweep_of
        self._known = known
        self._progress = progress

    @cached_property
    def kept(self) -> list[int]:
        """The test images whose defect every draw keeps in the frame."""
        severest = Condition(self._condition.ladder, SEVEREST)
        kept = [set(scenes.kept(severest)) for scenes in self._scenes]
        return sorted(set.intersection(*kept))

    def clean(self) -> Array:
        """Return the scores of the kept images without the corruption: (n,)."""
        return self._scores(CLEAN, 0)

    def at(self, severity: float) -> Array:
        """Return the scores of the kept images at a severity, by each draw: (D, n)."""
        condition = Condition(self._condition.ladder, severity)
        found = [self._scores(condition, draw) for draw in range(self._n_draws)]
        if severity == SEVEREST:  # a milder one may round to nothing
            self._scenes[0].require_changed(condition)
        return np.stack(found)

    @cached_property
    def _n_draws(self) -> int:
        """1 where the corruption draws nothing, so that all draws are the same."""
        severest = Condition(self._condition.ladder, SEVEREST)
        looked_at = self.kept[:MOST_LOOKED_AT]
        for index in looked_at:
            first, *others = (s.under(severest, index).corrupted.image for s in self._scenes)
            if any(not np.array_equal(first, other) for other in others):
                return len(self._scenes)
        return 1

    def _scores(self, condition: Condition, draw: int) -> Array:
        found = self._known.get(condition) if draw == 0 else None
        if found is None:
            sweep = self._sweep_of(self._scenes[draw])
            found = sweep.scores(condition, self.kept, self._condition.id, self._progress)
        return np.asarray(found[self.kept], np.float64)
