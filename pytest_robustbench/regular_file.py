"""Read a file that somebody else names, and nothing that only looks like one."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# A FIFO without a writer would hold `open` for ever; Windows knows neither.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def read_regular_file(path: Path, limit: int) -> bytes:
    """Return the content of a file; links are followed, and must end at a regular one.

    Parameters
    ----------
    path : Path
        Where it lies.
    limit : int
        Most bytes it may have.

    Raises
    ------
    OSError
        If it cannot be read, is a FIFO, a device, a socket or a folder, or is too large. Nothing
        is waited for, and no more than `limit` is read.
    """
    _require_regular(path.stat())  # before it is opened: opening a device may do something
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        _require_regular(found)
        if found.st_size > limit:
            raise OSError(
                errno.EFBIG, f"it has {bytes_text(found.st_size)}, of {bytes_text(limit)} allowed"
            )
        return file.read(found.st_size)


def read_regular_text(path: Path, limit: int = 1 << 28) -> str:
    """Return the UTF-8 text of a file, with or without a byte order mark; line ends as they are.

    Raises
    ------
    OSError
        As `read_regular_file`.
    ValueError
        If it is no UTF-8.
    """
    return read_regular_file(path, limit).decode("utf-8-sig")


def bytes_text(count: int) -> str:
    """Return ``1.5 GiB`` and the like."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{count / (1 << 10 * power):.3g} {_UNITS[power]}"


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file")
