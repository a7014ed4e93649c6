"""From normal images to the operating point."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import CalibrationError
from pytest_robustbench.evaluation.measure.prediction import require_maps_of_all_or_none
from pytest_robustbench.evaluation.prepare.operating_point import (
    Calibrated,
    CalibrationHealth,
    OperatingPoint,
    Recalibration,
    RedrawnThresholds,
)
from pytest_robustbench.metrics.parts import group_numbers
from pytest_robustbench.metrics.thresholds.quantile import TailAccumulator, conformal_threshold
from pytest_robustbench.metrics.thresholds.redrawn import (
    TAILS,
    RedrawnTail,
    image_thresholds,
    ranges,
    urn_draws,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.evaluation.measure.prediction import ImagePrediction
    from pytest_robustbench.evaluation.settings import CalibrationSettings
    from pytest_robustbench.metrics.thresholds.redrawn import Range

ENOUGH_PARTS = 24
LARGE_TAIL_SHARE = 0.5
REMEDIES = MappingProxyType(
    {
        "holdout": " (method: crossfit uses all of them)",
        "images": " (add good parts to the calibration images)",
    }
)
# Maps divided by their maximum, or scaled by (max - min + epsilon), have maxima that differ by the
# epsilon alone. Raw maxima of three images come this close by no accident; those of two may.
SCALED_TOLERANCE = 1e-4
SCALED_IMAGES = 3


class CalibrationScores:
    """Collects the scores of normal images, and of their maps the upper tail alone.

    Parameters
    ----------
    images : Inventory
        The calibration images, none of which the detector has seen.
    settings : CalibrationSettings
        The quantiles.
    """

    def __init__(self, images: Inventory, settings: CalibrationSettings) -> None:
        self._images = images
        self._settings = settings
        # A picture that is there twice shows one part, whatever is said.
        self._parts = group_numbers(images.groups, images.digests)
        self._scores = np.full(len(images.ids), np.nan, np.float32)
        self._extremes: list[tuple[float, ...]] = []
        self._sizes = [height * width for height, width in images.shapes]
        self._tail = TailAccumulator(self._sizes, settings.pixel_normal_quantile, self._parts)

    def add(self, index: int, prediction: ImagePrediction) -> None:
        """Add the prediction of the calibration image at `index`, its map at mask resolution."""
        self._scores[index] = prediction.score
        if prediction.map is not None and prediction.extremes is not None:
            self._extremes.append(prediction.extremes)
            self._tail.add(index, prediction.map)

    def operating_point(self, method: str) -> OperatingPoint:
        """Derive both thresholds; `method` is recorded.

        Raises
        ------
        CalibrationError
            If the scores cannot carry a fixed threshold: constant, clamped or scaled per image.
        """
        ids, settings = self._images.ids, self._settings
        require_maps_of_all_or_none(len(self._extremes), len(ids))
        _refuse_constant_scores(self._scores)
        image_threshold, false_rejects = conformal_threshold(
            self._scores, settings.image_normal_quantile, self._parts
        )
        threshold, health = self._pixel_threshold()
        return OperatingPoint(
            pixel_threshold=threshold,
            image_threshold=image_threshold,
            method=method,
            pixel_normal_quantile=settings.pixel_normal_quantile,
            image_normal_quantile=settings.image_normal_quantile,
            n_images=len(ids),
            n_parts=len(np.unique(self._parts)),
            expected_false_reject_rate=false_rejects,
            calibrated_on=_digest(self._images),
            health=health,
            warnings=_warnings(ids, len(np.unique(self._parts)), health, method),
            redrawn=self._redrawn(),
        )

    def _redrawn(self) -> tuple[RedrawnThresholds, ...]:
        """Return where other calibration images of the same kinds would put the thresholds."""
        groups = self._parts
        seen, unseen = urn_draws(int(groups.max()) + 1)
        quantile = self._settings.image_normal_quantile
        of_images = ranges(image_thresholds(self._scores, groups, quantile, seen, unseen))
        of_pixels: Iterator[Range | None] = repeat(None)
        if self._extremes:
            sizes, q = self._sizes, self._settings.pixel_normal_quantile
            tail = RedrawnTail.of(self._tail.largest(), sizes, groups, q)
            of_pixels = ranges(tail.thresholds(seen, unseen))
        ends = zip(TAILS, of_pixels, of_images, strict=False)
        return tuple(RedrawnThresholds(tail, pixel, image) for tail, pixel, image in ends)

    def _pixel_threshold(self) -> tuple[float | None, CalibrationHealth | None]:
        if not self._extremes:
            return None, None
        _refuse_unusable_maps(self._extremes)
        tail = self._tail.health()
        if tail.threshold_is_maximum:
            raise CalibrationError(
                f"the pixel threshold lies on the largest calibration score ({tail.threshold:.6g}, "
                f"shared by {tail.ties_at_maximum} pixels): the score scale is clamped, and "
                "nothing could ever be anomalous. Return unclamped scores"
            )
        return tail.threshold, CalibrationHealth(
            n_images=tail.images,
            n_tail_images=tail.images_in_tail,
            largest_tail_share=tail.largest_share,
            largest_tail_image=self._images.ids[tail.largest_owner],
            without_each=tail.without_each,
        )


class RecalibrationScores(CalibrationScores):
    """Calibrates, and counts what the frozen thresholds call anomalous on the same normal images.

    Parameters
    ----------
    images : Inventory
        Normal images that the detector has not seen.
    settings : CalibrationSettings
        The quantiles to calibrate with.
    frozen : OperatingPoint
        The thresholds in production.
    """

    def __init__(
        self, images: Inventory, settings: CalibrationSettings, frozen: OperatingPoint
    ) -> None:
        super().__init__(images, settings)
        self._frozen = frozen
        self._n_images = self._n_rejected = 0
        self._n_pixels = self._n_called = 0

    def add(self, index: int, prediction: ImagePrediction) -> None:
        """Add the prediction of the calibration image at `index`, its map at mask resolution."""
        super().add(index, prediction)
        self._n_images += 1
        self._n_rejected += bool(
            np.float32(prediction.score) > np.float32(self._frozen.image_threshold)
        )
        if prediction.map is not None and self._frozen.pixel_threshold is not None:
            called = prediction.map > np.float32(self._frozen.pixel_threshold)
            self._n_pixels += called.size
            self._n_called += int(np.count_nonzero(called))

    def recalibration(self, method: str) -> Recalibration:
        """Derive both thresholds and hold the frozen ones against what they promised.

        Raises
        ------
        CalibrationError
            If the scores cannot carry a fixed threshold.
        """
        found = self.operating_point(method)
        frozen = self._frozen
        return Recalibration(
            **{each.name: getattr(found, each.name) for each in fields(Calibrated)},
            calibration_normal_fpr=_share(self._n_called, self._n_pixels),
            promised_normal_fpr=_beyond(frozen.pixel_normal_quantile, found.pixel_normal_quantile),
            calibration_false_reject_rate=_share(self._n_rejected, self._n_images),
            promised_false_reject_rate=_beyond(
                frozen.image_normal_quantile, found.image_normal_quantile
            ),
        )


def _beyond(frozen: float | None, declared: float | None) -> float | None:
    """Return the share above a quantile: the frozen one's own where it is known."""
    quantile = declared if frozen is None else frozen
    return None if quantile is None else float(f"{1 - quantile:.12g}")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _digest(images: Inventory) -> str:
    """Return the digest of the pictures, and of the parts that they are said to show."""
    named = [f"{d} {g}" if g else d for d, g in zip(images.digests, images.groups, strict=True)]
    return hashlib.blake2b("\n".join(named).encode(), digest_size=16).hexdigest()


