"""Files that are either the old or the new version, never half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pytest_robustbench.errors import ReportError


def write_atomically(path: Path, text: str) -> None:
    """Write `text` (UTF-8) through a temporary file in the same folder and ``os.replace``.

    Raises
    ------
    ReportError
        If the file cannot be written; an existing file is left as it was.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_default_mode())
        os.replace(temporary, path)  # noqa: PTH105  (the name says what it is for)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        message = f"cannot write {path}: {error}"
        raise ReportError(message) from error


def _default_mode() -> int:
    """Return the mode a plain ``open`` would give; `mkstemp` is private to the user."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
