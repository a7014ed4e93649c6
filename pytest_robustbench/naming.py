"""Help with names: misspelt ones, ones too long for a line, and paths as messages show them."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CUT = "..."


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or the list of valid names when none is near."""
    names = sorted(valid)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(names)}"


def shortened(name: str, width: int) -> str:
    """Return `name`, with dots for its middle where it is longer than `width`."""
    if len(name) <= width:
        return name
    kept = max(width - len(CUT), 0)
    end = len(name) - (kept + 1) // 2
    return f"{name[: kept // 2]}{CUT}{name[end:]}"[:width]


def relative(path: os.PathLike[str], start: os.PathLike[str]) -> str:
    """Return `path` seen from `start`, or whole where it lies on another drive."""
    try:
        return os.path.relpath(path, start)
    except ValueError:
        return os.fspath(path)


def listed(names: Iterable[str], shown: int = 3) -> str:
    """Return the first names and how many more there are: ``'a', 'b', 'c' and 4 more``."""
    all_names = list(names)
    text = ", ".join(repr(name) for name in all_names[:shown])
    more = len(all_names) - shown
    return f"{text} and {more} more" if more > 0 else text
