"""What one kind of file is for the harness: valid ones, their damage, and who reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from pytest_robustbench.errors import RobustbenchError

Ending = Literal["accepted", "refused"]
UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
NOT_OURS = re.compile("Traceback|not foreseen|Assertion failed|nsufficient memory|bad_alloc")
LONGEST_LINE = 30_000


class FoundError(AssertionError):
    """Something that must not happen to a damaged file."""


@dataclass(frozen=True)
class Subject:
    """One kind of file.

    Parameters
    ----------
    name : str
        As named on the command line.
    rounds : int
        How many damaged files a whole run reads.
    place : str
        Where they must lie, below a folder of their own.
    write_valid : callable
        Writes valid files into a folder; their names begin with ``valid``.
    damaged : callable
        ``(generator, contents of the valid files) -> content``.
    read : callable
        Reads a file as a user's run would; returns on acceptance, after it has made sure that what
        was accepted says what is written, and else raises an error of the package.
    tells_file : bool
        Whether every message is about this file, and not about what it lists.
    """

    name: str
    rounds: int
    place: str
    write_valid: Callable[[Path], None]
    damaged: Callable[[Random, Sequence[bytes]], bytes]
    read: Callable[[Path, Sequence[bytes]], None]
    tells_file: bool = True

    def valid(self, folder: Path) -> list[bytes]:
        """Return the valid files that were written into `folder`, in the order of their names."""
        return [path.read_bytes() for path in sorted(folder.glob("valid*"))]

    def content(self, seed: int, number: int, valid: Sequence[bytes]) -> bytes:
        """Return the damaged file of that number."""
        return self.damaged(Random(f"{seed} {self.name} {number}"), valid)

    def ending(self, path: Path, valid: Sequence[bytes]) -> Ending:
        """Read a file.

        Raises
        ------
        FoundError
            If the message cannot be shown to a user.
        """
        try:
            self.read(path, valid)
        except RobustbenchError as error:
            require_readable(str(error), path.name if self.tells_file else "")
            return "refused"
        return "accepted"


def require_readable(message: str, name: str) -> None:
    """Refuse a message without the file's name, with control characters, or without end."""
    if name not in message:
        raise FoundError(f"the message does not name the file: {message[:200]!r}")
    found = UNPRINTABLE.search(message)
    if found:
        raise FoundError(f"the message holds {found.group()!r}: {message[:200]!r}")
    if NOT_OURS.search(message):
        raise FoundError(f"the message is not one of ours: {message[:200]!r}")
    longest = max(map(len, message.split("\n")))
    if longest > LONGEST_LINE:
        raise FoundError(f"the message has {longest} characters in a line: {message[:100]!r}")
