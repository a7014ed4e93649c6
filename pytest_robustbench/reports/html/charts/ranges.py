"""Where values lie, a row per condition: ranges of one or two kinds, and what judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.reports.html.charts.canvas import BAD, CARD, INK, canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes

WIDTH = 620  # points
ROW, FRAME = 15, 46  # points
OFFSET = 0.17  # of a row, by which two kinds stand apart
ROOM = 0.04  # of the span, left of the smallest and right of the largest value


@dataclass(frozen=True)
class Range:
    """Where the values of one kind lie.

    Parameters
    ----------
    low : float
        Start of the thin line.
    inner_low : float
        Start of the thick one.
    middle : float
        The dot.
    inner_high : float
        End of the thick line.
    high : float
        End of the thin one.
    """

    low: float
    inner_low: float
    middle: float
    inner_high: float
    high: float


@dataclass(frozen=True)
class RangeRow:
    """One condition.

    Parameters
    ----------
    label : str
        Its id.
    ranges : mapping of str to Range
        By the colour of their kind, one or two.
    limit : float, optional
        What judges the row alone.
    """

    label: str
    ranges: Mapping[str, Range]
    limit: float | None = None


def ranges(
    key: str, description: str, rows: Sequence[RangeRow], unit: str, threshold: float | None = None
) -> Markup:
    """Draw ranges below one another, the first row at the top.

    Parameters
    ----------
    key, description : str
        As for `canvas`.
    rows : sequence of RangeRow
        At least one.
    unit : str
        Of the horizontal axis.
    threshold : float, optional
        One line through all rows.
    """
    with canvas(key, description, WIDTH, FRAME + ROW * len(rows)) as drawn:
        axes = drawn.axes
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1.2, dashes=(3, 1.5))
        for place, row in enumerate(rows):
            _draw_row(axes, place, row)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(*_span(rows, threshold))
        axes.set_xlabel(unit)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    return drawn.svg


def _draw_row(axes: Axes, place: int, row: RangeRow) -> None:
    apart = OFFSET if len(row.ranges) > 1 else 0.0
    for side, (colour, found) in enumerate(row.ranges.items()):
        y = place + apart * (2 * side - 1)
        axes.hlines(y, found.low, found.high, color=colour, linewidth=1)
        axes.hlines(y, found.inner_low, found.inner_high, color=colour, linewidth=4)
        axes.plot(
            found.middle, y, "o", markersize=3, color=CARD, markeredgecolor=colour,
            markeredgewidth=1,
        )  # fmt: skip
    if row.limit is not None:
        axes.vlines(row.limit, place - 0.45, place + 0.45, color=BAD, linewidth=1.6)


def _span(rows: Sequence[RangeRow], threshold: float | None) -> tuple[float, float]:
    found = [r for row in rows for r in row.ranges.values()]
    ends = [end for r in found for end in (r.low, r.high)]
    ends += [row.limit for row in rows if row.limit is not None]
    ends += [] if threshold is None else [threshold]
    low, high = min(ends), max(ends)
    room = ROOM * ((high - low) or abs(high) or 1.0)
    return low - room, high + room
