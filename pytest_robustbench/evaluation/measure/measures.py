"""Counts and scores of one condition to every metric a limit may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.evaluation.results import ConditionResult, PerImage, PixelLevels
from pytest_robustbench.metrics.counts import (
    CountColumns,
    bg_fpr,
    normal_fpr,
    pixel_segf1,
    trivial_pixel_segf1,
    trivial_segf1_per_image,
)
from pytest_robustbench.metrics.images import best_f1, decide
from pytest_robustbench.metrics.summary import Measured, measure_images, measure_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.evaluation.measure.tally import Tally
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import Latency, PeakMemory
    from pytest_robustbench.evaluation.settings import EvaluationSettings
    from pytest_robustbench.metrics.ranking.exact import Ranking

SWITCHED_OFF = "pixel SegF1 is switched off (pixel_segf1: false)"
NO_THRESHOLD = "the operating point has no pixel threshold"
SEGF1_METRICS = ("pixel_segf1", "pixel_segf1_per_image")
COUNTED_METRICS = (*SEGF1_METRICS, "bg_fpr", "normal_fpr")


@dataclass(frozen=True)
class Measures:
    """Turns the tally of one condition into its result.

    Parameters
    ----------
    tally : Tally
        Counts and scores of all images.
    inventory : Inventory
        The test samples.
    operating_point : OperatingPoint
        The frozen thresholds.
    settings : EvaluationSettings
        Which metrics are wanted.
    """

    tally: Tally
    inventory: Inventory
    operating_point: OperatingPoint
    settings: EvaluationSettings

    def result(
        self,
        condition: Condition,
        latency: Latency,
        specification: Mapping[str, Any],
        data_digest: str,
        memory: PeakMemory,
    ) -> ConditionResult:
        """Compute every metric once."""
        ranked = self.tally.scores.ranked(self.settings.aupro_limit)
        values, reasons = self._metrics(latency, ranked.ranking)
        kept = self.tally.measured
        scores, labels = self.tally.score[kept], self.inventory.labels[kept]
        decisions = decide(scores, labels, self.operating_point.image_threshold)
        return ConditionResult(
            condition=condition,
            metrics=values,
            undefined=reasons,
            operating_point=self.operating_point.digest,
            image_threshold=self.operating_point.image_threshold,
            pixel_threshold=self.operating_point.pixel_threshold,
            image_counts={
                "tp": decisions.tp,
                "tn": decisions.tn,
                "fp": decisions.fp,
                "fn": decisions.fn,
            },
            best_f1=best_f1(scores, labels),
            trivial_segf1=trivial_pixel_segf1(self._columns()),
            trivial_segf1_per_image=trivial_segf1_per_image(self._columns()),
            per_image=self._per_image(),
            latency=latency,
            specification=specification,
            data_digest=data_digest,
            left_out=tuple(i for i, k in zip(self.inventory.ids, kept, strict=True) if not k),
            unknown_masks=self.inventory.unknown_masks,
            ranking=ranked.mode,
            ranking_error=ranked.error,
            memory=memory,
            samples=self.inventory if condition.recorded else None,
            recalibrated=self._recalibrated(),
            pixel_levels=PixelLevels(ranked.background_levels, ranked.defect_levels),
        )

    def _recalibrated(self) -> dict[str, float | None] | None:
        """Return the metrics that thresholds decide, at those that recalibration would give."""
        point = self.operating_point.recalibrated
        if point is None:
            return None
        kept = self.tally.measured
        scores, labels = self.tally.score[kept], self.inventory.labels[kept]
        decisions = decide(scores, labels, point.image_threshold)
        counted = self.tally.n_maps > 0 and point.pixel_threshold is not None
        columns = self._columns(self.tally.recounts).where(kept)
        return {
            "pixel_segf1": pixel_segf1(columns) if counted and self.settings.pixel_segf1 else None,
            "bg_fpr": bg_fpr(columns) if counted else None,
            "normal_fpr": normal_fpr(columns) if counted else None,
            "miss_rate": decisions.miss_rate,
            "false_reject_rate": decisions.false_reject_rate,
        }

    def _metrics(
        self, latency: Latency, ranking: Ranking
    ) -> tuple[dict[str, float | None], dict[str, str]]:
        kept = self.tally.measured
        images = measure_images(
            self.tally.score[kept],
            self.inventory.labels[kept],
            self.operating_point.image_threshold,
        )
        pixels = self._pixels(ranking)
        if not self.settings.pixel_segf1:
            pixels = _without(pixels, SEGF1_METRICS, SWITCHED_OFF)
        values = {**pixels.values, **images.values, **_latency_metrics(latency)}
        return values, {**pixels.reasons, **images.reasons}

    def _pixels(self, ranking: Ranking) -> Measured:
        if self.tally.n_maps == 0:
            return measure_pixels(None)
        measured = measure_pixels(self._columns().where(self.tally.measured), ranking)
        if self.operating_point.pixel_threshold is None:
            return _without(measured, COUNTED_METRICS, NO_THRESHOLD)
        return measured

    def _columns(self, counts: NDArray[np.int64] | None = None) -> CountColumns:
        tp, fp, fn, tn = self.tally.counts if counts is None else counts
        return CountColumns(tp, fp, fn, tn, self.inventory.labels == 1, self.tally.known)

    def _per_image(self) -> PerImage:
        tp, fp, fn, tn = self.tally.counts
        thresholded = self.operating_point.pixel_threshold is not None
        return PerImage(
            measured=self.tally.measured,
            known=self.tally.known & thresholded,
            score=self.tally.score,
            tp=tp,
            fp=fp,
            fn=fn,
            tn=tn,
            digest=tuple(self.tally.digests),
        )


def _without(measured: Measured, metrics: Sequence[str], reason: str) -> Measured:
    return Measured(
        {**measured.values, **dict.fromkeys(metrics)},
        {**measured.reasons, **dict.fromkeys(metrics, reason)},
    )


def _latency_metrics(latency: Latency) -> dict[str, float]:
    return {
        "latency_ms_per_image": latency.median,
        "latency_p95_ms": latency.p95,
        "latency_relative": latency.relative,
    }
