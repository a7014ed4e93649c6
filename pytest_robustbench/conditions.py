"""A condition: clean, or one corruption at one severity."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, order=True)
class Condition:
    """What is done to the test images before the detector sees them.

    Parameters
    ----------
    corruption : str
        Name of the corruption, or ``"clean"``.
    severity : int, optional
        1 to 5; ``None`` for clean.

    Raises
    ------
    ValueError
        If clean is given a severity, or a corruption none or one outside 1 to 5.

    Examples
    --------
    >>> Condition("blur", 3).id
    'blur-severity_3'
    """

    corruption: str
    severity: int | None = None

    def __post_init__(self) -> None:
        if self.corruption == "clean" and self.severity is not None:
            raise ValueError("the clean condition has no severity")
        if self.corruption != "clean" and self.severity not in SEVERITIES:
            message = f"severity of {self.corruption!r} must be 1 to 5, not {self.severity!r}"
            raise ValueError(message)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is done to the images."""
        return self.severity is None

    @property
    def id(self) -> str:
        """The condition's part of a test id: ``clean`` or ``blur-severity_3``."""
        return self.corruption if self.is_clean else f"{self.corruption}-severity_{self.severity}"


CLEAN = Condition("clean")
