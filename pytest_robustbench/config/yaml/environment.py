"""Environment variables in the texts of the YAML file.

``${VAR}`` and ``${VAR:-default}`` are replaced, also inside longer texts; ``$$`` is a dollar sign.
The default stands in for a variable that is unset or empty, as in a shell.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pytest_robustbench.config.yaml.scalars import scalar_of
from pytest_robustbench.display import environment_values
from pytest_robustbench.errors import UnsetVariableError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\})")
T = TypeVar("T")
_MALFORMED = re.compile(r"\$\{[^}]*\}?")


class Expanded(str):
    """A text with its variables filled in, and the text as it was `written`."""

    __slots__ = ("written",)
    written: str

    @classmethod
    def of(cls, text: str, written: str) -> Expanded:
        """Return `text`, remembering how it was written."""
        self = cls(text)
        self.written = written
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Expanded.of, (str(self), self.written)


@dataclass(frozen=True)
class Unresolved:
    """A text that needs an environment variable which is not set.

    Parameters
    ----------
    written : str
        The text as it stands in the file.
    variable : str
        The first variable that is missing.
    source : str
        ``file:line`` of the text.
    """

    written: str
    variable: str
    source: str


def malformed_reference(text: str) -> str | None:
    """Return the first ``${...}`` that is neither ``${VAR}`` nor ``${VAR:-default}``."""
    found = _MALFORMED.search(_REFERENCE.sub("", text))
    return found.group() if found else None


def expand(text: str, environ: Mapping[str, str], source: str) -> str | Unresolved:
    """Fill in the variables of `text`; what they hold is never shown from then on.

    Returns
    -------
    str or Unresolved
        `text` itself where it refers to nothing, an `Expanded` text, or `Unresolved` where a
        variable without default is not set.
    """
    if "$" not in text:
        return text
    for reference in _REFERENCE.finditer(text):
        if _value(reference, environ) is None:
            return Unresolved(text, reference["name"], source)
    filled = _REFERENCE.sub(lambda reference: _value(reference, environ) or "", text)
    for reference in _REFERENCE.finditer(text):
        value = environ.get(reference["name"] or "")
        if value:
            environment_values().note(reference["name"], value, reference[0])
    return Expanded.of(filled, text)


def _value(reference: re.Match[str], environ: Mapping[str, str]) -> str | None:
    if reference["dollar"]:
        return "$"
    # CI systems hand an undefined variable on as an empty one: both are missing.
    value: str | None = environ.get(reference["name"]) or reference["default"]
    return value


def retyped(value: object) -> object:
    """Let a text that is nothing but one variable stand for the number or truth value it spells."""
    if isinstance(value, dict):
        return {key: retyped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [retyped(item) for item in value]
    if isinstance(value, Expanded) and _REFERENCE.fullmatch(value.written):
        typed = scalar_of(value)
        return value if isinstance(typed, str) else typed
    return value


def settled(value: str | T) -> str | T:
    """Return a text without the memory of how it was written: a name, not a place.

    It is shown as it is, and not hidden as other values of the environment are.
    """
    if not isinstance(value, Expanded):
        return value
    environment_values().reveal(str(value))
    return str(value)


def resolved(value: object, environ: Mapping[str, str] = os.environ) -> object:
    """Return `value`, at any depth of lists and mappings, with nothing left unresolved.

    The environment is read again: a variable may have been set since the file was loaded.

    Raises
    ------
    UnsetVariableError
        Naming the variable, ``file:line`` and the remedy, if a variable is still not set.
    """
    if isinstance(value, dict):
        return {key: resolved(item, environ) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(resolved(item, environ) for item in value)
    if not isinstance(value, Unresolved):
        return str(value) if isinstance(value, Expanded) else value
    text = expand(value.written, environ, value.source)
    if isinstance(text, Unresolved):
        raise UnsetVariableError(f"{text.source}: {not_set(text)}")
    return str(text)


def not_set(text: Unresolved) -> str:
    """Say that a variable is missing, and what to do."""
    name = text.variable
    return (
        f"environment variable {name!r} is not set; set it, or give a default: ${{{name}:-default}}"
    )


def as_written(value: object) -> object:
    """Return `value`, at any depth, with variables as they stand in the file.

    What a report records must neither differ between machines nor tell what a variable holds.
    """
    if isinstance(value, dict):
        return {key: as_written(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_written(item) for item in value]
    return value.written if isinstance(value, (Expanded, Unresolved)) else value
