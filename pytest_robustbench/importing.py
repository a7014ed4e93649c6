"""What is named by an import path, as in a YAML file, or brought by an installed package."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def import_object(path: str, folder: Path | None = None) -> Any:
    """Return the object that ``package.module:name`` names.

    Parameters
    ----------
    path : str
        Import path with one colon between module and (dotted) attribute.
    folder : Path, optional
        Folder searched first, as if it stood on ``sys.path``: the folder of the YAML file.

    Raises
    ------
    ImportError
        If the module cannot be imported.
    AttributeError
        If the module has no such attribute.
    ValueError
        If `path` is not of the form ``module:name``.
    """
    module_name, colon, attribute = path.partition(":")
    if not (module_name and colon and attribute):
        raise ValueError(f"{path!r} is not of the form 'package.module:name'")
    with searched_first(folder):
        found: Any = import_module(module_name)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


@contextmanager
def searched_first(folder: Path | None) -> Iterator[None]:
    """Search `folder`, if there is one, before everything else on ``sys.path``."""
    if folder is None:
        yield
        return
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):  # the code that ran inside may have removed it
            sys.path.remove(str(folder))


def installed(group: str) -> dict[str, EntryPoint]:
    """Return what installed distributions bring to a group of entry points, without loading it."""
    return {entry.name: entry for entry in entry_points(group=group)}
