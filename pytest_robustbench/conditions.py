"""A condition: clean, one corruption at one severity, or a set recorded under drift.

What is measured along all severities of a corruption, its tolerance, has an id of the same kind.
"""

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
TOLERANCE = "tolerance"
NO_CORRUPTION = ("clean", RECORDED, TOLERANCE)
"""What stands for a corruption in conditions that have none."""
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
        Name of the corruption, ``"clean"``, ``"recorded"`` for images taken under drift, or
        ``"tolerance"``.
    severity : float, optional
        Above 0, at most 5, to three decimals; ``None`` for clean, for recorded, and for a
        corruption that is given by value.
    recorded : str
        Name of the recorded set; empty for everything else.
    ladder : str
        Name of the corruption along whose severities a tolerance is looked for; else empty.

    Raises
    ------
    ValueError
        If anything but a corruption is given a severity, a corruption one out of its range, or a
        recorded set or a tolerance no name.

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
    >>> Condition("tolerance", ladder="blur").id
    'tolerance-blur'
    """

    corruption: str
    severity: float | None = None
    recorded: str = ""
    ladder: str = ""

    def __post_init__(self) -> None:
        if bool(self.recorded) != (self.corruption == RECORDED):
            raise ValueError(f"{RECORDED!r}, and nothing else, has the name of a recorded set")
        if bool(self.ladder) != (self.corruption == TOLERANCE):
            raise ValueError(f"{TOLERANCE!r}, and nothing else, has the name of a ladder")
        if self.severity is None:
            return
        if not self.is_corrupted:
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
        return self.corruption not in NO_CORRUPTION

    @property
    def is_pooled(self) -> bool:
        """Whether the summary speaks of it: these are the same images, under one condition."""
        return not (self.recorded or self.ladder)

    @property
    def name(self) -> str:
        """What YAML and marks call it: its corruption, or the set or ladder that it is named by."""
        return self.recorded or self.ladder or self.corruption

    @property
    def id(self) -> str:
        """The condition's part of a test id: ``clean``, ``blur-severity_3``, ``recorded-led``."""
        if self.recorded or self.ladder:
            return f"{self.corruption}-{self.name}"
        if self.severity is None:
            return self.corruption
        return f"{self.corruption}-severity_{self.severity:g}"


CLEAN = Condition("clean")


def condition_of(text: str) -> Condition:
    """Return the condition that an id names."""
    first, _, rest = text.partition("-")
    if first == RECORDED:
        return Condition(RECORDED, recorded=rest)
    if first == TOLERANCE:
        return Condition(TOLERANCE, ladder=rest)
    return Condition(first, float(rest.removeprefix("severity_")) if rest else None)
