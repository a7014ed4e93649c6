"""Numbers as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.gates.wording import told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """One number in a table.

    Parameters
    ----------
    text : str
        In few digits; empty where there is none.
    exact : str
        As it stands in the JSON report: what tables sort by.
    """

    text: str
    exact: str


def figure(value: float | None, text: str = "") -> Figure:
    """Return a number in few digits, or in those of `text`."""
    if value is None:
        return Figure("\N{EN DASH}", "")
    return Figure(text or brief(value), repr(value))


def interval_figure(interval: Sequence[float] | None, remark: str = "") -> Figure:
    """Return an interval, which tables sort by its lower end."""
    if interval is None:
        return Figure("", "")
    low, high = interval
    return Figure(f"{brief(low)} to {brief(high)}{remark}", repr(low))


def exceeds(score: float, threshold: float) -> bool:
    """Return whether a score is above a threshold, as it was decided: in float32.

    A report has scores in as few decimals as tell float32 numbers apart, but thresholds in all.
    """
    return bool(np.float32(score) > np.float32(threshold))


def apart(score: float, threshold: float) -> tuple[str, str]:
    """Return two float32 numbers in few digits, but in enough to see whether they differ."""
    texts = brief(score), brief(threshold)
    if np.float32(score) == np.float32(threshold):
        return texts[0], texts[0]
    return told_apart(score, threshold) if texts[0] == texts[1] else texts


def brief(value: float) -> str:
    """Return three digits, without an exponent where that is readable."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        digits = f"{value:.3g}"
        return f"{value:.0f}" if "e" in digits else digits
    return f"{value:.2e}"


def signed(value: float) -> str:
    """Return a number that says on which side of zero it is."""
    return f"{'-' if value < 0 else '+'}{brief(abs(value))}"
