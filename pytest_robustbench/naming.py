"""Help with misspelt names."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or the list of valid names when none is near."""
    names = sorted(valid)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(names)}"