def _refuse_constant_scores(scores: NDArray[np.float32]) -> None:
    if len(scores) > 1 and np.ptp(scores) == 0:
        raise CalibrationError(
            f"every calibration image has the same score ({scores[0]:.6g}): a clamped or "
            "per-image scaled score cannot carry a fixed threshold"
        )


def _refuse_unusable_maps(extremes: Sequence[tuple[float, ...]]) -> None:
    """Judge the maps as the detector gave them: resizing blurs what scaling per image leaves."""
    lowest, highest = np.array(extremes).T
    if lowest.min() == highest.max():
        raise CalibrationError(
            f"the anomaly maps of the calibration images are constant ({lowest[0]:.6g})"
        )
    if len(extremes) > 1 and np.ptp(lowest) == 0 and np.ptp(highest) == 0:
        raise CalibrationError(
            f"every calibration map runs from exactly {lowest[0]:.6g} to {highest[0]:.6g}: "
            "per-image min-max scaling, or a clamp at both ends, makes a fixed threshold "
            "meaningless. Return raw scores"
        )
    tolerance = SCALED_TOLERANCE * (highest.max() - lowest.min())
    if len(extremes) >= SCALED_IMAGES and np.ptp(highest) <= tolerance:
        raise CalibrationError(
            f"every calibration map has the same maximum ({highest[0]:.6g}): per-image scaling, "
            "or a clamp that every image reaches, makes a fixed threshold meaningless. Return "
            "raw scores"
        )


def _warnings(
    ids: Sequence[str], n_parts: int, health: CalibrationHealth | None, method: str
) -> tuple[str, ...]:
    found = []
    if n_parts < ENOUGH_PARTS:
        there = f"{len(ids)} images" + ("" if n_parts == len(ids) else f" of {n_parts} parts")
        few = f"{ENOUGH_PARTS}" + ("" if n_parts == len(ids) else " parts")
        found.append(
            f"calibrated on {there}, fewer than {few}: the thresholds depend "
            f"on which images these are{REMEDIES.get(method, '')}"
        )
    if health is not None and health.without_each and health.largest_tail_share > LARGE_TAIL_SHARE:
        without = health.without_each[list(ids).index(health.largest_tail_image)]
        of_part = "" if n_parts == len(ids) else "the part of "
        found.append(
            f"{of_part}calibration image {health.largest_tail_image} carries "
            f"{health.largest_tail_share:.0%} of the pixels above the threshold, which would be "
            f"{without:.4g} without it: make sure that it shows a good part"
        )
    return tuple(found)
