"""A condition: clean, one corruption at one severity, or a set recorded under drift."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = (1, 2, 3, 4, 5)
RECORDED = "recorded"


@dataclass(frozen=True, order=True)
class Condition:
    """What is done to the test images before the detector sees them.

    Parameters
    ----------
    corruption : str
        Name of the corruption, ``"clean"``, or ``"recorded"`` for images taken under drift.
    severity : int, optional
        1 to 5; ``None`` for clean and recorded.
    recorded : str
        Name of the recorded set; empty for everything else.

    Raises
    ------
    ValueError
        If clean or a recorded set is given a severity, a corruption none or one outside 1 to 5, or
        a recorded set no name.

    Examples
    --------
    >>> Condition("blur", 3).id
    'blur-severity_3'
    >>> Condition("recorded", recorded="led_2025_11").id
    'recorded-led_2025_11'
    """

    corruption: str
    severity: int | None = None
    recorded: str = ""

    def __post_init__(self) -> None:
        if bool(self.recorded) != (self.corruption == RECORDED):
            raise ValueError(f"{RECORDED!r}, and nothing else, has the name of a recorded set")
        if self.corruption in ("clean", RECORDED):
            if self.severity is not None:
                raise ValueError(f"the {self.corruption} condition has no severity")
        elif self.severity not in SEVERITIES:
            raise ValueError(
                f"severity of {self.corruption!r} must be 1 to 5, not {self.severity!r}"
            )

    @property
    def is_clean(self) -> bool:
        """Whether these are the test images as they are."""
        return self.corruption == "clean"

    @property
    def is_corrupted(self) -> bool:
        """Whether a corruption is applied."""
        return self.severity is not None

    @property
    def id(self) -> str:
        """The condition's part of a test id: ``clean``, ``blur-severity_3``, ``recorded-led``."""
        if self.recorded:
            return f"{RECORDED}-{self.recorded}"
        return f"{self.corruption}-severity_{self.severity}" if self.severity else self.corruption


CLEAN = Condition("clean")


def condition_of(text: str) -> Condition:
    """Return the condition that an id names."""
    first, _, rest = text.partition("-")
    if first == RECORDED:
        return Condition(RECORDED, recorded=rest)
    return Condition(first, int(rest.removeprefix("severity_")) if rest else None)
