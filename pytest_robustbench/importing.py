"""What is named by an import path, as in a YAML file, or brought by an installed package."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, distributions, entry_points
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
    from collections.abc import Sequence
    from importlib.metadata import Distribution
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


def distributions_installed() -> list[str]:
    """Return names and versions of everything installed: any of it may have a part in a result."""
    return sorted({f"{one.metadata['Name']} {one.version}" for one in distributions()})


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


def bringing(*packages: str) -> list[Distribution]:
    """Return the installed distributions that bring import packages, whatever they are called.

    Several may bring the same one: they then share a folder, and the last installed lies there.
    """
    found = {one.name: one for one in distributions() if _brings_any(one, packages)}
    return [found[name] for name in sorted(found, key=str.lower)]


def _brings_any(one: Distribution, packages: Sequence[str]) -> bool:
    # As text: of the largest, a list of paths takes a second to make. Python 3.10's own
    # packages_distributions knows only those that have a top_level.txt, and few have one today.
    files = f"\n{one.read_text('RECORD') or ''}"
    named = (one.read_text("top_level.txt") or "").split()  # all that an editable one tells
    return any(n in named or f"\n{n}/" in files or f"\n{n}.py," in files for n in packages)


def version_of(package: str) -> str:
    """Return the version of an import package and, where it is called otherwise, who brings it.

    Returns
    -------
    str
        What a loaded module says of itself comes first; ``unknown`` where nobody says anything.
    """
    own = getattr(sys.modules.get(package), "__version__", None)
    found = {one.name: one.version for one in bringing(package)}
    version = str(own or " or ".join(sorted(set(found.values()))) or "unknown")
    matching = [name for name, said in found.items() if said == version] or list(found)
    if matching in ([], [package]):
        return version
    return f"{version} of {' and '.join(matching)}"
