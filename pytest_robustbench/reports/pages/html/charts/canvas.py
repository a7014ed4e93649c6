"""A matplotlib figure to inline SVG: colours of the page's theme, text as text, ids of its own."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from matplotlib import style
from matplotlib.figure import Figure

from pytest_robustbench.naming import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

POINTS_PER_INCH = 72
WIDTH = 620  # points, of a plot with a row per condition
ROW = 15  # points
LETTER = 4.7  # points: the width of a letter of row labels
TOP, RIGHT, LABELLED = 6, 10, 32  # points around the axes
BESIDE = 12  # points between a row's label and what is around it
LONGEST = int((0.45 * WIDTH - BESIDE) / LETTER)  # letters of a row's label
INK, MUTED, LINE, ACCENT = "#010101", "#020202", "#030303", "#040404"
NORMAL, DEFECT, BAD, CARD = "#050505", "#060606", "#070707", "#080808"
WARN = "#090909"
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
        WARN: "warn",
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
"""What differs from matplotlib's defaults."""


@dataclass(frozen=True)
class Frame:
    """Where the axes stand in a plot, in points; a layout that measures texts takes too long.

    Parameters
    ----------
    width, height : float
        Of the whole.
    left, bottom : float
        Room for the labels of the axes.
    """

    width: float
    height: float
    left: float
    bottom: float

    @classmethod
    def of_rows(cls, labels: Sequence[str]) -> Frame:
        """Return the frame of a plot with a row per label, and a label below."""
        left = BESIDE + LETTER * min(max(map(len, labels)), LONGEST)
        height = ROW * len(labels) + TOP + LABELLED
        return cls(WIDTH, height, left, LABELLED)

    @property
    def axes(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of the axes as shares of the whole."""
        width, height = self.width - self.left - RIGHT, self.height - self.bottom - TOP
        place = self.left / self.width, self.bottom / self.height
        return (*place, width / self.width, height / self.height)


class Canvas:
    """One figure with one pair of axes, drawn inside a ``with`` block of `canvas`."""

    def __init__(self, figure: Figure, axes: Axes, key: str, description: str) -> None:
        self.axes = axes
        self._figure, self._key, self._description = figure, key, description
        self.svg = Markup()

    def finish(self) -> None:
        """Turn what was drawn into `svg`."""
        target = io.StringIO()
        with warnings.catch_warnings():  # the reader's fonts draw the texts, not matplotlib's
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            self._figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        self.svg = Markup(_themed(target.getvalue(), self._description))


@contextmanager
def canvas(key: str, description: str, frame: Frame) -> Iterator[Canvas]:
    """Yield a canvas; when the block ends its `svg` is there.

    Parameters
    ----------
    key : str
        Makes the ids within the SVG its own: several stand in one page.
    description : str
        What the plot shows, for those who do not see it.
    frame : Frame
        Its size, and where the axes are in it.
    """
    # Before anything else the defaults: what the process has set may be anything.
    with style.context(["default", {**STYLE, "svg.hashsalt": key}]):
        figure = Figure(figsize=(frame.width / POINTS_PER_INCH, frame.height / POINTS_PER_INCH))
        drawn = Canvas(figure, figure.add_axes(frame.axes), key, description)
        yield drawn
        drawn.finish()


def with_room(ends: Sequence[float], share: float) -> tuple[float, float]:
    """Return the span of an axis: that of `ends`, and a share of it more on both sides."""
    low, high = min(ends), max(ends)
    room = share * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def label_rows(axes: Axes, labels: Sequence[str], unit: str) -> None:
    """Name the rows of a plot from the top, and the unit of its horizontal axis."""
    axes.set_yticks(range(len(labels)), [shortened(label, LONGEST) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(unit)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


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
