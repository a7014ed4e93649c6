"""Packages that only some of what people read needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from pytest_robustbench.errors import ReportError


@dataclass(frozen=True)
class Extra:
    """An extra of this distribution.

    Parameters
    ----------
    name : str
        As it stands in brackets behind the distribution.
    packages : tuple of str
        What it installs, by the names to import.
    """

    name: str
    packages: tuple[str, ...]

    @property
    def problem(self) -> str:
        """What is not installed, and the remedy; empty where all of it is."""
        missing = [name for name in self.packages if find_spec(name) is None]
        if not missing:
            return ""
        verb = "is" if len(missing) == 1 else "are"
        return (
            f"{' and '.join(missing)} {verb} not installed, which pages need: "
            f'pip install "pytest-robustbench[{self.name}]"'
        )

    def require(self) -> None:
        """Refuse to go on without it.

        Raises
        ------
        ReportError
            If a package of it is not installed; the message names the remedy.
        """
        if self.problem:
            raise ReportError(self.problem)


REPORT = Extra("report", ("jinja2", "matplotlib"))
