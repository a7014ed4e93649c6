"""The tolerance to one corruption, at the frozen operating point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.corruptions.pixels.sizes import scale_of
from pytest_robustbench.corruptions.scale import Scale, scale_of_levels
from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
from pytest_robustbench.evaluation.tolerance.search import searched
from pytest_robustbench.metrics.parts import group_numbers
from pytest_robustbench.metrics.tolerance.breaks import BROKEN, NEVER, Breaks, breaks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.corruptions.corruption import Corruption
    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.tolerance.rungs import Rungs
    from pytest_robustbench.metrics.metric import SideName
    from pytest_robustbench.metrics.tolerance.ladder import Ladder


@dataclass(frozen=True)
class ToleranceMeasurement:
    """All that decides a tolerance.

    Parameters
    ----------
    condition : Condition
        Which.
    corruption : Corruption
        Along whose severities.
    rungs : Rungs
        Measures scores at them.
    limits : mapping of {"false_reject_rate", "miss_rate"} to float
        Above which decisions are broken; see `breaks_of`.
    operating_point : OperatingPoint
        The frozen thresholds.
    inventory : Inventory
        The test samples.
    specification : mapping
        What decides the pixels beside their sources, and above what decisions are broken.
    """

    condition: Condition
    corruption: Corruption
    rungs: Rungs
    limits: Mapping[SideName, float]
    operating_point: OperatingPoint
    inventory: Inventory
    specification: Mapping[str, Any]

    def result(self) -> ToleranceResult:
        """Measure until it is known where decisions break.

        Raises
        ------
        RobustbenchError
            If a severity cannot be measured, or there are too few parts to see both sides.
        """
        point, kept = self.operating_point, self.inventory.at(self.rungs.kept)
        groups = group_numbers(kept.groups)

        def judged(ladder: Ladder) -> Breaks:
            threshold = point.image_threshold
            return breaks_of(ladder, threshold, self.limits, labels=kept.labels, groups=groups)

        ladder, breaks = searched(self.rungs.clean(), self.rungs.at, judged)
        found, scale = breaks.first.severity, scale_of_levels(self.corruption)
        return ToleranceResult(
            condition=self.condition,
            ladder=ladder,
            breaks=breaks,
            image_threshold=point.image_threshold,
            operating_point=point.digest,
            scale=scale,
            level=self.corruption.level_at(found) if BROKEN < found < NEVER else "",
            at_camera=self._at_camera(scale),
            specification=self.specification,
            left_out=self.inventory.without(self.rungs.kept),
            kept=tuple(self.rungs.kept),
        )

    def _at_camera(self, scale: Scale | None) -> float | None:
        """Return how many pixels of the camera one is where the shorter side is 256."""
        if scale is None or scale.unit != "px" or self.corruption.at != "camera":
            return None
        sizes = {scale_of(traits.shape) for traits in self.inventory.traits}
        return sizes.pop() if len(sizes) == 1 else None
