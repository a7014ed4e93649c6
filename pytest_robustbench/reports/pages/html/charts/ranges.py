"""Where values lie, a row per condition: ranges of one or two kinds, and what judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.reports.pages.html.charts.canvas import (
    BAD,
    CARD,
    INK,
    Frame,
    canvas,
    label_rows,
    with_room,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes

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
    tail : float, optional
        A stroke of its own, further out.
    """

    low: float
    inner_low: float
    middle: float
    inner_high: float
    high: float
    tail: float | None = None


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
    labels = [row.label for row in rows]
    with canvas(key, description, Frame.of_rows(labels)) as drawn:
        axes = drawn.axes
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1.2, dashes=(3, 1.5))
        for colour in dict.fromkeys(colour for row in rows for colour in row.ranges):
            _draw(axes, [_placed(y, row, colour) for y, row in enumerate(rows)], colour)
        limits = [(y, row.limit) for y, row in enumerate(rows) if row.limit is not None]
        for place, limit in limits:
            axes.vlines(limit, place - 0.45, place + 0.45, color=BAD, linewidth=1.6)
        axes.set_xlim(*_span(rows, threshold))
        label_rows(axes, labels, unit)
    return drawn.svg


def _placed(place: int, row: RangeRow, colour: str) -> tuple[float, Range | None]:
    """Return where a range stands; the first of two above the middle of its row."""
    if colour not in row.ranges or len(row.ranges) == 1:
        return place, row.ranges.get(colour)
    return place + OFFSET * (2 * list(row.ranges).index(colour) - 1), row.ranges[colour]


def _draw(axes: Axes, placed: Sequence[tuple[float, Range | None]], colour: str) -> None:
    found = [(y, each) for y, each in placed if each is not None]
    axes.hlines(*_lines((y, r.low, r.high) for y, r in found), color=colour, linewidth=1)
    thick = _lines((y, r.inner_low, r.inner_high) for y, r in found)
    axes.hlines(*thick, color=colour, linewidth=4)
    middles, places = [r.middle for _, r in found], [y for y, _ in found]
    (dots,) = axes.plot(middles, places, "o", markersize=3, color=CARD, markeredgewidth=1)
    dots.set_markeredgecolor(colour)
    tails = [(r.tail, y) for y, r in found if r.tail is not None]
    if tails:
        axes.plot(*zip(*tails, strict=True), "|", markersize=6, markeredgewidth=1.4, color=colour)


def _lines(
    found: Iterable[tuple[float, float, float]],
) -> tuple[list[float], list[float], list[float]]:
    """Return heights, starts and ends as `hlines` takes them."""
    places, starts, ends = zip(*found, strict=True)
    return list(places), list(starts), list(ends)


def _span(rows: Sequence[RangeRow], threshold: float | None) -> tuple[float, float]:
    found = [r for row in rows for r in row.ranges.values()]
    ends = [end for r in found for end in (r.low, r.high, r.tail) if end is not None]
    ends += [row.limit for row in rows if row.limit is not None]
    ends += [] if threshold is None else [threshold]
    return with_room(ends, ROOM)
