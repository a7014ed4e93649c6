"""The model of drift.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import DIGEST, dumps, is_sealed, read_object, sealed
from pytest_robustbench.reports.file.model_types import (
    Count,
    Interval,
    NonEmpty,
    Number,
    Part,
    Sha256,
    Share,
)
from pytest_robustbench.reports.file.writing import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

QuantityName = Literal[
    "exposure",
    "white_balance",
    "veil",
    "gradient_x",
    "gradient_y",
    "vignette",
    "blur",
    "noise",
    "shift_x",
    "shift_y",
]
SCHEMA_VERSION = 1
REMEDY = "measure it again with pytest-robustbench drift"
Quality = Annotated[int, Field(ge=1, le=100)]


class SideRecord(Part):
    """The pictures of one side."""

    folder: str = Field(description="As it was given.")
    found: Count = Field(description="Pictures in it.")
    used: Count = Field(description="Those that were looked at, evenly spread over the names.")
    jpeg_quality: Quality | None = Field(
        description="Of its files, the median, by their own tables; null where most are no JPEG."
    )


class EstimateRecord(Part):
    """One quantity."""

    unit: NonEmpty = Field(description="Of the numbers.")
    value: Number = Field(description="After against before.")
    interval: Interval = Field(
        description="Intervals of all quantities hold together in 97 of 100 comparisons."
    )
    floor: Number = Field(
        description="What pictures before differ by among themselves: less is not seen."
    )
    told: bool = Field(description="Whether it is told apart from zero.")
    at_camera: Number | None = Field(
        description="The value in pixels of the camera; null where the unit is no pixel."
    )


class RemainderRecord(Part):
    """What the estimates do not explain, of one kind."""

    kind: Literal["tone", "spectrum", "stripes", "grain", "field"] = Field(
        description="What was looked at."
    )
    p: Share = Field(description="Probability of as much by chance, corrected for all kinds.")
    unexplained: bool = Field(description="Whether more is left than chance leaves.")
    where: NonEmpty = Field(description="Where it differs most.")


class DriftRecord(Part):
    """How good parts after differ from good parts before."""

    schema_version: Literal[1] = Field(description="Version of this schema.")
    name: NonEmpty = Field(description="What conditions call it.")
    response: Literal["srgb", "linear"] = Field(description="Of the camera.")
    before: SideRecord
    after: SideRecord
    estimates: dict[QuantityName, EstimateRecord] = Field(
        description="By quantity; shift is absent where the scene is not steady, white_balance "
        "where pictures are gray."
    )
    blurred_away: Number = Field(
        description="Grain that the blur took from the pictures before, grey levels at white: what "
        "is a sensor's own noise in it is not blurred, and has to be added."
    )
    remainders: list[RemainderRecord]
    corruption: dict[str, Any] | None = Field(
        description="What imitates it, as robustness.yaml has it; null where nothing does."
    )
    content_sha256: Sha256 = Field(
        description="Of everything else, as JSON with sorted keys: an edited file contradicts it."
    )


def write_drift(record: DriftRecord, path: Path) -> None:
    """Write drift.json.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    write_atomically(path, dumps(record.to_dict()))


def sealed_record(**content: Any) -> DriftRecord:
    """Return a record of `content`, with its digest."""
    return DriftRecord.from_dict(sealed({"schema_version": SCHEMA_VERSION, **content}))


def read_drift(path: Path) -> DriftRecord:
    """Read drift.json.

    Raises
    ------
    ReportError
        If it cannot be read, was edited, or holds what has no place there.
    """
    try:
        plain = read_object(path)
    except ValueError as error:
        raise ReportError(f"cannot read the drift {path}: {error}; {REMEDY}") from error
    try:
        record = DriftRecord.from_dict(plain)
    except ReportError as error:
        raise ReportError(f"{path} is no whole drift: {error}; {REMEDY}") from error
    if not is_sealed(plain):
        raise ReportError(f"{path} was edited: its {DIGEST} is that of another content; {REMEDY}")
    return record
