"""The images that show best what goes wrong under a condition, small.

They are kept while the condition is measured: nothing is predicted twice, and what is shown is what
was counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.evaluation.results import Exhibit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Mask
    from pytest_robustbench.corruptions.corruption import Corrupted
    from pytest_robustbench.evaluation.measure.tally import Tally
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint

LONGEST = 200  # pixels of the longer side
OF_DEFECTS, OF_NORMALS = 2, 1


def telling_images(
    labels: NDArray[np.int64],
    score: NDArray[np.floating],
    counts: NDArray[np.number],
    image_threshold: float,
) -> list[int]:
    """Return which images show best what goes wrong: at most three, worst first.

    Parameters
    ----------
    labels : (N,) int64
        1 = defect.
    score : (N,) float
        Image scores; NaN where not measured.
    counts : (4, N) number
        Pixel counts ``tp fp fn tn``; zeros or NaN where not known.
    image_threshold : float
        What decides images.

    Returns
    -------
    list of int
        Two defect images and a normal one, as far as something is wrong with them: wrongly decided
        images before others, then by the loss of SegF1, or the share of false positives. One kind
        fills the places that the other leaves.
    """
    badness = _badness(labels, score, np.nan_to_num(counts).astype(np.float64), image_threshold)
    order = [int(i) for i in np.argsort(-badness, kind="stable") if badness[i] > 0]
    defects, normals = ([i for i in order if labels[i] == label] for label in (1, 0))
    chosen = defects[:OF_DEFECTS] + normals[:OF_NORMALS]
    others = [i for i in order if i not in chosen]
    chosen += others[: OF_DEFECTS + OF_NORMALS - len(chosen)]
    return sorted(chosen, key=order.index)


def _badness(
    labels: NDArray[np.int64],
    score: NDArray[np.floating],
    counts: NDArray[np.float64],
    image_threshold: float,
) -> NDArray[np.float64]:
    """Return a number per image, 0 = nothing wrong, above 1 where it is wrongly decided."""
    tp, fp, fn, tn = counts
    loss = (fp + fn) / np.maximum(2 * tp + fp + fn, 1)
    false_positives = fp / np.maximum(fp + tn, 1)
    wrong = (score > image_threshold) != (labels == 1)
    badness: NDArray[np.float64] = wrong + np.where(labels == 1, loss, false_positives)
    badness[np.isnan(score)] = 0
    return badness


class Exhibition:
    """Keeps the worst images of a condition while it is measured, in chunks.

    Parameters
    ----------
    labels : (N,) int64
        1 = defect.
    point : OperatingPoint
        The frozen thresholds.
    """

    def __init__(self, labels: NDArray[np.int64], point: OperatingPoint) -> None:
        self._labels = labels
        self._point = point
        self._kept: dict[int, Exhibit] = {}
        self._chosen: list[int] = []

    def choose(self, tally: Tally, chunk: Sequence[int]) -> list[int]:
        """Return the places in the chunk of images that are among the worst up to now.

        Whatever is among the worst of all images is so among those measured before it.
        """
        counts = tally.counts if self._point.pixel_threshold is not None else 0 * tally.counts
        threshold = self._point.image_threshold
        self._chosen = telling_images(self._labels, tally.score, counts, threshold)
        self._kept = {i: e for i, e in self._kept.items() if i in self._chosen}
        return [place for place, index in enumerate(chunk) if index in self._chosen]

    def keep(self, index: int, scene: Corrupted, anomaly_map: Floats | None) -> None:
        """Keep an image with its defect and what the frozen threshold calls anomalous."""
        called = called_pixels(scene, anomaly_map, self._point.pixel_threshold)
        size = fitted(scene.image.shape, LONGEST)
        masks = (None if m is None else resize_mask(m, size) for m in (scene.mask, called))
        self._kept[index] = Exhibit(index, resize_image(scene.image, size), *masks)

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """What is kept, worst first."""
        return tuple(self._kept[index] for index in self._chosen)


def called_pixels(
    scene: Corrupted, anomaly_map: Floats | None, threshold: float | None
) -> Mask | None:
    """Return which pixels of a picture are called anomalous; ``None`` without map or threshold.

    Parameters
    ----------
    scene : Corrupted
        The picture; its ignored pixels are called nothing.
    anomaly_map : (H, W) float32, optional
        At its resolution.
    threshold : float, optional
        The pixel threshold.
    """
    if anomaly_map is None or threshold is None:
        return None
    called: Mask = anomaly_map > np.float32(threshold)
    return called if scene.ignored is None else called & ~scene.ignored


def fitted(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return height and width of a picture whose longer side is at most `longest` pixels."""
    scale = min(1.0, longest / max(shape[:2]))
    height, width = (max(1, round(side * scale)) for side in shape[:2])
    return height, width
