"""Unions of pydantic models, told apart by tags that no file can hold.

A tag stands in the place of an error, between keys of the file. Were it a text, it might be a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Tag

if TYPE_CHECKING:
    from collections.abc import Sequence


def tag(number: int) -> Tag:
    """Return the tag of a part of a union.

    Parameters
    ----------
    number : int
        What the union's discriminator returns for it: below 0, where no index of a list is.
    """
    return Tag(number)  # type: ignore[arg-type]


def written_steps(place: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return the keys and indices of a place, without the tags of unions between them."""
    return tuple(step for step in place if isinstance(step, str) or step >= 0)
