"""From a severity to what it means in the corruption's own quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.corruptions.catalogue import QUANTITIES
from pytest_robustbench.corruptions.parameters import growth

if TYPE_CHECKING:
    from pytest_robustbench.corruptions.corruption import Corruption


@dataclass(frozen=True)
class Scale:
    """The quantity that the severities of a corruption double.

    Parameters
    ----------
    unit : str
        What it is told in.
    middle : float
        At severity 3.
    """

    unit: str
    middle: float

    def level(self, severity: float) -> float:
        """Return the level at a severity; severity 0 stands for clean, where there is none."""
        return self.middle * growth(severity) if severity > 0 else 0.0


def scale_of_levels(corruption: Corruption) -> Scale | None:
    """Return the scale of a corruption; ``None`` where no quantity with a unit is known."""
    first = next(iter(QUANTITIES.get(corruption.key, ())), None)
    if first is None or not first.unit:
        return None
    middle = corruption.parameters.get(first.name)
    return Scale(first.unit, float(middle)) if isinstance(middle, int | float) else None
