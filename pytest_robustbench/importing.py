"""What is named by an import path, as in a YAML file, or brought by an installed package."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from pytest_robustbench.folder_imports import (
    OWN,
    entered_folder,
    file_beside,
    imports_from,
    is_file,
    reserved,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

REMEDY = "rename one of them"
INSTALLED = f"{REMEDY}, uninstall it, or install the project with pip install -e"


def import_object(path: str, folder: Path | None = None) -> Any:
    """Return the object that ``package.module:name`` names.

    Parameters
    ----------
    path : str
        Import path with one colon between module and (dotted) attribute.
    folder : Path, optional
        Folder searched first, that of the YAML file: see `imports_from`. By default the one that
        has been entered, if one has.

    Raises
    ------
    ImportError
        If the module cannot be imported, or another one is loaded in place of that in `folder`;
        the message names both files then.
    AttributeError
        If the module has no such attribute.
    ValueError
        If `path` is not of the form ``module:name``.
    """
    name, colon, attribute = path.partition(":")
    if not (name and colon and attribute):
        raise ValueError(f"{path!r} is not of the form 'package.module:name'")
    with imports_from(folder):
        found: Any = _imported(name)
        for part in attribute.split("."):
            found = getattr(found, part)
    return found


def _imported(name: str) -> ModuleType:
    folder, top = entered_folder(), name.partition(".")[0]
    meant = None if folder is None or top == OWN else file_beside(folder, name)
    taken = None if meant is None else reserved(top)
    if meant is not None and taken is not None and not is_file(taken, meant):
        raise _another(name, meant, taken, INSTALLED)
    module = import_module(name)
    file = getattr(module, "__file__", None)
    if meant is not None and not is_file(file, meant):
        raise _another(name, meant, file or "a module without a file", REMEDY)
    return module


def _another(name: str, meant: Path, other: str, remedy: str) -> ImportError:
    return ImportError(f"{meant} lies beside the YAML, but {name!r} is {other}: {remedy}")


def installed(group: str) -> dict[str, EntryPoint]:
    """Return what installed distributions bring to a group of entry points, without loading it."""
    return {entry.name: entry for entry in entry_points(group=group)}


def same_code(one: Any, other: Any) -> bool:
    """Return whether two functions are one that was loaded twice: same lines, same values."""
    return one is other or (hasattr(one, "__code__") and _code_of(one) == _code_of(other))


def place_of(function: Any) -> str:
    """Return where a function stands, for messages."""
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", function)
    file = "" if code is None else f" in {code.co_filename}"
    return f"{getattr(function, '__module__', None)}:{name}{file}"


def _code_of(function: Any) -> tuple[Any, ...]:
    code = getattr(function, "__code__", None)
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    return (
        code,
        getattr(code, "co_filename", ""),
        repr((getattr(function, "__defaults__", None), cells)),
    )
