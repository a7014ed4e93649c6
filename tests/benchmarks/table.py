"""A table of results, and how it is written in Markdown."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Results of one benchmark.

    Parameters
    ----------
    title : str
        Its heading.
    columns : tuple of str
        Headings of the columns.
    rows : tuple of tuples
        Cells; a row that says why something was not measured may be shorter.
    notes : tuple of str
        What a reader must know: which data, what is compared with what.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return heading, rows and notes as Markdown that ends with a line break."""
        rule = ["---:" if self._holds_numbers(i) else "---" for i in range(len(self.columns))]
        head = [_line(self.columns), _line(rule)]
        body = [
            _line([*map(cell, row), *[""] * (len(self.columns) - len(row))]) for row in self.rows
        ]
        parts = [f"### {self.title}", "\n".join([*head, *body])]
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"

    def _holds_numbers(self, column: int) -> bool:
        cells = [row[column] for row in self.rows if column < len(row)]
        return not all(isinstance(value, str) for value in cells)


def cell(value: object) -> str:
    """Return a value as a reader wants it: numbers with three digits that mean something."""
    if value is None:
        return "-"
    return _number(value) if isinstance(value, float) else str(value).replace("|", "\\|")


def _number(value: float) -> str:
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"
