"""A matplotlib figure to inline SVG: colours of the page's theme, text as text, ids of its own."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

POINTS_PER_INCH = 72
INK, MUTED, LINE, ACCENT = "#010101", "#020202", "#030303", "#040404"
NORMAL, DEFECT, BAD, CARD = "#050505", "#060606", "#070707", "#080808"
THEME: Mapping[str, str] = MappingProxyType(
    {
        INK: "ink",
        MUTED: "muted",
        LINE: "line",
        ACCENT: "accent",
        NORMAL: "normal",
        DEFECT: "defect",
        BAD: "bad",
        CARD: "card",
    }
)
"""Colours that nothing else has, and the variables of the page's style that take their place."""
STYLE: Mapping[Any, Any] = MappingProxyType(
    {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 8.5,
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": LINE,
        "axes.labelcolor": MUTED,
        "axes.facecolor": "none",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.formatter.useoffset": False,
        "axes.unicode_minus": False,
        "grid.color": LINE,
        "grid.linewidth": 0.5,
        "xtick.color": LINE,
        "ytick.color": LINE,
        "xtick.labelcolor": MUTED,
        "ytick.labelcolor": MUTED,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "figure.facecolor": "none",
        "lines.solid_capstyle": "butt",
        "path.simplify": True,
    }
)


class Canvas:
    """One figure with one pair of axes, drawn inside a ``with`` block of `canvas`."""

    def __init__(self, figure: Figure, axes: Axes, key: str, description: str) -> None:
        self.axes = axes
        self._figure, self._key, self._description = figure, key, description
        self.svg = Markup()

    def finish(self) -> None:
        """Turn what was drawn into `svg`."""
        target = io.StringIO()
        self._figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        self.svg = Markup(_themed(target.getvalue(), self._description))


@contextmanager
def canvas(key: str, description: str, width: float, height: float) -> Iterator[Canvas]:
    """Yield a canvas; when the block ends its `svg` is there.

    Parameters
    ----------
    key : str
        Makes the ids within the SVG its own: several stand in one page.
    description : str
        What the plot shows, for those who do not see it.
    width, height : float
        Points.
    """
    with rc_context({**STYLE, "svg.hashsalt": key}):
        figure = Figure(
            figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), layout="constrained"
        )
        drawn = Canvas(figure, figure.subplots(), key, description)
        yield drawn
        drawn.finish()


def _themed(text: str, description: str) -> str:
    """Return the ``<svg>`` element alone, with variables for colours and without idle ids."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    used = set(re.findall(r"#([A-Za-z][\w-]*)", body))
    body = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", body)
    for colour, name in THEME.items():
        body = body.replace(colour, f"var(--{name})")
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)
    opening, _, rest = body.partition(">")
    size = re.search(r'viewBox="[^"]*"', opening)
    assert size is not None, "matplotlib writes a viewBox"
    described = escape(description)
    return f'<svg {size[0]} role="img" aria-label="{described}"><title>{described}</title>{rest}'
