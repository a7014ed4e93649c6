"""By how much a scene has moved in the frame, where it is the same scene in every picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.pixels.sizes import scale_of
from pytest_robustbench.drift.change import gray_of, light_in
from pytest_robustbench.drift.fitting import Estimate
from pytest_robustbench.drift.weights import critical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image

    Plane = NDArray[np.float32]

STEADY = 0.5
"""Correlation of a picture with the mean of the others from which a scene is called steady."""
SMALL = 256
"""Pictures are compared at this shorter side at most."""


def plane_of(pixels: Image, response: str) -> Plane:
    """Return the light of a picture, reduced, over its own mean."""
    light = gray_of(light_in(pixels, response))
    times = max(1.0, min(light.shape) / SMALL)
    size = (round(light.shape[1] / times), round(light.shape[0] / times))
    cv2 = opencv.load()
    small = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA))
    return np.asarray(small / max(float(small.mean()), 1e-6), np.float32)


def shifts(
    before: Sequence[Plane], after: Sequence[Plane], compared: int
) -> tuple[Estimate, Estimate] | None:
    """Return by how much the scene moved to the right, and down; ``None`` where it is not steady.

    Phase correlation [1]_ of every picture with the mean of those before, itself left out.

    Parameters
    ----------
    before, after : sequence of ndarray, shape (h, w)
        What `plane_of` gives.
    compared : int
        How many things are compared in all.

    Returns
    -------
    tuple of 2 Estimate, or None
        In pixels of a picture whose shorter side is 256.

    References
    ----------
    .. [1] Kuglin and Hines, "The phase correlation image alignment method", Proceedings of the
       IEEE Conference on Cybernetics and Society, 1975.
    """
    if len({plane.shape for plane in (*before, *after)}) > 1:
        return None
    first, second = np.stack(before), np.stack(after)
    mean = first.mean(axis=0)
    others = [(len(first) * mean - plane) / (len(first) - 1) for plane in first]
    likeness = [_correlation(*pair) for pair in zip(first, others, strict=True)]
    if not np.median(likeness) > STEADY:
        return None
    scale = scale_of(mean.shape)
    moved = [
        np.array([_moved(reference, plane) for reference, plane in pairs]) / scale
        for pairs in (zip(others, first, strict=True), ((mean, plane) for plane in second))
    ]
    across, down = (_estimate(moved[0][:, axis], moved[1][:, axis], compared) for axis in (0, 1))
    return across, down


def _correlation(one: Plane, other: Plane) -> float:
    """Return how alike two pictures are, -1 to 1; blank ones are not alike."""
    first, second = (plane - plane.mean() for plane in (one, other))
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size else 0.0


def _moved(reference: Plane, plane: Plane) -> tuple[float, float]:
    cv2 = opencv.load()
    window = cv2.createHanningWindow(plane.shape[::-1], cv2.CV_32F)
    (across, down), _ = cv2.phaseCorrelate(reference, plane, window)
    return across, down


def _estimate(before: NDArray[np.float64], after: NDArray[np.float64], compared: int) -> Estimate:
    """Return the difference of the means of two sides, by their own spreads."""
    counts = [len(before), len(after)]
    factor = critical(compared, *counts)
    spread, other = before.var(ddof=1), after.var(ddof=1)
    return Estimate(
        float(after.mean() - before.mean()),
        factor * float(np.sqrt(spread / counts[0] + other / counts[1])),
        factor * float(np.sqrt(spread * sum(1 / count for count in counts))),
    )
