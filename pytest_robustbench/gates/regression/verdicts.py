"""The verdict on one metric under one condition, candidate against baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pytest_robustbench.gates.regression.changes import AllowedChange

Outcome = Literal["pass", "regressed", "inconclusive", "error"]
WORST_FIRST: tuple[Outcome, ...] = ("error", "regressed", "inconclusive", "pass")


@dataclass(frozen=True)
class RegressionVerdict:
    """One allowed change, judged.

    Parameters
    ----------
    benchmark, condition : str
        Where it was measured; the condition of a latency is ``"run"``: it is judged once.
    change : AllowedChange
        What was declared.
    outcome : {"pass", "regressed", "inconclusive", "error"}
        ``error`` means not comparable, and fails like ``regressed``.
    baseline, candidate : float or None
        The metric of both on the images they share.
    loss : float or None
        By how much the candidate is worse; negative where it is better.
    allowed : float or None
        The largest acceptable loss, in units of the metric.
    interval : (float, float) or None
        Simultaneous interval of the loss over the whole family.
    p : float or None
        Of the paired swap test, adjusted for the whole family.
    improved : bool
        Whether the candidate is better by more than the margin, and surely so.
    identical : bool
        Whether both gave the same output for every image.
    images_needed : int or None
        Roughly how many images would decide; ``None`` where it is decided, or unknown.
    images_kind : str
        Of which images: ``defect``, ``normal``, ``test`` for both kinds in the present proportion.
    reason : str
        Why it is inconclusive or an error; empty otherwise.
    """

    benchmark: str
    condition: str
    change: AllowedChange
    outcome: Outcome
    baseline: float | None = None
    candidate: float | None = None
    loss: float | None = None
    allowed: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    improved: bool = False
    identical: bool = False
    images_needed: int | None = None
    images_kind: str = ""
    reason: str = ""
