"""Markdown in which names of files and categories are text, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MARKUP = "\\`*_[]<>|#~"
ENTITIES = str.maketrans({"&": "&amp;", "@": "&#64;"})
"""An ampersand may begin an entity; an at sign may call a person."""


def escaped(text: str) -> str:
    """Return text that renders as it is, on one line."""
    for character in MARKUP:
        text = text.replace(character, "\\" + character)
    return " ".join(text.translate(ENTITIES).split())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; its cells are escaped."""
    yield _row(columns)
    yield _row(["---"] * len(columns))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(escaped, cells)) + " |"
