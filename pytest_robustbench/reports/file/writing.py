"""Files that are either the old or the new version, never half of one."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write `text` (UTF-8) through a temporary file in the same folder and ``os.replace``.

    Raises
    ------
    ReportError
        If the file cannot be written; an existing file is left as it was.
    """
    # Not `tempfile`, whose files are private to the user: a report has the mode of any new file.
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(temporary, text)
        os.replace(temporary, path)  # noqa: PTH105  (the name says what it is for)
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # it is gone where it was moved, and never was where none was made
            temporary.unlink()


def same_file(first: Path, second: Path) -> bool:
    """Return whether two paths lead to one file, there already or not, over any links."""
    try:
        if first.samefile(second):
            return True
    except OSError:  # one is not there yet
        pass
    return first.resolve() == second.resolve()


def _write(path: Path, text: str) -> None:
    # Python's stand-ins for file names that are no Unicode are spelt out: UTF-8 has no bytes.
    with path.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
