"""What the models of all our files are made of: strict parts, numbers with their ranges, names."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from typing_extensions import TypeAliasType

from pytest_robustbench.conditions import NO_CORRUPTION
from pytest_robustbench.errors import ReportError
from pytest_robustbench.metrics.catalogue import TOLERANCE, known_metrics, limit_names
from pytest_robustbench.unions import written_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

LARGEST_FLOAT32 = 3.4028235e38
"""As its shortest decimal is written."""


class Part(BaseModel):
    """An object of one of our files: nothing more than its fields, and none of another type.

    What may be absent has a default, and is written only where it was given.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, its keys in the order of the fields."""
        return self.model_dump(exclude_unset=True)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote.

        Raises
        ------
        ReportError
            With the first value that has no place there.
        """
        try:
            return cls.model_validate(plain)
        except ValidationError as error:
            raise ReportError(problem_of(error)) from None


def problem_of(error: ValidationError) -> str:
    """Return the first thing that is wrong: its place, what belongs there, what was found."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, written_steps(first["loc"])))
    if first["type"] == "missing":
        return f"it lacks {place}"
    if first["type"] == "extra_forbidden":
        return f"{place}: no such key is known"
    return f"{place}: {_worded(first['msg'])}, found {_shown(first['input'])}"


def _worded(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _shown(found: object) -> str:
    """Return a value in few characters, however large it is."""
    if isinstance(found, (dict, list)):
        return f"{'an object' if isinstance(found, dict) else 'an array'} of {len(found)}"
    text = "null" if found is None else repr(found)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _without_infinity(plain: Any) -> Any:
    """Return settings as JSON holds them; standard JSON has no infinity: the word stands for it."""
    return json.loads(json.dumps(plain), parse_constant=str)


def _corruption_name(name: str) -> str:
    if name in NO_CORRUPTION:
        raise ValueError("the name of a corruption")
    return name


def _metric(name: str) -> str:
    if name not in known_metrics():
        raise ValueError("the name of a metric")
    return name


def _limited(name: str) -> str:
    if name not in (*limit_names(), TOLERANCE.name):
        raise ValueError("the name of a metric")
    return name


def _place(text: str) -> str:
    parts = text.split("/")
    if "\\" in text or not text.isprintable() or any(part in ("", ".", "..") for part in parts):
        raise ValueError("a folder below another")
    return text


def _day(text: str) -> str:
    date.fromisoformat(text)  # its message says what is wrong
    return text


def _time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Item = TypeVar("Item")


def _distinct(items: list[Item]) -> list[Item]:
    if len(set(items)) < len(items):
        raise ValueError("distinct items: one stands twice")
    return items


Distinct = Annotated[
    list[Item], AfterValidator(_distinct), Field(json_schema_extra={"uniqueItems": True})
]
Number = TypeAliasType(
    "Number",
    Annotated[float, Field(ge=-LARGEST_FLOAT32, le=LARGEST_FLOAT32)],
)
Share = TypeAliasType("Share", Annotated[float, Field(ge=0, le=1)])
Milliseconds = TypeAliasType("Milliseconds", Annotated[float, Field(ge=0, le=1e12)])
Quantile = TypeAliasType("Quantile", Annotated[float, Field(gt=0, lt=1)])
Count = TypeAliasType("Count", Annotated[int, Field(ge=0, le=2**53)])
Interval = TypeAliasType(
    "Interval",
    Annotated[list[Number], Field(min_length=2, max_length=2, description="Lower and upper end.")],
)
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
Digest16 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
Digest32 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
Sha256 = TypeAliasType(
    "Sha256",
    Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$"), Field(description="Hexadecimal.")],
)
Place = Annotated[str, AfterValidator(_place)]
Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]
Time = Annotated[str, AfterValidator(_time), Field(json_schema_extra={"format": "date-time"})]
Settings = Annotated[dict[str, Any], BeforeValidator(_without_infinity)]
METRIC = "^[a-z][a-z0-9_]*$"
MetricName = Annotated[str, AfterValidator(_metric), Field(json_schema_extra={"pattern": METRIC})]
LimitedName = Annotated[str, AfterValidator(_limited), Field(json_schema_extra={"pattern": METRIC})]
_SEVERITY = r"severity_([1-5]|[0-4]\.[0-9]{1,3})"
CONDITION = f"[a-z0-9_]+|[a-z0-9_]+-{_SEVERITY}|(recorded|tolerance)-[a-z0-9_]+"
ConditionId = TypeAliasType(
    "ConditionId",
    Annotated[
        str,
        StringConstraints(pattern=f"^({CONDITION})$"),
        Field(description="Id of a condition, as it stands in test ids."),
    ],
)
Severity = Annotated[str, StringConstraints(pattern=f"^({_SEVERITY}|by_value)$")]
SetName = Annotated[str, StringConstraints(pattern="^[a-z0-9_]+$")]
CorruptionName = Annotated[SetName, AfterValidator(_corruption_name)]
