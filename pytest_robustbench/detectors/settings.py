"""Settings of built-in detectors, as a YAML file gives them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_robustbench.errors import DetectorError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

S = TypeVar("S")


def chosen_settings(base: S, changes: Mapping[str, Any], detector: str) -> S:
    """Return the settings dataclass `base` with single settings changed.

    Raises
    ------
    DetectorError
        If there is no such setting, or the dataclass refuses a value.
    """
    valid = [field.name for field in fields(base)]  # type: ignore[arg-type]
    for key in changes:
        if key not in valid:
            message = f"{detector} has no setting {key!r}; {suggestion(key, valid)}"
            raise DetectorError(message)
    return replace(base, **changes)  # type: ignore[type-var]
