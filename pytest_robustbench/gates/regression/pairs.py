"""What two fitted models said about the same images under the same condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.outcomes import COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.outcomes import Outcomes


@dataclass(frozen=True)
class Pair:
    """Baseline and candidate under one condition, on the same images in the same order.

    Parameters
    ----------
    condition : str
        Id of the condition.
    ids : tuple of str
        The images both have measured or left out alike.
    baseline, candidate : Outcomes
        What each said.
    """

    condition: str
    ids: tuple[str, ...]
    baseline: Outcomes
    candidate: Outcomes

    @property
    def labels(self) -> NDArray[np.int64]:
        """1 = defect: (N,)."""
        return self.baseline.labels

    def is_identical(self) -> bool:
        """Return whether both gave the same scores and counts for every image.

        Equal decisions are not enough: two models that agree on twenty images may differ on the
        next ones.
        """
        return all(
            np.array_equal(
                getattr(self.baseline, name), getattr(self.candidate, name), equal_nan=True
            )
            for name in COLUMNS
        )
