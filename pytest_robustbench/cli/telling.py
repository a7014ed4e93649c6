"""What a command tells people, line by line; results that programs read are written as they are."""

from __future__ import annotations

import sys

from pytest_robustbench.display import displayed_lines


def tell(text: object) -> None:
    """Write to standard error: progress, and what went wrong."""
    sys.stderr.write(f"{displayed_lines(text)}\n")
    sys.stderr.flush()


def answer(text: object) -> None:
    """Write to standard output what was asked for, in words."""
    sys.stdout.write(f"{displayed_lines(text)}\n")
