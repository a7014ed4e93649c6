"""The kinds of values in robustness.yaml, and what its sections have in common."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Annotated, Any, NamedTuple, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from pytest_robustbench.config.yaml.environment import Expanded, Unresolved
from pytest_robustbench.config.yaml.scalars import scalar_of
from pytest_robustbench.corruptions.catalogue import SEVERITY_UNIT
from pytest_robustbench.datasets.catalogue import is_regular_expression
from pytest_robustbench.gates.limits import MOST_CONFIDENCE, NO_CONFIDENCE

LEVEL = r"(severity +(?P<severity>\d*\.?\d+)|(?P<value>\d*\.?\d+) *(?P<unit>[A-Za-z]+|%))"
_LEVEL = re.compile(LEVEL, re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _retyped(value: object) -> object:
    """Let an environment variable stand for a number or a truth value."""
    return scalar_of(value) if isinstance(value, Expanded) else value


def _text(value: object) -> object:
    if isinstance(value, Unresolved) or (isinstance(value, str) and value.strip()):
        return value
    raise PydanticCustomError("expected", "text")


def _pattern(value: object) -> object:
    if isinstance(value, Unresolved) or is_regular_expression(value):
        return value
    raise PydanticCustomError("expected", "a regular expression")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("expected", "text")
    return text


def _date(value: object) -> object:
    # YAML 1.2 knows no dates: with and without quotes, one is text here.
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:  # such as the 31st of June
        pass
    raise PydanticCustomError("expected", "a date such as 2026-03-31")


class Level(NamedTuple):
    """How strong a corruption is.

    Attributes
    ----------
    value : float
        Above 0.
    unit : str
        What it is told in; ``severity`` for severities.
    """

    value: float
    unit: str


def _level(value: object) -> object:
    found = _LEVEL.fullmatch(value.strip()) if isinstance(value, str) else None
    number = float(found["severity"] or found["value"]) if found else 0.0
    if found is None or number <= 0:
        raise PydanticCustomError("expected", "a level with its unit, as 0.5 px or severity 3")
    return Level(number, SEVERITY_UNIT if found["severity"] else found["unit"])


def without_repetition(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list that holds a value twice."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PydanticCustomError("repeated", "{value} twice", {"index": index, "value": value})
    return values


def finite(value: object) -> object:
    """Refuse NaN and infinity at any depth: a report is standard JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("not_finite", "finite numbers")
    for item in _inside(value):
        finite(item)
    return value


def _inside(value: object) -> tuple[object, ...]:
    if isinstance(value, dict):
        return tuple(value.values())
    return value if isinstance(value, tuple) else ()


TEXT, MAPPING, LIST = -1, -2, -3
"""Shapes of values, as tags of unions."""


def shape(value: object) -> int | None:
    """Tell the alternatives of a union apart by shape, so that only one of them complains."""
    if isinstance(value, (str, Unresolved)):
        return TEXT
    if isinstance(value, tuple):
        return LIST
    return MAPPING if isinstance(value, (dict, BaseModel)) else None


Text: TypeAlias = Annotated[
    str | Unresolved, PlainValidator(_text), WithJsonSchema({"type": "string"})
]
"""A text that may wait for an environment variable until the data are needed."""

Pattern: TypeAlias = Annotated[
    str | Unresolved, PlainValidator(_pattern), WithJsonSchema({"type": "string"})
]
"""A regular expression, which may wait as well."""

Line: TypeAlias = Annotated[
    str, AfterValidator(_not_blank), WithJsonSchema({"type": "string", "minLength": 1})
]
"""A text that says something and is needed at once."""
Day: TypeAlias = Annotated[
    date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})
]

Strength: TypeAlias = Annotated[
    Level,
    PlainValidator(_level),
    WithJsonSchema({"type": "string", "pattern": f"^{re.sub('[?]P<[a-z]+>', '', LEVEL)}$"}),
]
"""A level of a corruption in words."""

# Last, so that it comes before the checks of range, which the JSON Schema shows.
ENV = BeforeValidator(_retyped)

Number: TypeAlias = Annotated[float, ENV]
Truth: TypeAlias = Annotated[bool, ENV]
Count: TypeAlias = Annotated[int, Field(ge=1), ENV]
Side: TypeAlias = Annotated[int, Field(ge=1, le=32767), ENV]
"""Of an image, pixels: what OpenCV can warp."""
Seed: TypeAlias = Annotated[int, Field(ge=0), ENV]
Rate: TypeAlias = Annotated[float, Field(ge=0, le=1), ENV]
Share: TypeAlias = Annotated[float, Field(gt=0, lt=1), ENV]
"""A quantile or fraction, strictly between 0 and 1."""
Confidence: TypeAlias = Annotated[float, Field(gt=NO_CONFIDENCE, le=MOST_CONFIDENCE), ENV]
"""One-sided."""
Milliseconds: TypeAlias = Annotated[float, Field(gt=0), ENV]
Distance: TypeAlias = Annotated[float, Field(ge=0), ENV]
Names: TypeAlias = Annotated[tuple[str, ...], AfterValidator(without_repetition)]


class Section(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
