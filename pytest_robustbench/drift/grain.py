"""How noisy a picture is, where it shows nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.drift.change import Light

    Vector = NDArray[np.float64]

BLOCK = 16
"""Side of a block, pixels."""
_PART = 4
"""Side of the parts of a block by whose means it is called flat, pixels."""
_FLAT = 0.25
"""Share of the blocks that are called flat."""
_LOWEST, _HIGHEST = 0.003, 0.95
"""Mean light of blocks that say something: others are clipped."""


def grain(light: Light) -> Vector:
    """Return the noise of each plane, ``(1,)`` or ``(3,)``.

    The variance at white that shot noise would have, in squares of 1/255 of white: Immerkaer's
    difference of two Laplacians [1]_, which no plane and no slope shows up in, squared, over the
    light, in the median of the flattest blocks.

    Parameters
    ----------
    light : ndarray of float32, shape (H, W) or (H, W, 3)
        From 0 to 1.

    References
    ----------
    .. [1] Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding
       64(2), 1996.
    """
    rows, columns = (max(1, length // BLOCK) for length in light.shape[:2])
    whole = np.ascontiguousarray(light[: rows * BLOCK, : columns * BLOCK])
    cv2 = opencv.load()
    rough = cv2.filter2D(whole, cv2.CV_32F, _laplacians())
    variance, mean = (_means(part, rows, columns) for part in (rough * rough, whole))
    parts = _means(whole, rows * BLOCK // _PART, columns * BLOCK // _PART)
    within = parts.reshape(rows, BLOCK // _PART, columns, BLOCK // _PART, -1).std(axis=(1, 3))
    flatness, variance, mean = (one.reshape(rows * columns, -1) for one in (within, variance, mean))
    planes = zip(flatness.T, variance.T, mean.T, strict=True)
    return np.array([_of_flat(*plane) for plane in planes])


def _of_flat(flatness: Vector, variance: Vector, mean: Vector) -> float:
    said = (mean > _LOWEST) & (mean < _HIGHEST)
    if not said.any():
        said = np.ones_like(said)
    light = np.maximum(mean[said], _LOWEST)
    relative = flatness[said] / light
    flat = relative <= np.quantile(relative, _FLAT)
    return 255.0**2 * float(np.median((variance[said] / light)[flat]))


def _means(light: Light, rows: int, columns: int) -> Light:
    cv2 = opencv.load()
    return np.asarray(cv2.resize(light, (columns, rows), interpolation=cv2.INTER_AREA))


def _laplacians() -> Light:
    """Return the mask whose response to white noise has the variance of the noise."""
    return np.asarray(np.outer([1, -2, 1], [1, -2, 1]) / 6, np.float32)
