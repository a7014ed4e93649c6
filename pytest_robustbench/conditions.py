"""A condition: clean, one corruption at one severity, or a set recorded under drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeGuard

SEVERITIES = (1, 2, 3, 4, 5)
"""The severities that run where none are named; what lies between them runs by name."""

MIDDLE, SEVEREST = 3, 5
"""Severity is continuous up to its end; the level of a corruption doubles with every step."""

RESPONSES = ("srgb", "linear")
"""What cameras make of light: about its square root for the eye, or grey levels like the light."""

RECORDED = "recorded"
SEVERITY_WANTED = f"a number above 0, at most {SEVEREST}"


def is_severity(value: object) -> TypeGuard[float]:
    """Return whether `value` is a severity: a number, true and false are none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return value <= SEVEREST and round(value, 3) > 0


def rounded_severity(severity: float) -> float:
    """Return `severity` to three decimals, as an int where it is whole: 3, never 3.0."""
    near = round(severity, 3)
    return int(near) if near == int(near) else near


@dataclass(frozen=True, order=True)
class Condition:
    """What is done to the test images before the detector sees them.

    Parameters
    ----------
    corruption : str
        Name of the corruption, ``"clean"``, or ``"recorded"`` for images taken under drift.
    severity : float, optional
        Above 0, at most 5, to three decimals; ``None`` for clean, for recorded, and for a
        corruption that is given by value.
    recorded : str
        Name of the recorded set; empty for everything else.

    Raises
    ------
    ValueError
        If clean or a recorded set is given a severity, a corruption one out of its range,
        or a recorded set no name.

    Examples
    --------
    >>> Condition("blur", 3).id
    'blur-severity_3'
    >>> Condition("blur", 2.5).id
    'blur-severity_2.5'
    >>> Condition("dim").id
    'dim'
    >>> Condition("recorded", recorded="led_2025_11").id
    'recorded-led_2025_11'
    """

    corruption: str
    severity: float | None = None
    recorded: str = ""

    def __post_init__(self) -> None:
        if bool(self.recorded) != (self.corruption == RECORDED):
            raise ValueError(f"{RECORDED!r}, and nothing else, has the name of a recorded set")
        if self.severity is None:
            return
        if self.corruption in ("clean", RECORDED):
            raise ValueError(f"the {self.corruption} condition has no severity")
        if not is_severity(self.severity):
            raise ValueError(
                f"severity of {self.corruption!r} must be {SEVERITY_WANTED}, not {self.severity!r}"
            )
        object.__setattr__(self, "severity", rounded_severity(self.severity))

    @property
    def is_clean(self) -> bool:
        """Whether these are the test images as they are."""
        return self.corruption == "clean"

    @property
    def is_corrupted(self) -> bool:
        """Whether a corruption is applied."""
        return self.corruption not in ("clean", RECORDED)

    @property
    def id(self) -> str:
        """The condition's part of a test id: ``clean``, ``blur-severity_3``, ``recorded-led``."""
        if self.recorded:
            return f"{RECORDED}-{self.recorded}"
        if self.severity is None:
            return self.corruption
        return f"{self.corruption}-severity_{self.severity:g}"


CLEAN = Condition("clean")


def condition_of(text: str) -> Condition:
    """Return the condition that an id names."""
    first, _, rest = text.partition("-")
    if first == RECORDED:
        return Condition(RECORDED, recorded=rest)
    return Condition(first, float(rest.removeprefix("severity_")) if rest else None)
