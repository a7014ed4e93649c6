"""Standard JSON that git can diff: one line per value, arrays of scalars on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Serialize plain JSON data; arrays that hold only scalars stand on one line.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: standard JSON has no word for them.
    """
    return "".join(_pieces(value, "")) + "\n"


def _pieces(value: Any, indent: str) -> list[str]:
    inner = indent + " "
    if isinstance(value, Mapping):
        items = [
            f"{inner}{_scalar(str(key))}: {''.join(_pieces(item, inner))}"
            for key, item in value.items()
        ]
        return ["{\n", ",\n".join(items), f"\n{indent}}}"] if items else ["{}"]
    if not isinstance(value, (list, tuple)):
        return [_scalar(value)]
    if any(isinstance(v, (Mapping, list, tuple)) for v in value):
        items = [inner + "".join(_pieces(item, inner)) for item in value]
        return ["[\n", ",\n".join(items), f"\n{indent}]"]
    return ["[", ",".join(map(_scalar, value)), "]"]


def _scalar(value: Any) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    # Python's stand-ins for file names that are no Unicode: UTF-8 has no bytes for them.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
