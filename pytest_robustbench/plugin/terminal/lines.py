"""The one way in which a run writes to pytest's terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.display import displayed, displayed_lines

if TYPE_CHECKING:
    import pytest


class Lines:
    """A terminal reporter for text that may come from elsewhere.

    Parameters
    ----------
    reporter : pytest.TerminalReporter
        Of the run.
    """

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self.config = reporter.config

    def write(self, text: str, **markup: bool) -> None:
        """Write a piece of a line."""
        self._reporter.write(displayed(text), **markup)

    def write_line(self, text: str, **markup: bool) -> None:
        """Write a line; that of a message with several lines may be several."""
        self._reporter.write_line(displayed_lines(text), **markup)

    def section(self, title: str) -> None:
        """Begin a section."""
        self._reporter.section(title)
