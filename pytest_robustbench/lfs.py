"""Tell a pointer of Git LFS from the file that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_START = b"version https://git-lfs.github.com/spec/"
_OLD_START = b"version https://hawser.github.com/spec/"
POINTER = "is a pointer of Git LFS, not the file itself: run `git lfs pull`"


def is_pointer(content: bytes) -> bool:
    """Tell a pointer by its first line; more of a file need not be given."""
    return content.startswith((_START, _OLD_START))


def is_pointer_file(path: Path) -> bool:
    """Tell whether a file is a pointer; what is no regular file, or cannot be read, is none."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return is_pointer(file.read(len(_START)))
    except (OSError, ValueError):  # such as a NUL in what is no path
        return False
