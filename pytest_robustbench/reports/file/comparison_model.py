"""The model of what a report holds of a comparison with a stored report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pytest_robustbench.reports.file.model_types import (
    CONDITION,
    ConditionId,
    Count,
    Interval,
    MetricName,
    Number,
    Part,
    Share,
)

RegressionOutcome = Literal["pass", "regressed", "inconclusive", "error"]
LimitOutcome = Literal[RegressionOutcome, "vacuous"]


class RegressionVerdictRecord(Part):
    """One allowed change, judged."""

    condition: Annotated[str, StringConstraints(pattern=f"^(run|{CONDITION})$")] = Field(
        description="Id of the condition, or run for a latency, which is judged once."
    )
    metric: MetricName = Field(description="Name of the metric.")
    bound: Literal["max_drop", "max_rise"] = Field(description="The direction that is worse.")
    value: Annotated[float, Field(ge=0)] = Field(
        description="What was declared: units of the metric, or a share of the baseline's value."
    )
    relative: bool = Field(description="Whether value is a share of the baseline's value.")
    benchmark: str = Field(description="Name of the benchmark.")
    outcome: LimitOutcome = Field(
        description="The verdict; vacuous: the baseline has no more to lose than is allowed, or "
        "nothing is allowed."
    )
    baseline: Number | None = Field(
        description="The baseline's metric on the images both have; null where it is not defined."
    )
    candidate: Number | None = Field(
        description="The candidate's metric on the images both have; null where it is not defined."
    )
    loss: Number | None = Field(
        description="By how much the candidate is worse, in units of the metric; negative where "
        "it is better."
    )
    allowed: Number | None = Field(
        description="The largest acceptable loss, in units of the metric."
    )
    interval: Interval | None = Field(
        description="Simultaneous interval of the loss over all limits of the run; null where "
        "there is none."
    )
    p: Share | None = Field(
        description="Of the paired swap test, adjusted for all limits of the run; null where it "
        "was not made."
    )
    improved: bool = Field(
        description="Whether the candidate is better by more than the margin, and surely so."
    )
    identical: bool = Field(description="Whether both gave the same output for every image.")
    images_needed: Annotated[int, Field(ge=1)] | None = Field(
        description="Roughly how many images would decide; null where it is decided, or unknown."
    )
    parts_needed: Annotated[int, Field(ge=1)] | None = Field(
        description="The same in parts; the number of images where each shows a part of its own."
    )
    images_kind: str = Field(
        description="Of which images: defect, normal, or test for both kinds in the present "
        "proportion."
    )
    reason: str = Field(
        description="Why it is inconclusive, vacuous or an error, or more on a regression; else "
        "empty."
    )
    source: str = Field(description="file:line of the declaration.")


class ChangedDecisionRecord(Part):
    """One image that one model calls defective and the other does not."""

    condition: ConditionId
    id: str = Field(description="Id of the image.")
    label: Literal[0, 1] = Field(description="0 = good, 1 = defective.")
    kind: Literal["new miss", "new false reject", "fixed miss", "fixed false reject"] = Field(
        description="The direction, seen from the baseline."
    )
    baseline: bool = Field(description="Whether the baseline called the image defective.")
    candidate: bool = Field(description="Whether the candidate called the image defective.")
    baseline_score: Number = Field(description="Image score of the baseline.")
    candidate_score: Number = Field(description="Image score of the candidate.")
    baseline_threshold: Number = Field(description="Image threshold of the baseline.")
    candidate_threshold: Number = Field(description="Image threshold of the candidate.")
    baseline_margin: float = Field(
        description="How far the baseline's score is above its threshold, in units of that "
        "model's median distance."
    )
    candidate_margin: float = Field(
        description="How far the candidate's score is above its threshold, in units of that "
        "model's median distance."
    )


class RegressionRecord(Part):
    """One comparison: whether this model may replace the one of the stored report."""

    role: Literal["baseline", "anchor"] = Field(
        description="Whether the stored report is the last accepted one, or the fixed one."
    )
    baseline: str = Field(description="Name of the stored report's file.")
    outcome: RegressionOutcome = Field(
        description="The worst verdict; error where the reports cannot be compared."
    )
    problems: list[str] = Field(description="Why the reports cannot be compared.")
    notes: list[str] = Field(
        description="What a reader of the comparison has to know: overlap, pixels, operating "
        "points."
    )
    verdicts: list[RegressionVerdictRecord] = Field(
        description="One per allowed change and condition; a latency is judged once."
    )
    n_changed_decisions: Count = Field(
        description="Number of image decisions that differ, over all conditions."
    )
    changed_decisions: list[ChangedDecisionRecord] = Field(
        description="The worst of them, worst first."
    )
