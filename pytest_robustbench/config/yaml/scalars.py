"""What an unquoted YAML scalar means: the core schema of YAML 1.2, not PyYAML's YAML 1.1.

Only ``true`` and ``false`` are truth values, so a category named ``on`` or ``no`` stays a name;
``1e-3`` is a number and ``12:30`` is none.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCALARS: Mapping[str, str] = MappingProxyType(
    {
        "bool": "true|True|TRUE|false|False|FALSE",
        "int": "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
        "float": (
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        "null": "~|null|Null|NULL|",
    }
)
"""Kind of a scalar -> pattern of its texts; the first that matches wins, anything else is text."""


def scalar_of(text: str) -> object:
    """Return the number or truth value that `text` spells, or else the text."""
    for kind in ("bool", "int", "float"):
        if re.fullmatch(SCALARS[kind], text):
            return CONVERTERS[kind](text)
    return text


def _integer(text: str) -> int:
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _floating(text: str) -> float:
    # YAML writes .inf and .nan where Python writes inf and nan.
    return float(text.replace(".", "") if text[-1:].isalpha() else text)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


CONVERTERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "str": str,
        "null": lambda _: None,
        "bool": _truth,
        "int": _integer,
        "float": _floating,
    }
)
"""Kind of a scalar -> what makes its value; raises ValueError for any other text."""
