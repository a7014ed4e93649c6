"""Tables that fit 80 columns: rows of values, each beside its limit and its margin to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.naming import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WIDTH = 80
INDENT = "  "
GAP = "  "
WIDEST_ALIGNED = 12
"""Numbers that need more room than this to have their points aligned are aligned at their end."""


@dataclass(frozen=True)
class Cell:
    """One value, with its limit where it has one.

    Parameters
    ----------
    value : str
        What was measured; ``-`` where nothing could be.
    bound : str
        ``>=`` or ``<=``.
    limit : str
        The limit's value.
    margin : str
        Signed distance to the limit; negative where it is violated.
    mark : str
        One character that tells of more than a pass; empty otherwise.
    """

    value: str
    bound: str = ""
    limit: str = ""
    margin: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Column:
    """The cells of all rows below one title.

    Parameters
    ----------
    title : str
        Such as the name of a metric; may be empty.
    cells : tuple of Cell
        From the first row to the last.
    """

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """Rows that stand together.

    Parameters
    ----------
    head : str
        What they have in common; empty where that needs no word.
    names : tuple of str
        What each of them is about.
    """

    head: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Span:
    """A piece of a line.

    Parameters
    ----------
    text : str
        What is written.
    mark : str
        The mark of the cell it shows.
    """

    text: str
    mark: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True)
class _Block:
    """A column as it is written, all of its lines of one width."""

    title: str
    head: str
    spans: tuple[Span, ...]

    @property
    def width(self) -> int:
        return len(self.head)


def tables(groups: Sequence[Group], columns: Sequence[Column]) -> Iterator[Line]:
    """Return the lines of as many tables, one below the other, as it takes to fit all columns.

    Parameters
    ----------
    groups : sequence of Group
        The rows.
    columns : sequence of Column
        Their cells, in the same order.
    """
    blocks = [_block(column) for column in columns]
    widest = max((block.width for block in blocks), default=0)
    words = [*(g.head for g in groups), *(name for g in groups for name in g.names)]
    width = min(max(map(len, words), default=0), WIDTH - len(INDENT) - len(GAP) - widest)
    for part in _packed(blocks, WIDTH - len(INDENT) - width):
        yield from _table(groups, part, width)


def _packed(blocks: Iterable[_Block], room: int) -> Iterator[list[_Block]]:
    """Put as many columns side by side as there is room for."""
    part: list[_Block] = []
    used = 0
    for block in blocks:
        needed = len(GAP) + block.width
        if part and used + needed > room:
            yield part
            part, used = [], 0
        part.append(block)
        used += needed
    if part:
        yield part


def _table(groups: Sequence[Group], blocks: Sequence[_Block], width: int) -> Iterator[Line]:
    first, *others = groups
    if any(block.title.strip() for block in blocks):
        yield _line("", [Span(block.title) for block in blocks], width)
    if first.head or any(block.head.strip() for block in blocks):
        yield _line(first.head, [Span(block.head) for block in blocks], width)
    rows = zip(*(block.spans for block in blocks), strict=True)
    yield from (_line(name, next(rows), width) for name in first.names)
    for group in others:
        yield _line(group.head, (), width)
        yield from (_line(name, next(rows), width) for name in group.names)


def _line(name: str, spans: Iterable[Span], width: int) -> Line:
    """Return a line without blanks at its end."""
    line = [Span(INDENT + shortened(name, width).ljust(width))]
    for span in spans:
        line += [Span(GAP), span]
    while line and not line[-1].text.strip():
        line.pop()
    return (*line[:-1], Span(line[-1].text.rstrip(), line[-1].mark)) if line else ()


def _block(column: Column) -> _Block:
    """Align what the cells of a column have in common."""
    parts = _parts(column.cells)
    head, *texts = _joined(parts)
    width = max(len(head), len(column.title))
    spans = (
        Span(text.rjust(width), cell.mark) for text, cell in zip(texts, column.cells, strict=True)
    )
    head = head if any(cell.limit for cell in column.cells) else ""  # the title says it all
    return _Block(_title(column.title, width), head.rjust(width), tuple(spans))


def _parts(cells: Sequence[Cell]) -> list[list[str]]:
    """Return what stands side by side, each below its head and of one width, as far as needed."""
    parts = [["value", *_aligned([cell.value for cell in cells])]]
    if any(cell.mark for cell in cells):
        parts = [["", *(cell.mark for cell in cells)], *parts]
    if any(cell.limit for cell in cells):
        margins = [f" {text}" for text in _aligned([cell.margin for cell in cells])]
        parts = [*parts, ["limit", *_limits(cells)], [" margin", *margins]]
    return parts


def _limits(cells: Sequence[Cell]) -> list[str]:
    values = _aligned([cell.limit for cell in cells])
    return [f"{cell.bound:2} {value}" for cell, value in zip(cells, values, strict=True)]


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """Set parts side by side, line by line."""
    widths = [max(map(len, part)) for part in parts]
    lines = zip(*parts, strict=True)
    return [" ".join(t.rjust(w) for t, w in zip(line, widths, strict=True)) for line in lines]


def _title(text: str, width: int) -> str:
    """Return a title that spans its column: it is seen which parts belong to it."""
    if not text or len(text) + 4 > width:
        return text.rjust(width)
    return f" {text} ".center(width, "-")


def _aligned(texts: Sequence[str]) -> list[str]:
    """Return numbers of one width, their decimal points below each other."""
    points = [_point(text) for text in texts]
    left = max(points, default=0)
    right = max((len(t) - p for t, p in zip(texts, points, strict=True)), default=0)
    if left + right > WIDEST_ALIGNED:
        width = max(map(len, texts))
        return [text.rjust(width) for text in texts]
    return [
        text[:point].rjust(left) + text[point:].ljust(right)
        for text, point in zip(texts, points, strict=True)
    ]


def _point(text: str) -> int:
    """Return where the whole part of a number ends."""
    found = re.search("[.e]", text)
    return found.start() if found else len(text)
