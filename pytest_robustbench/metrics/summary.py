"""All metrics of one test run by name, and for each that is not defined the reason why.

The names are those a limit may use, without latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.counts import (
    CountColumns,
    bg_fpr,
    normal_fpr,
    pixel_segf1,
    pixel_segf1_per_image,
    pooled,
)
from pytest_robustbench.metrics.images import decide, rank_images
from pytest_robustbench.metrics.ranking.exact import UNDEFINED, Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from pytest_robustbench.arrays import Floats

NO_NORMAL_IMAGE = "no normal image in the test set"
NO_DEFECT_IMAGE = "no defect image in the test set"
NO_IMAGE = "no image in the test set"
NOTHING_CALLED = "no image is called defective"
NO_MAPS = "the detector gives no maps"
NO_MASK = "no defect image has a mask"
NO_DEFECT_PIXEL = "no defect pixel is left in the masks"
NO_BACKGROUND_PIXEL = "no background pixel is known"
NOT_RANKED = "the pixels were not ranked"
NO_NORMAL_PIXEL = "no pixel of a normal image counts"


@dataclass(frozen=True)
class Measured:
    """Metrics by name.

    Parameters
    ----------
    values : mapping of str to float or None
        Every metric; ``None`` where it is not defined.
    reasons : mapping of str to str
        Why, for exactly those metrics that are not defined.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]


def measure_images(scores: Floats, labels: ArrayLike, threshold: float) -> Measured:
    """Return every image-level metric.

    Precision, F1 and accuracy are not defined where one class is missing: a detector that calls
    everything defective, or nothing, would reach 1.

    Parameters
    ----------
    scores : ndarray of shape (N,), float32
        Finite scores; higher is more anomalous.
    labels : array_like of shape (N,)
        0 = good, 1 = defective.
    threshold : float
        The frozen image threshold.

    Raises
    ------
    ValueError
        If scores and labels differ in number.
    """
    ranking = rank_images(scores, labels)
    decisions = decide(scores, labels, threshold)
    no_normal = "" if decisions.tn + decisions.fp else NO_NORMAL_IMAGE
    no_defect = "" if decisions.tp + decisions.fn else NO_DEFECT_IMAGE
    no_image = NO_IMAGE if no_normal and no_defect else ""
    one_class = no_image or no_normal or no_defect
    return _measured(
        auroc=(ranking.auroc, one_class),
        average_precision=(ranking.average_precision, one_class),
        precision=(None if one_class else decisions.precision, one_class or NOTHING_CALLED),
        recall=(decisions.recall, no_image or no_defect),
        f1=(None if one_class else decisions.f1, one_class),
        specificity=(decisions.specificity, no_image or no_normal),
        accuracy=(None if one_class else decisions.accuracy, one_class),
        miss_rate=(decisions.miss_rate, no_image or no_defect),
        false_reject_rate=(decisions.false_reject_rate, no_image or no_normal),
    )


def measure_pixels(columns: CountColumns | None, ranking: Ranking = UNDEFINED) -> Measured:
    """Return every pixel-level metric.

    Parameters
    ----------
    columns : CountColumns or None
        Pixel counts of each image; ``None`` where the detector gives no maps.
    ranking : Ranking
        Of the same pixels.
    """
    if columns is None:
        return _measured(**dict.fromkeys(_PIXEL_METRICS, (None, NO_MAPS)))
    no_defect = _why_no_defect_pixel(columns)
    no_background = "" if _has_background(columns) else NO_BACKGROUND_PIXEL
    no_normal = NO_NORMAL_IMAGE if columns.defective.all() else NO_NORMAL_PIXEL
    unranked = no_defect or no_background or NOT_RANKED
    return _measured(
        pixel_segf1=(pixel_segf1(columns), no_defect),
        pixel_segf1_per_image=(pixel_segf1_per_image(columns), no_defect),
        pixel_auroc=(ranking.auroc, unranked),
        pixel_average_precision=(ranking.average_precision, unranked),
        aupro=(ranking.aupro, unranked),
        bg_fpr=(bg_fpr(columns), no_background),
        normal_fpr=(normal_fpr(columns), no_normal),
    )


_PIXEL_METRICS = (
    "pixel_segf1",
    "pixel_segf1_per_image",
    "pixel_auroc",
    "pixel_average_precision",
    "aupro",
    "bg_fpr",
    "normal_fpr",
)


def _measured(**metrics: tuple[float | None, str]) -> Measured:
    return Measured(
        values={name: value for name, (value, _) in metrics.items()},
        reasons={name: reason for name, (value, reason) in metrics.items() if value is None},
    )


def _why_no_defect_pixel(columns: CountColumns) -> str:
    total = pooled(columns)
    if total.tp + total.fn:
        return ""
    if not columns.defective.any():
        return NO_DEFECT_IMAGE
    masked = np.any(columns.defective & columns.known)
    return NO_DEFECT_PIXEL if masked else NO_MASK


def _has_background(columns: CountColumns) -> bool:
    total = pooled(columns)
    return total.fp + total.tn > 0
