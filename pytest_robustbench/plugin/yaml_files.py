"""Which ``robustness.yaml`` decides for a test module, and which ones lie nearby.

The nearest one decides, from the module's folder upward: within the rootdir up to the rootdir, of
an installed package up to its topmost folder, in another checkout up to that project's own folder,
and elsewhere only beside the module. Where none is, the one decides that lies where pytest was
called, or in its rootdir. What the option or the ini file names decides for every module.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.plugin.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

INSTALLED = ("site-packages", "dist-packages")
CHECKOUT = ".git"
PROJECT = (CHECKOUT, "pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini")
"""What the own folder of a project holds."""
PASSED_OVER = ("node_modules", "__pycache__", *INSTALLED)
VENV = "pyvenv.cfg"
RESERVED = ("journal", "rerun")
"""Folders within a report folder that hold something else than reports of a file."""
NAMES = (DEFAULT_CONFIG, "robustness.yml")
MOST_FOLDERS = 3000
MOST_NEARBY = 5


def decides(folder: Path, rootdir: Path) -> tuple[Path, ...]:
    """Return the folders whose ``robustness.yaml`` decides for modules in `folder`, nearest first.

    Parameters
    ----------
    folder, rootdir : Path
        Of the module, and pytest's.
    """
    above = (folder, *folder.parents)
    if _is_within(folder, rootdir):
        return above[: above.index(rootdir) + 1]
    for n, each in enumerate(above):
        if each.name in INSTALLED:
            return above[:n]
        if any((each / name).exists() for name in PROJECT):
            return above[: n + 1]
    return above[:1]


def nearest(
    folder: Path, rootdir: Path, is_there: Callable[[Path], bool] = os.path.lexists
) -> Path | None:
    """Return the ``robustness.yaml`` nearest to the modules of a folder; ``None`` for none.

    A link that leads nowhere is one: to pass over it would judge by another file.
    """
    paths = (each / DEFAULT_CONFIG for each in decides(folder, rootdir))
    return next((path for path in paths if is_there(path)), None)


def place_of(path: Path, rootdir: Path) -> str:
    """Return the folder, below that of all reports, which those of a YAML are written to.

    It is called as the YAML's own folder, seen from the rootdir, or from where its project or
    installed package lies.
    """
    folder = path.parent
    inside = _is_within(folder, rootdir) and folder != rootdir
    start = rootdir if inside else decides(folder, rootdir)[-1].parent
    parts = folder.relative_to(start).parts or ("root",)
    return "/".join(f"{part}_" if part in RESERVED else _printable(part) for part in parts)


def _printable(part: str) -> str:
    """Return a folder's name as every file of ours can hold it."""
    return "".join(c if c.isprintable() and c != "\\" else "_" for c in part)


def _is_within(folder: Path, rootdir: Path) -> bool:
    if not folder.is_relative_to(rootdir):
        return False
    return not set(INSTALLED) & set(folder.relative_to(rootdir).parts)


def below(
    folder: Path, names: Sequence[str] = (DEFAULT_CONFIG,), most: int | None = None
) -> Iterator[Path]:
    """Yield the files of a folder and below, but of no hidden or installed one.

    Parameters
    ----------
    folder : Path
        Where to begin.
    names : sequence of str
        What the files may be called.
    most : int, optional
        Number of folders to look into.
    """
    for place, folders, files in islice(os.walk(folder), most):
        if VENV in files:
            folders.clear()
            continue
        folders[:] = sorted(n for n in folders if n not in PASSED_OVER and not n.startswith("."))
        yield from (Path(place, name) for name in names if name in files)


def nearby(rootdir: Path) -> list[Path]:
    """Return files that a user may have meant: below the rootdir, and above it in its checkout."""
    above = rootdir.parents if not (rootdir / CHECKOUT).exists() else ()
    end = next((n for n, each in enumerate(above, 1) if (each / CHECKOUT).exists()), 0)
    upper = (each / name for each in above[:end] for name in NAMES)
    lower = islice(below(rootdir, NAMES, MOST_FOLDERS), MOST_NEARBY)
    return [*lower, *(path for path in upper if path.is_file())]


def arguments(config: pytest.Config) -> tuple[Path, ...]:
    """Return the files and folders that pytest was asked to run."""
    return tuple(dict.fromkeys(place for each in config.args for place in _places(config, each)))


def _places(config: pytest.Config, argument: str) -> Iterator[Path]:
    text = str(argument).partition("::")[0]
    path = Path(os.path.normpath(config.invocation_params.dir / text))
    if path.exists():
        yield path
    elif config.option.pyargs:
        yield from _imported(text)


def _imported(name: str) -> Iterator[Path]:
    """Yield where a package or module lies."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return  # pytest says so itself
    if spec is not None and spec.submodule_search_locations:
        yield from map(Path, spec.submodule_search_locations)
    elif spec is not None and spec.origin is not None:
        yield Path(spec.origin)


def lie_in_reach(config: pytest.Config) -> bool:
    """Return whether any file may decide for what pytest was asked to run."""
    return any(
        nearest(folder_of(place), config.rootpath) or next(below(place), None)
        for place in arguments(config)
    )


def folder_of(place: Path) -> Path:
    """Return the folder of a module, or the folder itself."""
    return place if place.is_dir() else place.parent
