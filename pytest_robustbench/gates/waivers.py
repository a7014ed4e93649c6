"""Limits that may be violated for a while, by whom and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pytest_robustbench.gates.limits import Verdict, Waiver


def today() -> date:
    """Return the day it is where this runs."""
    return datetime.now().astimezone().date()


def apply_waivers(
    verdicts: Iterable[Verdict], waivers: Iterable[Waiver], day: date
) -> tuple[Verdict, ...]:
    """Attach to every violated limit, or one that is not shown, the waiver that speaks of it.

    What could not be measured cannot be waived: it says nothing about how bad it is. A waiver that
    has run out changes nothing but the text.

    Parameters
    ----------
    verdicts : iterable of Verdict
        What was judged.
    waivers : iterable of Waiver
        What was declared; one per condition and metric at most.
    day : date
        The day of the run.

    Returns
    -------
    tuple of Verdict
        In the order given. A waived one keeps its outcome and is not `violated`; one
        whose waiver ran out says so in its `reason`.
    """
    declared = tuple(waivers)
    return tuple(_waived(verdict, declared, day) for verdict in verdicts)


def without_waivers(verdicts: Iterable[Verdict], why: str) -> tuple[Verdict, ...]:
    """Take every waiver off its verdict, so that a violated limit fails; `why` is told."""
    return tuple(_unwaived(verdict, why) if verdict.waiver else verdict for verdict in verdicts)


def _unwaived(verdict: Verdict, why: str) -> Verdict:
    assert verdict.waiver is not None, "only what is waived can be held against"
    reason = f"the waiver by {verdict.waiver.by} until {verdict.waiver.until} counts for nothing"
    return replace(verdict, waiver=None, reason=f"{reason}: {why}")


def _waived(verdict: Verdict, waivers: tuple[Waiver, ...], day: date) -> Verdict:
    waiver = next((w for w in waivers if w.concerns(verdict)), None)
    if waiver is None or verdict.outcome not in ("fail", "not shown"):
        return verdict
    if day > waiver.until:
        ran_out = f"the waiver by {waiver.by} ran out on {waiver.until}"
        return replace(verdict, reason="; ".join(filter(None, (verdict.reason, ran_out))))
    return replace(verdict, waiver=waiver)
