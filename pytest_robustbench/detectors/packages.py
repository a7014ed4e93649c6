"""Packages that only some detectors need, and files that they read."""

from __future__ import annotations

import hashlib
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.introspection import one_line
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from pathlib import Path


def required(module: str, package: str) -> Any:
    """Return a module of a package that need not be installed.

    Parameters
    ----------
    module : str
        As it is imported.
    package : str
        As pip calls it.

    Raises
    ------
    DetectorError
        If it cannot be imported; the message names the remedy.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)
    except Exception as error:  # what was built for another torch fails in many ways
        raise DetectorError(
            f"{module} cannot be imported ({one_line(error)}); install it with: pip install "
            f"{package}"
        ) from error


def sha256_of_file(path: Path) -> str:
    """Return the digest of a file's content, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
