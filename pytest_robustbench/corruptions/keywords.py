"""Parameters by their names: unknown ones are refused, a function's own ones are bound to it."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_robustbench.errors import CorruptionError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    T = TypeVar("T")


def check_names(name: str, given: Iterable[str], valid: Iterable[str]) -> None:
    """Refuse parameters of the corruption `name` that are not among the `valid` ones.

    Raises
    ------
    CorruptionError
        With the nearest valid name and the list of all.
    """
    names = list(valid)
    for key in given:
        if key not in names:
            near = suggestion(key, names)
            hint = f"; {near}" if near.startswith("did") else ""
            listed = ", ".join(names) or "none"
            raise CorruptionError(
                f"corruption {name!r} has no parameter {key!r}{hint} (parameters: {listed})"
            )


def with_keywords(
    name: str, function: Callable[..., T], given: Mapping[str, Any], *, positional: int
) -> Callable[..., T]:
    """Return a user's `function` with parameters given as keyword arguments.

    Parameters
    ----------
    name : str
        Of the corruption, for messages.
    function : callable
        Takes `positional` arguments, and the parameters after them.
    given : mapping
        The parameters that are set.
    positional : int
        How many arguments it is called with besides.

    Raises
    ------
    CorruptionError
        If `function` has no such parameter.
    """
    if not given:
        return function
    accepted = list(inspect.signature(function).parameters.values())[positional:]
    if not any(one.kind is one.VAR_KEYWORD for one in accepted):
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        check_names(name, given, [one.name for one in accepted if one.kind in named])
    return partial(function, **given)
