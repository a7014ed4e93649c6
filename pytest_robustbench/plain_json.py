"""JSON files: one way to read them, whoever asks, and one to write them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_robustbench.lfs import POINTER, is_pointer
from pytest_robustbench.regular_file import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_BYTES = 1 << 28
"""A report of 10,000 images under 50 conditions has a tenth of this."""
MOST_LEVELS = 100
DIGEST = "content_sha256"
"""The key that holds a digest over everything else, so that an accidental edit is found."""
INVISIBLE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0001-\U000e007f]"
)
"""What is escaped although JSON has it as it is: UTF-8 has no bytes for lone surrogates (file names
that are no Unicode), and nobody sees what turns the direction of writing."""


def read_json(path: Path) -> Any:
    """Read what a JSON file holds, of whatever type.

    Raises
    ------
    ValueError
        In one line, without the path: that it is no regular file, is larger than `MOST_BYTES`, is a
        pointer of Git LFS or no standard JSON, names a key twice, holds a number beyond float64,
        or is nested deeper than `MOST_LEVELS`.
    """
    try:
        content = read_regular_file(path, MOST_BYTES)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    if is_pointer(content):
        raise ValueError(f"it {POINTER}")
    return parse_json(content)


def read_object(path: Path) -> dict[str, Any]:
    """Read the JSON object that a file holds.

    Raises
    ------
    ValueError
        As `read_json`, and where it holds something else.
    """
    return _as_object(read_json(path))


def parse_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object that UTF-8 text holds.

    Raises
    ------
    ValueError
        As `read_object`.
    """
    return _as_object(parse_json(content))


def parse_json(content: bytes) -> Any:
    """Return what UTF-8 text holds, of whatever type; a byte order mark is no part of it.

    Raises
    ------
    ValueError
        As `read_json`.
    """
    try:
        value = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_distinct,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _require_shallow(value)
    return value


def _as_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"it holds {KINDS.get(type(value), 'null')}, not an object")
    return value


KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no standard JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _whole(text: str) -> int:
    _finite(text)  # what is worked out with it is float64
    return int(text)


def _require_shallow(value: Any) -> None:
    """Refuse what later code, which walks by recursion, could not walk."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MOST_LEVELS):
        children = (v.values() if isinstance(v, dict) else v for v in level)
        level = [c for inner in children for c in inner if isinstance(c, (dict, list))]
    if level:
        raise ValueError("it is nested too deeply")


def sha256_of(plain: Any) -> str:
    """Return the SHA-256 of plain JSON data, independent of the order of keys."""
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the digest of its content, as its last key."""
    content = {key: value for key, value in plain.items() if key != DIGEST}
    return {**content, DIGEST: sha256_of(content)}


def is_sealed(plain: Mapping[str, Any]) -> bool:
    """Return whether an object holds the digest of everything else in it."""
    return bool(plain.get(DIGEST) == sealed(plain)[DIGEST])


def dumps(value: Any) -> str:
    """Serialize plain JSON data so that git can diff it: arrays of scalars stand on one line.

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
    return INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], text)
