"""Where two pieces of plain JSON differ, in words."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ABSENT = object()
SHOWN_DIFFERENCES = 3
SHOWN_CHARACTERS = 60


def differences_between(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Return the first values that differ, each with its place and on both sides.

    Parameters
    ----------
    first, second : mapping
        Plain JSON.

    Returns
    -------
    str
        Such as ``severity.blur: 3 and 5``; empty where nothing differs.
    """
    return ", ".join(islice(_differences("", first, second), SHOWN_DIFFERENCES))


def _differences(place: str, first: Any, second: Any) -> Iterator[str]:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in {**first, **second}:
            inner = f"{place}.{key}" if place else str(key)
            yield from _differences(inner, first.get(key, ABSENT), second.get(key, ABSENT))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for i, pair in enumerate(zip(first, second, strict=True)):
            yield from _differences(f"{place}[{i}]", *pair)
    elif first != second:
        yield f"{place}: {both(first, second)}"


def both(first: object, second: object) -> str:
    """Return two values side by side."""
    return f"{shown(first)} and {shown(second)}"


def shown(value: object) -> str:
    """Return a value in few characters, however large it is."""
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
