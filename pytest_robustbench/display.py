"""Text from elsewhere on its way to a terminal, a log, a file or a page.

Names of files, values of a YAML and messages of other people's code may hold anything: line breaks
and escapes that a terminal obeys, a line that a CI service takes for a command, what an environment
variable holds. Everything that is shown goes through `displayed`.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHORT, LONG = 4, 8
"""Values of fewer characters than the first are shown: they would garble words, and hide nothing.
Those of fewer than the second are told from a part of a longer word."""
JOINERS = "\u200c\u200d"
"""Invisible, and part of how words are written in several scripts."""
INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode: control, format (such as what turns the direction of writing), lone
surrogates (file names that are no UTF-8), line and paragraph separators."""
SUSPECT = re.compile(r"[^\x20-\x7e]")
COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\w*\[)")
"""What GitHub takes for a command at the start of a line, and Azure and TeamCity anywhere in it."""
REFERENCE = r"\$\{[A-Za-z_]\w*(?::-[^}]*)?\}"
NUMBER = re.compile(r"[-+]?[\d_]*\.?\d+(?:[eE][-+]?\d+)?")
SECRET = re.compile("token|secret|passw|credential|auth|key", re.IGNORECASE)
"""Names of variables whose values are never shown, whatever they are good for."""
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def displayed(text: object) -> str:
    """Return `text` on one line in which nothing acts: what cannot be seen is spelt out.

    Line breaks, control characters, overrides of the direction of writing and lone surrogates are
    written as Python would; what a CI service would obey is broken; values that the YAML takes from
    the environment stand as they are written there. What was displayed before stays as it is.
    """
    return COMMAND.sub(_disarmed, SUSPECT.sub(_spelt, redacted(str(text))))


def displayed_lines(text: object) -> str:
    """Return a text whose line breaks are our own, each of its lines `displayed`."""
    return "\n".join(map(displayed, str(text).split("\n")))


def redacted(text: str) -> str:
    """Return `text` with the values of the environment as the YAML writes them."""
    hidden = _HIDDEN.get()
    return text if hidden is None else hidden.redacted(text)


def redacted_plain(value: Any) -> Any:
    """Return plain JSON, its texts `redacted`; keys are names, and stay."""
    if isinstance(value, dict):
        return {key: redacted_plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted_plain(inner) for inner in value]
    return redacted(value) if isinstance(value, str) else value


def _spelt(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) not in INVISIBLE or character in JOINERS:
        return character
    code = ord(character)
    width = (2, "x") if code < 0x100 else (4, "u") if code < 0x10000 else (8, "U")
    return NAMED.get(character) or f"\\{width[1]}{code:0{width[0]}x}"


def _disarmed(found: re.Match[str]) -> str:
    return f"{found[1] or ''}\\x{ord(found[0][-1]):02x}"


class EnvironmentValues:
    """What the YAML files of a run take from the environment, and what stands for it."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}
        self._names: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def note(self, variable: str, value: str, reference: str) -> None:
        """Let `reference`, such as ``${ROOT}``, stand for a value wherever it occurs.

        Numbers, and what is shorter than `SHORT`, stay: to hide them would garble what else is
        told. Of a variable whose name speaks of a secret a number is hidden as well.
        """
        secret = SECRET.search(variable) is not None
        for form in _forms(value):
            if len(form) >= SHORT and (secret or not NUMBER.fullmatch(form)):
                self._written.setdefault(form, reference)
        if not secret:
            self._names.add(value)
        self._pattern = None

    def reveal(self, name: str) -> None:
        """Let a value be shown: it is a name, such as that of a benchmark, and stands in test ids.

        Values of variables that speak of a secret are not.
        """
        if name in self._names:
            for form in _forms(name):
                self._written.pop(form, None)
            self._pattern = None

    def redacted(self, text: str) -> str:
        """Return `text` with references for values."""
        if not self._written:
            return text
        if self._pattern is None:
            forms = sorted(self._written, key=len, reverse=True)
            self._pattern = re.compile("|".join([REFERENCE, *map(_bounded, forms)]))
        return self._pattern.sub(lambda found: self._written.get(found[0], found[0]), text)


_HIDDEN: ContextVar[EnvironmentValues | None] = ContextVar("hidden", default=None)


def hide_environment() -> Callable[[], None]:
    """Remember what YAML files take from the environment; return what ends it."""
    return partial(_HIDDEN.reset, _HIDDEN.set(EnvironmentValues()))


@contextmanager
def hiding_environment() -> Iterator[None]:
    """Remember, until the end of a command, what its YAML files take from the environment."""
    end = hide_environment()
    try:
        yield
    finally:
        end()


def environment_values() -> EnvironmentValues:
    """Return what is remembered; outside of a run nobody asks again for what is noted."""
    return _HIDDEN.get() or EnvironmentValues()


def _forms(value: str) -> dict[str, None]:
    """Return a value as it may occur in a message: as a path, within quotes, in an address."""
    bare = value.strip().rstrip("/\\")
    path = PurePath(bare) if bare else PurePath()
    plain = (value.rstrip("/\\"), bare, str(path), path.as_posix())
    shown = (form for text in plain for form in (text, repr(text)[1:-1], quote(text, safe="")))
    lines = value.split("\n") if "\n" in value else ()
    return dict.fromkeys((*shown, *lines))


def _bounded(form: str) -> str:
    literal = re.escape(form)
    if NUMBER.fullmatch(form):
        return rf"(?<![\w.]){literal}(?!\w|\.\d)"
    return rf"(?<!\w){literal}(?!\w)" if len(form) < LONG else literal
