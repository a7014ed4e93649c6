"""Files and folders that commands read and write."""

from __future__ import annotations

import sys
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from pytest_robustbench.cli.telling import tell
from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def check_writable(flag: str, path: Path, folder: Path) -> None:
    """Make the folder of an output, and refuse what cannot be written.

    Parameters
    ----------
    flag : str
        The flag that names it, for the message.
    path : Path
        The file, or the folder itself.
    folder : Path
        The folder that is written to.

    Raises
    ------
    ConfigError
        If `path` is to be a file and is a folder, or nothing can be written there.
    """
    try:
        if path != folder and path.is_dir():
            raise ConfigError(f"{flag} {path} is a folder: name a file, or give --output-dir")
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"{flag} {path} cannot be written: {error.strerror or error}") from None


def reports_of(folder: Path) -> list[Path]:
    """Return the reports that lie in a folder itself, in the order of their names.

    Raises
    ------
    ConfigError
        If there is none.
    ReportError
        If JSON in it cannot be read.
    """
    from pytest_robustbench.reports.merge.parts import reports_in

    found = reports_in(folder)
    if not found:
        raise ConfigError(f"{folder} holds no report")
    return found


def put_out(text: str, path: Path | None, what: str) -> None:
    """Write the result of a command to standard output, or to a file and say where it is.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    from pytest_robustbench.reports.file.writing import write_atomically

    if path is None:
        sys.stdout.write(text)
    else:
        write_atomically(path, text)
        tell(f"{what}: {path}")
