"""The session.json of an earlier run: out of the way as long as another one may take its place.

A process can end at any time with any exit status: what an earlier run wrote must not be there to
be taken for what this one came to.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SESSION_FILE = "session.json"
ASIDE = f"{SESSION_FILE}.earlier"


def put_aside(folder: Path) -> list[Path]:
    """Put session.json aside, and those beside the reports of each YAML that it tells of.

    What lies aside already is older than a run that died: it is removed.

    Returns
    -------
    list of Path
        The folders that had one.
    """
    return [place for place in _places(folder) if _put_aside(place)]


def _places(folder: Path) -> list[Path]:
    try:
        told = read_object(folder / SESSION_FILE)["benchmarks"]
        names = {str(name).rpartition("/")[0] for name in told} - {""}
    except (ValueError, KeyError, TypeError):
        names = set()
    return [folder, *(folder / name for name in sorted(names))]


def _put_aside(folder: Path) -> bool:
    with suppress(OSError):
        (folder / ASIDE).unlink(missing_ok=True)
        if (folder / SESSION_FILE).is_file():
            (folder / SESSION_FILE).replace(folder / ASIDE)
            return True
    return False


def put_back(folders: Iterable[Path]) -> None:
    """Put them back, unless they were forgotten or replaced since."""
    for folder in folders:
        with suppress(OSError):
            if (folder / ASIDE).is_file() and not (folder / SESSION_FILE).exists():
                (folder / ASIDE).replace(folder / SESSION_FILE)


def forget_aside(folders: Iterable[Path]) -> None:
    """Remove what was put aside: it is not going to be put back."""
    for folder in folders:
        with suppress(OSError):
            (folder / ASIDE).unlink(missing_ok=True)


def forget_session(folder: Path) -> None:
    """Remove session.json, put aside or not: whatever happens, it says nothing of what begins now.

    Raises
    ------
    ReportError
        If one stays.
    """
    forget(folder / ASIDE)
    forget(folder / SESSION_FILE)


def forget(path: Path) -> None:
    """Remove a file that an earlier run wrote.

    Raises
    ------
    ReportError
        If it stays.
    """
    try:
        if path.is_file():
            path.unlink()
    except OSError as error:
        raise ReportError(
            f"cannot remove {path} of an earlier run ({error.strerror or error}): it would be "
            "taken for what this one came to"
        ) from error
