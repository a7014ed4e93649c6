"""How strong a drift is, by the corruptions that imitate it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.corruptions.catalogue import QUANTITIES, unit_of
from pytest_robustbench.corruptions.references import parse_reference

if TYPE_CHECKING:
    from pytest_robustbench.reports.drift.model import DriftRecord


def drift_levels(record: DriftRecord) -> dict[str, float]:
    """Return the level of every corruption that imitates a part of a drift, whatever its sign.

    What severity grades by no unit, such as the quality of a JPEG, is left out.
    """
    if record.corruption is None:
        return {}
    whole = parse_reference(record.corruption)
    found = {}
    for part in whole.parts or (whole,):
        level = part.parameters.get(QUANTITIES[part.target][0].name)
        if unit_of(part.target) and isinstance(level, int | float):
            found[part.target] = abs(float(level))
    return found
