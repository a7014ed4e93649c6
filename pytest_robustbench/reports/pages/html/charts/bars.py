"""How far something reaches, a row each: bars from nothing, their intervals, what limits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import SEVEREST, SEVERITIES
from pytest_robustbench.reports.pages.html.charts.canvas import (
    ACCENT,
    BAD,
    INK,
    Frame,
    canvas,
    label_rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

THICKNESS = 0.5  # of a row


@dataclass(frozen=True)
class Bar:
    """One row, in severities.

    Parameters
    ----------
    label : str
        What it is, and how far it reaches in its own unit.
    end : float
        How far it reaches.
    low, high : float
        The interval of that.
    limit : float, optional
        How far it must reach.
    """

    label: str
    end: float
    low: float
    high: float
    limit: float | None = None


def bars(key: str, description: str, rows: Sequence[Bar]) -> Markup:
    """Draw bars below one another, the first at the top, over the grid of severities.

    Parameters
    ----------
    key, description : str
        As for `canvas`.
    rows : sequence of Bar
        At least one.
    """
    labels = [row.label for row in rows]
    with canvas(key, description, Frame.of_rows(labels)) as drawn:
        axes, places = drawn.axes, range(len(rows))
        axes.barh(places, [row.end for row in rows], height=THICKNESS, color=ACCENT, alpha=0.6)
        axes.hlines(places, [r.low for r in rows], [r.high for r in rows], color=INK, linewidth=1.2)
        for place, row in enumerate(rows):
            if row.limit is not None:
                axes.vlines(row.limit, place - 0.42, place + 0.42, color=BAD, linewidth=1.8)
        axes.set_xlim(0, SEVEREST + 0.1)
        axes.set_xticks([0, *SEVERITIES])
        label_rows(axes, labels, "severity: one step doubles the level")
    return drawn.svg
