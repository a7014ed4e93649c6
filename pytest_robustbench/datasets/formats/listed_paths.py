"""Paths that a table or manifest lists: found, and kept inside its root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import nfc
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable


def listed_path(root: Path, written: str, where: str, *, allow_outside: bool = False) -> Path:
    """Return the file or folder that `written` means.

    Parameters
    ----------
    root : Path
        Folder that a relative path starts at.
    written : str
        The path as the list has it; a backslash separates folders, too.
    where : str
        file:line, for messages.
    allow_outside : bool
        Whether it may lie outside `root`.

    Raises
    ------
    DatasetError
        If there is nothing, or it lies outside `root` by an absolute path, ``..`` or a link.
    """
    path = root / posix(written)
    try:
        outside = not path.resolve().is_relative_to(root.resolve())
        exists = path.exists()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL, a loop of links
        raise DatasetError(f"{where}: {written!r} is no usable path: {error}") from error
    if outside and not allow_outside:
        raise DatasetError(f"{where}: {written!r} leaves the root {root}; keep the files inside it")
    if not exists:
        raise DatasetError(f"{where}: {path} does not exist")
    return path


def check_listed_once(files: Iterable[tuple[str, str, Path]]) -> None:
    """Refuse a list that names one file twice, be it by another path.

    Parameters
    ----------
    files : iterable of (str, str, Path)
        file:line, the path as it is written there, and the file that it means.

    Raises
    ------
    DatasetError
        Naming both lines.
    """
    first: dict[Path, tuple[str, str]] = {}
    for where, written, path in files:
        before, name = first.setdefault(path.resolve(), (where, written))
        if before != where:
            other = "" if name == written else f" as {name!r}"
            raise DatasetError(
                f"{where}: {written!r} stands at {before} already{other}; list it once"
            )


def listed_name(written: str) -> str:
    """Return a listed path as a sample id: posix, NFC, the same on every machine."""
    return nfc(str(PurePosixPath(posix(written))))


def name_in_root(root: Path, written: str) -> str:
    """Return `listed_name`; of an absolute path inside `root`, its way from there."""
    path = Path(posix(written))
    if not path.is_absolute():
        return listed_name(written)
    for inner, outer in ((path, root.absolute()), (path.resolve(), root.resolve())):
        if inner.is_relative_to(outer):
            return listed_name(inner.relative_to(outer).as_posix())
    return listed_name(written)


def posix(written: str) -> str:
    """Return a path, perhaps written on Windows, with slashes."""
    return written.strip().replace("\\", "/")
