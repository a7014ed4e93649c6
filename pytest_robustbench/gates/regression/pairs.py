"""What two fitted models said about the same images under the same condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


COLUMNS = ("score", "tp", "fp", "fn", "tn")
"""What is known of every image."""


@dataclass(frozen=True)
class Outputs:
    """One model's outputs, image by image.

    Parameters
    ----------
    score : (N,) float64
        Image scores; NaN where the condition leaves the image out.
    tp, fp, fn, tn : (N,) float64
        Pixel counts at the pixel threshold; NaN where the pixels of the image count nowhere
        (left out, no known mask, no map).
    image_threshold : float
        An image is called defective when its score is strictly above.
    pixel_threshold : float or None
        The threshold behind the counts.
    """

    score: NDArray[np.float64]
    tp: NDArray[np.float64]
    fp: NDArray[np.float64]
    fn: NDArray[np.float64]
    tn: NDArray[np.float64]
    image_threshold: float
    pixel_threshold: float | None = None

    def of(self, rows: NDArray[Any]) -> Outputs:
        """Return the outputs of some images.

        Parameters
        ----------
        rows : (M,) int64 or (N,) bool
            Which images.
        """
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})


@dataclass(frozen=True)
class Pair:
    """Baseline and candidate under one condition, on the same images in the same order.

    Parameters
    ----------
    condition : str
        Id of the condition.
    ids : tuple of str
        The images both have measured or left out alike.
    labels : (N,) int64
        1 = defect.
    baseline, candidate : Outputs
        What each said.
    """

    condition: str
    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    baseline: Outputs
    candidate: Outputs

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
