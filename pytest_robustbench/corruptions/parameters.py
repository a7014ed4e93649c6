"""Parameters of corruptions: what may be set, to what, and what the report says of it.

A built-in corruption is a frozen dataclass of its parameters that is called with a picture. Each
field carries the check of what may be set.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.corruptions.keywords import check_names
from pytest_robustbench.errors import CorruptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_robustbench.corruptions.corruption import JSON

    T = TypeVar("T")


@dataclass(frozen=True)
class Number:
    """Accepts a number, or only a whole number, from `low` to `high`."""

    low: float
    high: float
    whole: bool = False

    @property
    def wanted(self) -> str:
        """What is accepted, in words."""
        return f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"

    def __call__(self, value: object) -> Any:
        """Return `value` as a float, or as an int where it must be whole."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            raise _wrong(self.wanted, value)
        if not self.low <= value <= self.high:
            raise _wrong(self.wanted, value)
        return value if self.whole else float(value)


@dataclass(frozen=True)
class Span:
    """Accepts the two numbers, from `low` to `high`, between which something is drawn."""

    low: float
    high: float

    @property
    def wanted(self) -> str:
        """What is accepted, in words."""
        return f"two numbers from {self.low:g} to {self.high:g}, the smaller one first"

    def __call__(self, value: object) -> tuple[float, float]:
        """Return `value` as two floats in ascending order."""
        ends = _each(value, Number(self.low, self.high))
        if len(ends) != 2 or ends[0] > ends[1]:
            raise _wrong(self.wanted, value)
        return ends[0], ends[1]


@dataclass(frozen=True)
class Steps:
    """Accepts one number per severity, each beyond the one before: that keeps them monotone."""

    each: Number
    falling: bool = False

    @property
    def wanted(self) -> str:
        """What is accepted, in words."""
        way = "falling" if self.falling else "rising"
        return f"a list of five {way} values, one per severity, each {self.each.wanted}"

    def __call__(self, value: object) -> tuple[float, ...]:
        """Return `value` as a tuple of five."""
        steps = _each(value, self.each)
        order = pairwise(reversed(steps) if self.falling else steps)
        if len(steps) != len(SEVERITIES) or not all(one < next_one for one, next_one in order):
            raise _wrong(self.wanted, value)
        return steps


@dataclass(frozen=True)
class Choice:
    """Accepts one of some words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What is accepted, in words."""
        return f"one of {', '.join(self.words)}"

    def __call__(self, value: object) -> str:
        """Return `value`."""
        if not isinstance(value, str) or value not in self.words:
            raise _wrong(self.wanted, value)
        return value


def parameter(default: T, check: Callable[[object], T], *, silent: bool = False) -> T:
    """Declare a parameter as a field of a dataclass.

    Parameters
    ----------
    default : object
        What it is where it is not set.
    check : callable
        Returns what is set as it is kept, or raises ValueError saying what it must be.
    silent : bool
        The report names it only where it is not the default: for parameters that reports of the
        same version do not know yet.
    """
    made: Any = field(default=default, metadata={"check": check, "silent": silent})
    return made  # type: ignore[no-any-return]


def built_in(name: str, kind: type[Any], *, moves_pixels: bool = False) -> Corruption:
    """Return the corruption that `kind`, a dataclass of parameters, makes of pictures.

    Parameters
    ----------
    name : str
        Of the corruption.
    kind : dataclass
        Its instances are called as a `CorruptionFunction` and return new arrays; they may have a
        method ``kept``. Every parameter has a default.
    moves_pixels : bool
        See `Corruption`.
    """
    return _made(name, moves_pixels, kind, {}, {})


def _made(
    name: str,
    moves_pixels: bool,
    kind: type[Any],
    given: Mapping[str, JSON],
    more: Mapping[str, JSON],
) -> Corruption:
    """Return the corruption with the parameters `given` and `more`; the rest keeps its default."""
    together = {**given, **more}
    effect = _effect(name, kind, together)
    return Corruption(
        name,
        effect,
        parameters=_recorded(effect),
        moves_pixels=moves_pixels,
        kept=getattr(effect, "kept", None),
        fresh=True,
        configure=partial(_made, name, moves_pixels, kind, together),
    )


def _effect(name: str, kind: type[Any], given: Mapping[str, JSON]) -> Any:
    checks = {one.name: one.metadata["check"] for one in fields(kind)}
    check_names(name, given, checks)
    try:
        return kind(**{key: _checked(key, value, checks[key]) for key, value in given.items()})
    except ValueError as error:
        raise CorruptionError(f"corruption {name!r}: {error}") from None


def _recorded(effect: Any) -> dict[str, Any]:
    values = [(one, getattr(effect, one.name)) for one in fields(effect)]
    silent = [one for one, value in values if one.metadata["silent"] and value == one.default]
    return {one.name: value for one, value in values if one not in silent}


def _checked(key: str, value: object, check: Callable[[object], Any]) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{key} {error}") from None


def _each(value: object, check: Number) -> tuple[float, ...]:
    """Return the checked elements of a list; none where one is wrong or `value` is no list."""
    if not isinstance(value, list | tuple):
        return ()
    try:
        return tuple(check(one) for one in value)
    except ValueError:
        return ()


def _wrong(wanted: str, value: object) -> ValueError:
    return ValueError(f"must be {wanted}, not {value!r}")
