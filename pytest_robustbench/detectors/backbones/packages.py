"""Packages that only some backbones need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pytest_robustbench.errors import DetectorError


def required(module: str, package: str) -> Any:
    """Return a module of a package that need not be installed.

    Raises
    ------
    DetectorError
        If it cannot be imported; the message names the remedy.
    """
    try:
        return import_module(module)
    except (ImportError, RuntimeError, OSError) as error:  # the last two: built for another torch
        raise DetectorError(
            f"{module} cannot be imported ({type(error).__name__}: {error}); install it with: "
            f"pip install {package}"
        ) from error
