"""A metric against severity: the value, its interval as a band, its limit as a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.reports.pages.html.charts.canvas import (
    ACCENT,
    BAD,
    INK,
    WARN,
    Frame,
    canvas,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes

FRAME = Frame(172, 120, 32, 18)
CLEAN = 0


@dataclass(frozen=True)
class Point:
    """A metric under one severity.

    Parameters
    ----------
    severity : float
        Above 0, at most 5; 0 = clean.
    value : float or None
        ``None`` where it is not defined.
    interval : (float, float), optional
        95 % interval of the value.
    limit : float, optional
        The bound that is declared for it.
    violated : bool
        Whether that fails the run.
    waived : bool
        Whether it is violated, and may be for now.
    """

    severity: float
    value: float | None
    interval: tuple[float, float] | None = None
    limit: float | None = None
    violated: bool = False
    waived: bool = False


def curve(key: str, description: str, points: Sequence[Point], span: tuple[float, float]) -> Markup:
    """Draw the curve of one metric under one corruption.

    Parameters
    ----------
    key, description : str
        As for `canvas`.
    points : sequence of Point
        In ascending severity.
    span : (float, float)
        Of the vertical axis: the same for all corruptions, so that their curves compare.
    """
    with canvas(key, description, FRAME) as drawn:
        axes = drawn.axes
        _draw_band(axes, points)
        _draw_limits(axes, points)
        _draw_values(axes, points)
        axes.set_ylim(*span)
        severities = [p.severity for p in points]
        axes.set_xlim(min(severities) - 0.5, max(severities) + 0.5)
        axes.set_xticks(severities, ["clean" if s == CLEAN else f"{s:g}" for s in severities])
        axes.grid(axis="x", visible=False)
    return drawn.svg


def _draw_band(axes: Axes, points: Sequence[Point]) -> None:
    known = [(p.severity, *p.interval) for p in points if p.interval is not None]
    if known:
        severities, low, high = zip(*known, strict=True)
        axes.fill_between(severities, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        axes.vlines(severities, low, high, color=ACCENT, alpha=0.35, linewidth=1)


def _draw_limits(axes: Axes, points: Sequence[Point]) -> None:
    for p in points:
        if p.limit is not None:  # each severity may have one of its own
            ends = p.severity - 0.5, p.severity + 0.5
            axes.plot(ends, (p.limit, p.limit), color=INK, linewidth=1.1, dashes=(3, 1.5))


def _draw_values(axes: Axes, points: Sequence[Point]) -> None:
    known = [(p.severity, p.value) for p in points if p.value is not None]
    if known:
        axes.plot(*zip(*known, strict=True), color=ACCENT, linewidth=1.4, marker="o", markersize=3)
    _mark(axes, [p for p in points if p.violated], "X", BAD)
    _mark(axes, [p for p in points if p.waived], "D", WARN)


def _mark(axes: Axes, points: Sequence[Point], marker: str, colour: str) -> None:
    known = [(p.severity, p.value) for p in points if p.value is not None]
    if known:
        severities, values = zip(*known, strict=True)
        axes.plot(severities, values, marker, markersize=6, color=colour, markeredgewidth=0)
