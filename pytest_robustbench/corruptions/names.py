"""What a corruption may be called; its name becomes part of test ids."""

from __future__ import annotations

import re

from pytest_robustbench.conditions import NO_CORRUPTION
from pytest_robustbench.errors import CorruptionError
from pytest_robustbench.naming import MOST_BYTES

RESERVED = NO_CORRUPTION
"""Conditions that are no corruption."""

KEYWORDS = ("compose", "name", "at")
"""Keys of a reference in YAML that are no corruption."""


def fits_test_ids(name: str) -> bool:
    """Return whether `name` holds only lower-case letters, digits and underscores, not too many."""
    return len(name) <= MOST_BYTES and re.fullmatch("[a-z0-9_]+", name) is not None


def check_name(name: str) -> None:
    """Refuse a name that cannot be part of a test id.

    Raises
    ------
    CorruptionError
        If `name` is reserved or holds anything but lower-case letters, digits and underscores.
    """
    if name in (*RESERVED, *KEYWORDS):
        raise CorruptionError(f"a corruption cannot be called {name!r}: that name is reserved")
    if not fits_test_ids(name):
        raise CorruptionError(
            f"a corruption cannot be called {name!r}: its name becomes part of test ids and may "
            "hold only lower-case letters, digits and underscores"
        )
