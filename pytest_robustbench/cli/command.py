"""What a command of the command line is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable


@dataclass(frozen=True)
class Command:
    """One word after ``pytest-robustbench``.

    Parameters
    ----------
    name : str
        The word.
    summary : str
        One line for the help.
    add_arguments : callable
        Declares the command's own arguments.
    run : callable
        Carries it out and returns the exit code. What it needs beyond the standard library it
        imports itself, so that the help of every command is there at once.
    """

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
