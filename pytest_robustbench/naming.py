"""Help with names: ones that are no names, misspelt, too long for a line; paths in messages."""

from __future__ import annotations

import os
import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CUT = "..."
MOST_BYTES = 100
"""Of a name: file systems take 255, and names of files hold more than one."""
OF_PATHS = frozenset('/\\:*?"<>|')
DEVICES = frozenset(
    [
        *("con", "prn", "aux", "nul", "conin$", "conout$"),
        *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\xb9\xb2\xb3"),
    ]
)
"""What Windows takes for a device, whatever stands behind a dot."""
ALLOWED = "a name is no path: letters, digits, '_', '-', and dots and spaces between them"


def name_problem(name: str) -> str:
    """Return why `name` cannot be that of a file or folder on every system; empty where it can.

    >>> name_problem("../x")
    "it holds '/'"
    >>> name_problem("nightly run 2.1")
    ''
    """
    bad = [c for c in name if c in OF_PATHS or (unicodedata.category(c)[0] in "CZ" and c != " ")]
    if bad:
        return f"it holds {bad[0]!a}"
    if not name.strip(" ."):
        return "it names nothing"
    if name != name.strip(" ") or name.endswith("."):
        return "it begins with a space, or ends with a space or a dot"
    if name.partition(".")[0].strip().casefold() in DEVICES:
        return "Windows takes it for a device"
    if len(name.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return f"it is longer than {MOST_BYTES} bytes"
    return ""


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
