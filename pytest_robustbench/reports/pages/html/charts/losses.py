"""By how much a candidate is worse than its baseline, with intervals and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Loss:
    """One condition.

    Parameters
    ----------
    label : str
        Its id.
    value : float
        The loss; negative where the candidate is better.
    interval : (float, float), optional
        Simultaneous interval of it.
    allowed : float, optional
        The largest acceptable loss.
    regressed : bool
        Whether it is surely exceeded.
    """

    label: str
    value: float
    interval: tuple[float, float] | None
    allowed: float | None
    regressed: bool


def losses(key: str, description: str, found: Sequence[Loss], unit: str) -> Markup:
    """Draw losses below one another, the first at the top; at least one.

    Parameters
    ----------
    key, description : str
        As for `canvas`.
    found : sequence of Loss
        Of one metric.
    unit : str
        Of the horizontal axis.
    """
    labels = [loss.label for loss in found]
    with canvas(key, description, Frame.of_rows(labels)) as drawn:
        axes = drawn.axes
        axes.axvline(0, color=MUTED, linewidth=0.8)
        for colour, is_regressed in ((ACCENT, False), (BAD, True)):
            _draw(
                axes, [(y, x) for y, x in enumerate(found) if x.regressed is is_regressed], colour
            )
        allowed = [(y, loss.allowed) for y, loss in enumerate(found) if loss.allowed is not None]
        for place, end in allowed:
            axes.vlines(end, place - 0.4, place + 0.4, color=INK, linewidth=1.4)
        label_rows(axes, labels, unit)
    return drawn.svg


def _draw(axes: Axes, found: Sequence[tuple[int, Loss]], colour: str) -> None:
    known = [(place, *loss.interval) for place, loss in found if loss.interval is not None]
    if known:
        axes.hlines(*zip(*known, strict=True), color=colour, linewidth=1.6)
    if found:
        values = [loss.value for _, loss in found]
        places = [place for place, _ in found]
        axes.plot(values, places, "o", markersize=4, color=colour, markeredgewidth=0)
