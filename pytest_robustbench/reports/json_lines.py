"""Standard JSON that git can diff: one line per value, arrays of scalars on one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


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
    if isinstance(value, Mapping) and value:
        items = [
            f"{inner}{json.dumps(str(key))}: {''.join(_pieces(item, inner))}"
            for key, item in value.items()
        ]
        return ["{\n", ",\n".join(items), f"\n{indent}}}"]
    if isinstance(value, (list, tuple)) and any(
        isinstance(v, (Mapping, list, tuple)) for v in value
    ):
        items = [inner + "".join(_pieces(item, inner)) for item in value]
        return ["[\n", ",\n".join(items), f"\n{indent}]"]
    return [json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ": "))]
