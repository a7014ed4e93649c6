"""The pixels of many images, parted into background and defect, as ranking wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.regions import label_regions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Mask


class PixelScores(NamedTuple):
    """Scores of pixels with a known label.

    Parameters
    ----------
    background : ndarray of shape (N,), float32
        Scores of background pixels.
    defect : ndarray of shape (P,), float32
        Scores of defect pixels.
    regions : ndarray of shape (P,), int64
        Number of the region that each defect pixel belongs to.
    """

    background: Floats
    defect: Floats
    regions: NDArray[np.int64]


def part_pixels(anomaly_map: Floats, mask: Mask, ignored: Mask | None = None) -> PixelScores:
    """Part the pixels of one image.

    Regions are those of the whole mask: ignored pixels are dropped from a region, but do not cut it
    in two.

    Parameters
    ----------
    anomaly_map : ndarray of shape (H, W), float32
        Scores at the resolution of the mask.
    mask : ndarray of shape (H, W), bool
        True = defect.
    ignored : ndarray of shape (H, W), bool, optional
        Pixels that count nowhere.

    Returns
    -------
    PixelScores
        Copies, with regions numbered from 1 within this image.
    """
    labels, _ = label_regions(mask)
    background, defect = ~mask, mask
    if ignored is not None:
        background, defect = background & ~ignored, defect & ~ignored
    scores = np.asarray(anomaly_map, dtype=np.float32)
    return PixelScores(scores[background], scores[defect], labels[defect].astype(np.int64))


def pool_pixels(parts: Sequence[PixelScores]) -> PixelScores:
    """Join the pixels of many images; regions of different images get different numbers."""
    counts = [int(each.regions.max(initial=0)) for each in parts]
    firsts = np.cumsum([0, *counts])
    regions = [each.regions + first for each, first in zip(parts, firsts, strict=False)]
    return PixelScores(
        np.concatenate([np.empty(0, np.float32), *(each.background for each in parts)]),
        np.concatenate([np.empty(0, np.float32), *(each.defect for each in parts)]),
        np.concatenate([np.empty(0, np.int64), *regions]),
    )
