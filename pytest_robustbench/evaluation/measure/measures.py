"""Counts and scores of one condition to every metric a limit may name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_robustbench.evaluation.results import ConditionResult, PixelLevels
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.measured import (
    NO_MAPS,
    Measured,
    measure,
    value_of,
    with_own_metrics,
)
from pytest_robustbench.metrics.outcomes import COUNTS, Outcomes
from pytest_robustbench.metrics.redrawn import HIGHEST, LOWEST, Decided, Redrawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.evaluation.measure.tally import Tally
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint, Recalibration
    from pytest_robustbench.evaluation.results import Latency, PeakMemory
    from pytest_robustbench.evaluation.settings import EvaluationSettings
    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Column
    from pytest_robustbench.metrics.ranking.exact import Ranking

SWITCHED_OFF = "pixel SegF1 is switched off (pixel_segf1: false)"
NO_THRESHOLD = "the operating point has no pixel threshold"
SEGF1 = "pixel_segf1"
SEGF1_METRICS = tuple(m.name for m in BUILT_IN if m.name.startswith(SEGF1))
PROPOSED = tuple(m for m in BUILT_IN if m.proposed)


class Applied(NamedTuple):
    """What was done to the images of a condition.

    Attributes
    ----------
    specification : mapping
        What decides the pixels beside their sources.
    level : str
        How strong that is, in words and units.
    data_digest : str
        Hash over the specification and the images' digests.
    """

    specification: Mapping[str, Any]
    level: str
    data_digest: str


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
    own : tuple of Metric
        Metrics of one's own.
    """

    tally: Tally
    inventory: Inventory
    operating_point: OperatingPoint
    settings: EvaluationSettings
    own: tuple[Metric, ...] = ()

    def result(
        self,
        condition: Condition,
        latency: Latency,
        applied: Applied,
        memory: PeakMemory,
    ) -> ConditionResult:
        """Compute every metric once."""
        point, kept = self.operating_point, self.tally.measured
        ranked = self.tally.scores.ranked(self.settings.aupro_limit)
        outcomes = with_own_metrics(self._outcomes(self.tally.counts, point), self.own)
        measured = self._measured(outcomes, ranked.ranking, latency)
        everything_called = outcomes.all_called()
        return ConditionResult(
            condition=condition,
            metrics=measured.values,
            undefined=measured.reasons,
            operating_point=point.digest,
            image_threshold=point.image_threshold,
            pixel_threshold=point.pixel_threshold,
            image_counts={n: int(getattr(outcomes, f"image_{n}").sum()) for n in COUNTS},
            best_f1=best_f1(self.tally.score[kept], self.inventory.labels[kept]),
            trivial_segf1=value_of(metric_called(SEGF1), everything_called),
            trivial_segf1_per_image=value_of(metric_called(SEGF1_METRICS[1]), everything_called),
            per_image=self._kept(outcomes, measured),
            digests=tuple(self.tally.digests),
            latency=latency,
            specification=applied.specification,
            level=applied.level,
            data_digest=applied.data_digest,
            left_out=tuple(i for i, k in zip(self.inventory.ids, kept, strict=True) if not k),
            erased=tuple(
                i for i, e in zip(self.inventory.ids, self.tally.erased, strict=True) if e
            ),
            unknown_masks=self.inventory.unknown_masks,
            ranking=ranked.mode,
            ranking_error=ranked.error,
            memory=memory,
            samples=self.inventory if condition.recorded else None,
            recalibrated=self._recalibrated(),
            pixel_levels=PixelLevels(ranked.background_levels, ranked.defect_levels),
        )

    def _kept(self, outcomes: Outcomes, measured: Measured) -> Outcomes:
        """Return what a reader may pool: only what counts, and only what is defined."""
        own = {n: ratio for n, ratio in outcomes.own.items() if measured.values[n] is not None}
        kept = replace(outcomes, own=own, redrawn=tuple(self._redrawn(outcomes)))
        return kept if kept.pixel_threshold is not None else kept.without_pixels()

    def _redrawn(self, outcomes: Outcomes) -> Iterator[Redrawn]:
        """Yield what other calibration images would have made of the same outputs."""
        totals = outcomes.tp + outcomes.fn, outcomes.fp + outcomes.tn
        for each in self.operating_point.redrawn:
            pixel = each.pixel_threshold or (None, None)
            ends = zip((LOWEST, HIGHEST), pixel, each.image_threshold, strict=True)
            yield Redrawn(each.tail, *(self._decided(side, (p, i), totals) for side, p, i in ends))

    def _decided(
        self,
        side: float,
        thresholds: tuple[float | None, float | None],
        totals: tuple[Column, Column],
    ) -> Decided:
        if thresholds[0] is None:
            return Decided.at(side, thresholds, None, totals)
        tp, fp, _, _ = np.where(self.tally.known, self.tally.counts_at(thresholds[0]), np.nan)
        return Decided.at(side, thresholds, (tp.tolist(), fp.tolist()), totals)

    def _recalibrated(self) -> Mapping[str, float | None] | None:
        """Return what thresholds decide, at those that recalibration would give."""
        point = self.operating_point.recalibrated
        if point is None:
            return None
        outcomes = self._outcomes(self.tally.counts_at(point.pixel_threshold), point)
        return self._possible(measure(outcomes, PROPOSED, {}), point.pixel_threshold).values

    def _measured(self, outcomes: Outcomes, pixels: Ranking, latency: Latency) -> Measured:
        kept = self.tally.measured
        images = rank_images(self.tally.score[kept], self.inventory.labels[kept])
        given = {
            "pixel_auroc": pixels.auroc,
            "pixel_average_precision": pixels.average_precision,
            "aupro": pixels.aupro,
            "auroc": images.auroc,
            "average_precision": images.average_precision,
            "latency_ms_per_image": latency.median,
            "latency_p95_ms": latency.p95,
            "latency_relative": latency.relative,
        }
        measured = measure(outcomes, (*BUILT_IN, *self.own), given)
        return self._possible(measured, self.operating_point.pixel_threshold)

    def _possible(self, measured: Measured, pixel_threshold: float | None) -> Measured:
        """Take out what has no value here, whatever the counts say."""
        rows = (*BUILT_IN, *self.own)
        if self.tally.n_maps == 0:
            measured = measured.without([m.name for m in rows if m.level == "pixel"], NO_MAPS)
        elif pixel_threshold is None:
            measured = measured.without([m.name for m in rows if m.counts_pixels], NO_THRESHOLD)
        if not self.settings.pixel_segf1:
            measured = measured.without(SEGF1_METRICS, SWITCHED_OFF)
        return measured

    def _outcomes(
        self, counts: NDArray[np.int64], point: OperatingPoint | Recalibration
    ) -> Outcomes:
        tp, fp, fn, tn = np.where(self.tally.known, counts.astype(np.float64), np.nan)
        return Outcomes(
            self.inventory.labels,
            self.tally.score.astype(np.float64),
            tp,
            fp,
            fn,
            tn,
            image_threshold=point.image_threshold,
            pixel_threshold=point.pixel_threshold,
        )
