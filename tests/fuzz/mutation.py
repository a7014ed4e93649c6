"""What a random generator does to bytes, to text and to plain values; the same for every seed."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from random import Random
from typing import Any

SNIPPETS = (
    *('"\\UFFFFFFFF"', '"\\U00110000"', '"\\uD800"', '"\\x00"', "\x00", "\x07", "\x1b[2J", "\x85"),
    *("\u2028", "\u202e", "\ufeff", "\ud7ff", "\U0010ffff", "\t", "\r", "\r\n", "\n", "\n\n"),
    *("%YAML 1." + "9" * 5000 + "\n---\n", "%TAG ! tag:x,1:\n---\n", "%YAML 9.9\n---\n", "---\n"),
    *("&a ", "*a", "<<: *a\n", "<<: {a: 1}\n", "<<: 5\n", "<<: [*a, *a]\n", "? [a]\n: b\n", "? "),
    *("&a [*a]", "&a {b: *a}", "!!python/name:os.system ", "!!int ", "!!float ", "!!bool ", "! "),
    *("!!timestamp ", "!!binary ", "!!merge ", "!!null ", "!!str ", "!<tag:x> ", "!%ff ", "!!set "),
    *("!<%80> ", "!!%zz ", "{{ b }}", "[" * 2000, "{a: " * 500, "- " * 500, "[" * 100_000),
    *("{", "}", "[", "]", ":", ": ", ",", "#", "'", '"', "|\n", ">\n", "|9\n", "|99\n", "- ", "@"),
    *("`", "~", "null", "true", "NaN", ".nan", ".inf", "-.inf", "Infinity", "-Infinity", "1e999"),
    *("-0.0", "0x", "0xF", "0o8", "1_0", "12:30:45", "2024-02-30", "9" * 5000, "-" + "9" * 400),
    *("1e-400", "1.0e+9", "2147483648", "9223372036854775808", "1" + "0" * 309, "${X}", "${X:-}"),
    *(
        "${",
        "$$",
        "${X:-${Y}}",
        '"<x>": 1\n',
        "<x>: 1\n",
        "x-y: 1\n",
        "é" * 50,
        "e\u0301",
        "\U0001f600",
    ),
    *("../../etc/passwd", "/dev/zero", "C:\\x", "NUL", "a" * 10_000, "::error::x", "%s%n{0}{x}"),
)
"""Texts that mean something to a parser, a terminal or a number."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 0.0, -0.0, 0.5, 1.0, 1.5, -1e-300, 1e300, 5e-324, 10**30),
    *(2**31, 2**53 + 1, 2**63, -(2**63), 10**400, float("nan"), float("inf"), -float("inf")),
    *("", " ", "a", "clean", "<x>", "../x", "\x00", "\x1b[31m", "\n::error::x", "\u2028", "NaN"),
    *("é", "e\u0301", "\ud800", "a" * 5000, "${X}", "1", "true", [], {}, [[]], [None], {"": None}),
    *({"<x>": 1}, {"a": {"b": {"c": []}}}, [0] * 1000, ["a", "a"], "2026-02-30", "9" * 5000),
)
"""Values of every type, and the ends of their ranges."""


