"""The model of what a report holds of one tolerance."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pytest_robustbench.conditions import SEVEREST
from pytest_robustbench.metrics.metric import SideName
from pytest_robustbench.reports.file.model_types import (
    Count,
    Digest32,
    Distinct,
    NonEmpty,
    Number,
    Part,
    Settings,
    Share,
)

Level = Annotated[float, Field(ge=0, le=1e9)]
Step = Annotated[float, Field(ge=0, le=SEVEREST)]
Steps = Annotated[list[Step | None], Field(min_length=2, max_length=2)]
Scores = list[Number | None]
NEVER = "null where no severity breaks it"
INTERVAL = f"90 % interval over parts like these; {NEVER}."


class BrokenSide(Part):
    """Where one side of wrong decisions breaks."""

    limit: Share = Field(
        description="The share of parts above which it is broken: what limits on the corruption "
        "allow, or 0.10 more than under clean, and half of them at most."
    )
    clean: Share = Field(description="The share of parts under clean.")
    n_parts: Count = Field(description="Number of parts of that kind.")
    rises: bool = Field(
        description="Whether the share rises with the severity, as far as can be told; else the "
        "first crossing counts."
    )
    severity: Step | None = Field(
        description=f"The first severity that breaks it; 0 where clean does, {NEVER}."
    )
    interval: Steps = Field(description=INTERVAL)


class BrokenSides(Part):
    """Both sides of wrong decisions."""

    false_reject_rate: BrokenSide = Field(description="Good parts that are rejected.")
    miss_rate: BrokenSide = Field(description="Defective parts that pass.")


class Rungs(Part):
    """Scores of the samples, in their order; null for what is left out."""

    severity: Annotated[list[Step], Field(min_length=1)] = Field(description="Ascending.")
    clean: Scores = Field(description="Scores without the corruption.")
    score: list[list[Scores]] = Field(
        description="By severity, by draw: scores under the corruption."
    )


class Tolerance(Part):
    """The first severity of a corruption at which image decisions break, on either side."""

    severity: Step | None = Field(description=f"0 where clean is broken, {NEVER}.")
    interval: Steps = Field(description=INTERVAL)
    broken_by: SideName | None = Field(description=f"The side that breaks first; {NEVER}.")
    unit: str = Field(description="What levels are told in; empty where only severities are known.")
    middle: Level | None = Field(
        description="Level at severity 3; one severity doubles it. Null where it is not known."
    )
    level: str = Field(
        description="How strong the corruption is at the break, in words and units; empty where "
        "nothing breaks, clean does, or it is not known."
    )
    at_camera: Annotated[float, Field(ge=1)] | None = Field(
        description="Pixels of the camera to one at 256; null where the level is not in pixels, or "
        "pictures differ in size."
    )
    sides: BrokenSides
    threshold: Number = Field(description="The frozen image threshold.")
    operating_point: Digest32 = Field(
        description="Digest of the operating point it was measured at."
    )
    specification: Settings = Field(
        description="What decides the corrupted pixels of given sources, and the shares above "
        "which decisions are broken, where limits say."
    )
    left_out: Distinct[NonEmpty] = Field(
        description="Ids of the samples whose defect the corruption would push out of the frame."
    )
    ladder: Rungs
