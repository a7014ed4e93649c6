"""By how much a candidate is worse than its baseline, with intervals and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.reports.pages.html.charts.canvas import (
    ACCENT,
    BAD,
    INK,
    MUTED,
    Frame,
    canvas,
    label_rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes

    from pytest_robustbench.reports.pages.source import Plain


def losses(key: str, description: str, verdicts: Sequence[Plain], unit: str) -> Markup:
    """Draw losses below one another, the first at the top; at least one.

    Parameters
    ----------
    key, description : str
        As for `canvas`.
    verdicts : sequence of mapping
        A report's verdicts on one metric, each with a loss; negative where the candidate is better.
    unit : str
        Of the horizontal axis.
    """
    labels = [verdict["condition"] for verdict in verdicts]
    with canvas(key, description, Frame.of_rows(labels)) as drawn:
        axes = drawn.axes
        axes.axvline(0, color=MUTED, linewidth=0.8)
        placed = list(enumerate(verdicts))
        for colour, is_bad in ((ACCENT, False), (BAD, True)):
            _draw(
                axes, [(y, v) for y, v in placed if (v["outcome"] == "regressed") is is_bad], colour
            )
        for place, verdict in placed:
            if verdict["allowed"] is not None:
                ends = place - 0.4, place + 0.4
                axes.vlines(verdict["allowed"], *ends, color=INK, linewidth=1.4)
        label_rows(axes, labels, unit)
    return drawn.svg


def _draw(axes: Axes, placed: Sequence[tuple[int, Plain]], colour: str) -> None:
    known = [(place, *v["interval"]) for place, v in placed if v["interval"] is not None]
    if known:
        axes.hlines(*zip(*known, strict=True), color=colour, linewidth=1.6)
    if placed:
        places, values = zip(*((place, v["loss"]) for place, v in placed), strict=True)
        axes.plot(values, places, "o", markersize=4, color=colour, markeredgewidth=0)
