"""By how much a candidate is worse than its baseline, with intervals and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.reports.html.charts.canvas import ACCENT, BAD, INK, MUTED, canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

WIDTH = 620  # points
ROW, FRAME = 15, 46  # points


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
    with canvas(key, description, WIDTH, FRAME + ROW * len(found)) as drawn:
        axes = drawn.axes
        axes.axvline(0, color=MUTED, linewidth=0.8)
        for place, loss in enumerate(found):
            colour = BAD if loss.regressed else ACCENT
            if loss.interval is not None:
                axes.hlines(place, *loss.interval, color=colour, linewidth=1.6)
            axes.plot(loss.value, place, "o", markersize=4, color=colour, markeredgewidth=0)
            if loss.allowed is not None:
                axes.vlines(loss.allowed, place - 0.4, place + 0.4, color=INK, linewidth=1.4)
        axes.set_yticks(range(len(found)), [loss.label for loss in found])
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.set_xlabel(unit)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    return drawn.svg
