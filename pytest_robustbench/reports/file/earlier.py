"""The session.json of an earlier run: out of the way as long as another one may take its place.

A process can end at any time with any exit status: what an earlier run wrote must not be there to
be taken for what this one came to.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError

if TYPE_CHECKING:
    from pathlib import Path

SESSION_FILE = "session.json"
ASIDE = f"{SESSION_FILE}.earlier"


def put_aside(folder: Path) -> bool:
    """Put session.json aside; return whether there was one, and it could be moved.

    One that lies there already is older than a run that died: it is removed.
    """
    with suppress(OSError):
        (folder / ASIDE).unlink(missing_ok=True)
        if (folder / SESSION_FILE).is_file():
            (folder / SESSION_FILE).replace(folder / ASIDE)
            return True
    return False


def put_back(folder: Path) -> None:
    """Put it back, unless it was forgotten or replaced since."""
    with suppress(OSError):
        if (folder / ASIDE).is_file() and not (folder / SESSION_FILE).exists():
            (folder / ASIDE).replace(folder / SESSION_FILE)


def forget_session(folder: Path) -> None:
    """Remove session.json, put aside or not: whatever happens, it says nothing of what begins now.

    Raises
    ------
    ReportError
        If one stays.
    """
    try:
        for path in (folder / ASIDE, folder / SESSION_FILE):
            if path.is_file():
                path.unlink()
    except OSError as error:
        raise ReportError(
            f"cannot remove {error.filename} of an earlier run ({error.strerror or error}): it "
            "would be taken for what this one came to"
        ) from error