def mutated_bytes(rng: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return `content` after one to four edits that know nothing of what it means."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(_BYTE_EDITS)(rng, content, others)
    return content


def _place(rng: Random, content: bytes) -> int:
    return rng.randrange(len(content) + 1)


def _piece(rng: Random, content: bytes) -> tuple[int, int]:
    start = _place(rng, content)
    return start, min(len(content), start + rng.choice((1, 2, 4, 16, 64, 256, 4096)))


def _flip(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    if not content:
        return content
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _random_byte(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    place = _place(rng, content)
    return (
        content[:place]
        + bytes([rng.choice((0, 9, 13, 255, rng.randrange(256)))])
        + content[place + 1 :]
    )


def _cut(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[: _place(rng, content)]


def _without_head(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[_place(rng, content) :]


def _removed(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _piece(rng, content)
    return content[:start] + content[end:]


def _repeated(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _piece(rng, content)
    return content[:end] + content[start:end] * rng.choice((1, 2, 50)) + content[end:]


def _moved(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _piece(rng, content)
    rest = content[:start] + content[end:]
    place = _place(rng, rest)
    return rest[:place] + content[start:end] + rest[place:]


def _spliced(rng: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    return content[: _place(rng, content)] + other[_place(rng, other) :]


def _grafted(rng: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    other, place = rng.choice(others), _place(rng, content)
    start, end = _piece(rng, other)
    return content[:place] + other[start:end] + content[place:]


def _inserted(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    place = _place(rng, content)
    return content[:place] + rng.choice(SNIPPETS).encode() + content[place:]


_BYTE_EDITS = (
    *(_flip, _random_byte, _cut, _without_head, _removed, _repeated, _moved, _spliced, _grafted),
    _inserted,
)


def mutated_text(rng: Random, text: str) -> str:
    """Return lines of `text` swapped, doubled, indented or lost, and words replaced by others."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        lines = text.split("\n")
        text = "\n".join(rng.choice(_LINE_EDITS)(rng, lines))
    return text


def _doubled_line(rng: Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    return [*lines[:place], lines[place], *lines[place:]]


def _lost_line(rng: Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    return [*lines[:place], *lines[place + 1 :]]


def _swapped_lines(rng: Random, lines: list[str]) -> list[str]:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines = list(lines)
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def _indented_line(rng: Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    change = rng.choice((lambda s: f" {s}", lambda s: f"  {s}", lambda s: f"\t{s}", str.lstrip))
    return [*lines[:place], change(lines[place]), *lines[place + 1 :]]


def _other_word(rng: Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    words = lines[place].split(" ")
    words[rng.randrange(len(words))] = rng.choice((*SNIPPETS, *" ".join(lines).split()))
    return [*lines[:place], " ".join(words), *lines[place + 1 :]]


def _inserted_line(rng: Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines) + 1)
    return [*lines[:place], rng.choice(SNIPPETS), *lines[place:]]


_LINE_EDITS = (
    *(_doubled_line, _lost_line, _swapped_lines, _indented_line, _other_word, _other_word),
    _inserted_line,
)


def mutated_plain(rng: Random, value: Any) -> Any:
    """Return a copy of plain JSON data with one to three keys or values changed."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places_in(value))
        if not places:
            return rng.choice(VALUES)
        holder, key = rng.choice(places)
        rng.choice(_PLAIN_EDITS)(rng, holder, key)
    return value


def _places_in(value: Any) -> Any:
    """Yield every container of a tree with one of its keys."""
    stack = [value]
    while stack:
        inner = stack.pop()
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        for key in keys:
            yield inner, key
            if isinstance(inner[key], (dict, list)):
                stack.append(inner[key])


def _replaced(rng: Random, holder: Any, key: Any) -> None:
    holder[key] = copy.deepcopy(rng.choice(VALUES))


def _near(rng: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, (int, float)):
        holder[key] = rng.choice((value + 1, -value, value * 2, value * 10**9, str(value)[:99]))
    elif isinstance(value, str):
        holder[key] = rng.choice(
            (value.upper(), value + " ", value[1:], value + rng.choice(SNIPPETS))
        )
    else:
        holder[key] = rng.choice(([value], {"a": value}, type(value)(), [value, value]))


def _dropped(_: Random, holder: Any, key: Any) -> None:
    del holder[key]


def _renamed(rng: Random, holder: Any, key: Any) -> None:
    name = rng.choice(
        ("", "<x>", f"{key}_", f"{key}"[1:], "x-a", "\x1b[1m", "a" * 3000, "é", *map(str, holder))
    )
    if isinstance(holder, dict):
        holder[name] = holder.pop(key)
    else:
        holder.append(name)


def _doubled(_: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[f"{key}2"] = copy.deepcopy(holder[key])
    else:
        holder.insert(key, copy.deepcopy(holder[key]))


def _exchanged(rng: Random, holder: Any, key: Any) -> None:
    other = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _nested(rng: Random, holder: Any, key: Any) -> None:
    deep: Any = holder[key]
    for _ in range(rng.choice((3, 30, 60, 120))):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    holder[key] = deep


_PLAIN_EDITS = (
    _replaced,
    _replaced,
    _near,
    _near,
    _dropped,
    _renamed,
    _doubled,
    _exchanged,
    _nested,
)


def written(plain: Any) -> bytes:
    """Return plain data as JSON, also where JSON has no word for it; lone surrogates as escapes."""
    return json.dumps(plain).encode()
