"""Places that a command will write to, tried before it works for them."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import TYPE_CHECKING

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
