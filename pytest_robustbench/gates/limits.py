"""Limits and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pytest_robustbench.gates.names import Bound

Outcome = Literal["pass", "fail", "error"]


@dataclass(frozen=True)
class Limit:
    """One declared bound.

    Parameters
    ----------
    metric : str
        A name of `gates.names`.
    bound : {"min", "max"}
        Floor or ceiling.
    value : float
        The bound itself; a measured value equal to it passes.
    source : str
        ``file:line`` of the declaration.
    """

    metric: str
    bound: Bound
    value: float
    source: str


@dataclass(frozen=True)
class Verdict:
    """A limit held against a measured value.

    Parameters
    ----------
    condition : str
        Id of the condition, or ``"summary"``.
    limit : Limit
        What was declared.
    value : float or None
        What was measured; ``None`` where the metric is not defined.
    outcome : {"pass", "fail", "error"}
        ``error`` means not measurable, and fails like ``fail``.
    reason : str
        Why the value is missing; empty otherwise.
    """

    condition: str
    limit: Limit
    value: float | None
    outcome: Outcome
    reason: str = ""
