"""How far values are from their limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.gates.limits import Verdict


def margin(verdict: Verdict) -> float:
    """Return the signed distance of a value to its limit, relative to the limit.

    Negative where it is violated, minus infinity where nothing could be measured. A limit of zero
    has no size to compare with: there it is the distance itself.
    """
    if verdict.value is None or verdict.outcome == "error":
        return -math.inf
    sign = 1 if verdict.limit.bound == "min" else -1
    return sign * (verdict.value - verdict.limit.value) / (abs(verdict.limit.value) or 1.0)


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return verdicts in the order of their margins; equal ones stay in their order."""
    return sorted(verdicts, key=margin)
