"""What is found along the severities of one corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import SEVEREST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.corruptions.scale import Scale
    from pytest_robustbench.metrics.tolerance.breaks import Breaks
    from pytest_robustbench.metrics.tolerance.ladder import Ladder


@dataclass(frozen=True)
class ToleranceResult:
    """The tolerance to one corruption.

    Parameters
    ----------
    condition : Condition
        Which.
    ladder : Ladder
        Scores of the measured images.
    breaks : Breaks
        Where decisions on them break.
    image_threshold : float
        The frozen threshold.
    operating_point : str
        Its digest.
    scale : Scale, optional
        What severities mean; ``None`` where that is not known.
    level : str
        How strong the corruption is at the break, in words and units; empty where nothing breaks,
        or that is not known.
    at_camera : float, optional
        By how much a level in pixels is larger in the camera's own pixels; ``None`` where it is not
        in pixels, or pictures differ in size.
    specification : mapping
        What decides the pixels beside their sources, and above what decisions are broken.
    left_out : tuple of str
        Ids of the samples whose defect the corruption would push out of the frame.
    kept : tuple of int
        Positions of the measured samples among all.
    """

    condition: Condition
    ladder: Ladder
    breaks: Breaks
    image_threshold: float
    operating_point: str
    scale: Scale | None
    level: str
    at_camera: float | None
    specification: Mapping[str, Any]
    left_out: tuple[str, ...]
    kept: tuple[int, ...]

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """The tolerance: in the corruption's unit, else as a severity; at most what is measured."""
        severity = min(self.breaks.first.severity, float(SEVEREST))
        return {"tolerance": self.scale.level(severity) if self.scale else severity}
