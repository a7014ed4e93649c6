"""Parameters of corruptions: what may be set, to what, and what the report says of it.

A built-in corruption is a frozen dataclass of its parameters that is called with a picture. Each
field carries the check of what may be set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pytest_robustbench.conditions import MIDDLE, RESPONSES, SEVEREST
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.corruptions.keywords import check_names
from pytest_robustbench.errors import CorruptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_robustbench.corruptions.corruption import JSON, KeptFunction
    from pytest_robustbench.corruptions.stages import Stage

    T = TypeVar("T")


LADDER = f"severity_{MIDDLE}"
"""The parameter below which the levels of severity 3 are set."""


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


@dataclass(frozen=True)
class Angle:
    """Accepts degrees, or ``any`` for what is drawn."""

    wanted = "a number from 0 to 360, or any"

    def __call__(self, value: object) -> float | str:
        """Return `value`."""
        if value == "any":
            return "any"
        try:
            return float(Number(0, 360)(value))
        except ValueError:
            raise _wrong(self.wanted, value) from None


def parameter(default: T, check: Callable[[object], T]) -> T:
    """Declare a parameter as a field of a dataclass.

    Parameters
    ----------
    default : object
        What it is where it is not set.
    check : callable
        Returns what is set as it is kept, or raises ValueError saying what it must be.
    """
    made: Any = field(default=default, metadata={"check": check})
    return made  # type: ignore[no-any-return]


def graded(default: float, check: Callable[[object], float]) -> float:
    """Declare what severity grades: the field holds its level at severity 3.

    Named by itself it is the level of a single condition, ``{blur: {sigma_px: 1.2}}``; named below
    ``severity_3`` it moves the whole ladder.

    Parameters
    ----------
    default : float
        The level at severity 3.
    check : callable
        As of `parameter`.
    """
    made: Any = field(default=default, metadata={"check": check, "graded": True})
    return made  # type: ignore[no-any-return]


def signed(given: Mapping[str, Any], name: str, more: str, less: str) -> Mapping[str, Any]:
    """Return the parameters of a level given by value, whose sign says its direction.

    Raises
    ------
    ValueError
        If a direction is given as well: it might contradict the sign.
    """
    if "direction" in given:
        raise ValueError(f"the sign of {name} says the direction: leave direction out")
    value = given[name]
    if not isinstance(value, int | float) or isinstance(value, bool):
        return given  # refused with all else that cannot be
    return {**given, name: abs(value), "direction": less if value < 0 else more}


def sign_of(direction: str, more: str, drawn: float) -> float:
    """Return 1 towards `more` and -1 away from it; of ``any`` by a number drawn from 0 to 1."""
    towards = drawn < 0.5 if direction == "any" else direction == more
    return 1.0 if towards else -1.0


def sign_told(direction: str, more: str) -> str:
    """Return the sign of a level in a direction, as it stands before the number."""
    if direction == "any":
        return "±"
    return "" if direction == more else "-"


def response() -> str:
    """Declare the camera's response as a field of a dataclass; the data say which it is."""
    return parameter(RESPONSES[0], Choice(RESPONSES))


def growth(severity: float) -> float:
    """Return by what a level at severity 3 grows to that at `severity`: one step doubles it."""
    return float(2.0 ** (severity - MIDDLE))


def built_in(name: str, kind: type[Any], *, stage: Stage, moves_pixels: bool = False) -> Corruption:
    """Return the corruption that `kind`, a dataclass of parameters, makes of pictures.

    Parameters
    ----------
    name : str
        Of the corruption.
    kind : dataclass
        Its instances are called as a `CorruptionFunction`, with gray pictures as one plane
        ``(H, W)`` too, and return new arrays of the same shape. ``level(severity)`` tells in words
        and units how strong a severity is. They may have a method ``kept(mask, severity, rng)``;
        and ``by_value``, a class method, may complete the parameters of a single condition. Every
        parameter has a default, and ``response``, where there is one, is set by the data.
    stage : Stage
        Where on the way from the scene to the detector it happens.
    moves_pixels : bool
        See `Corruption`.
    """
    return _made(_Kind(name, kind, stage, moves_pixels), {}, {})


class _Kind(NamedTuple):
    """What a built-in corruption is, whatever its parameters are."""

    name: str
    effect: type[Any]
    stage: Stage
    moves_pixels: bool

    def graded(self) -> tuple[str, ...]:
        return tuple(one.name for one in fields(self.effect) if "graded" in one.metadata)


def _made(kind: _Kind, given: Mapping[str, JSON], more: Mapping[str, JSON]) -> Corruption:
    """Return the corruption with the parameters `given` and `more`; the rest keeps its default."""
    together = {**given, **more}
    by_value = any(name in together for name in kind.graded())
    effect = _effect(kind, _by_value(kind, together) if by_value else _flat(kind, together))
    configure = partial(_made, kind, together)
    parameters = _recorded(effect)
    return Corruption(
        kind.name,
        effect,
        parameters=parameters,
        moves_pixels=kind.moves_pixels,
        kept=_kept(effect, MIDDLE if by_value else SEVEREST),
        fresh=True,
        configure=configure,
        stage=kind.stage,
        takes_planes=True,
        level=effect.level,
        by_value=by_value,
        respond=_respond(configure) if "response" in parameters else None,
    )


def _kept(effect: Any, severity: float) -> KeptFunction | None:
    """Return what tells the share of a defect that the severest level keeps, if it is known."""
    if not hasattr(effect, "kept"):
        return None
    return lambda mask, rng: float(effect.kept(mask, severity, rng))


def _respond(configure: Callable[[Mapping[str, JSON]], Corruption]) -> Callable[[str], Corruption]:
    return lambda response: configure({"response": response})


def _by_value(kind: _Kind, given: Mapping[str, JSON]) -> Mapping[str, JSON]:
    if LADDER in given:
        raise CorruptionError(
            f"corruption {kind.name!r}: {LADDER} sets a ladder, and a level beside it a single "
            "condition: name one of them"
        )
    complete = getattr(kind.effect, "by_value", dict)
    try:
        completed: Mapping[str, JSON] = complete(given)
    except ValueError as error:
        raise CorruptionError(f"corruption {kind.name!r}: {error}") from None
    return completed


def _flat(kind: _Kind, given: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Return the parameters with those of the ladder among them."""
    ladder = given.get(LADDER, {})
    if not isinstance(ladder, Mapping):
        raise CorruptionError(
            f"corruption {kind.name!r}: {LADDER} must be a mapping, not {ladder!r}"
        )
    check_names(kind.name, ladder, kind.graded())
    return {**{name: value for name, value in given.items() if name != LADDER}, **ladder}


def _effect(kind: _Kind, given: Mapping[str, JSON]) -> Any:
    checks = {one.name: one.metadata["check"] for one in fields(kind.effect)}
    check_names(kind.name, given, [*checks, LADDER])
    try:
        checked = {name: _checked(name, value, checks[name]) for name, value in given.items()}
        return kind.effect(**checked)
    except ValueError as error:
        raise CorruptionError(f"corruption {kind.name!r}: {error}") from None


def _recorded(effect: Any) -> dict[str, Any]:
    return {one.name: getattr(effect, one.name) for one in fields(effect)}


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
