"""Markdown in which names of files and categories are text, never markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_robustbench.display import displayed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MARKUP = "\\`*_[]<>|#~$"
ENTITIES = str.maketrans({"&": "&amp;", "@": "@&#8203;"})
"""An ampersand may begin an entity. An at sign calls a person on GitHub, escaped or as an entity,
unless something invisible stands behind it (github/cmark-gfm#181)."""
LIST = re.compile(r"^(\d*)([-+.)])(?= )")
"""What would make a line an item of a list."""


def escaped(text: str) -> str:
    """Return text that renders as it is, on one line."""
    text = displayed(" ".join(text.split()))
    for character in MARKUP:
        text = text.replace(character, "\\" + character)
    return LIST.sub(r"\1\\\2", text.translate(ENTITIES))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; its cells are escaped."""
    yield _row(columns)
    yield _row(["---"] * len(columns))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(escaped, cells)) + " |"
