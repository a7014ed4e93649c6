"""One line on a terminal that says what a long fit or sweep is doing; nothing in a log."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.display import displayed
from pytest_robustbench.plugin.terminal.pace import Pace, Turn, progress_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Progress = Callable[[str, int, int], None]

INTERVAL = 0.2  # seconds between two updates
CLEAR = "\r\x1b[K"
UP = "\x1b[1A\r"
OF_CI = ("CI", "BUILD_NUMBER")
"""Environment variables that pytest, too, knows a CI by: it may well run in a pseudo-terminal."""


class ProgressLine:
    """The line below the one that pytest is writing its dots to.

    Parameters
    ----------
    config : pytest.Config
        Its terminal reporter writes, past the capture of the running item.
    selected : callable
        Returns by benchmark which conditions were selected, and whether each is known by now.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self,
        config: pytest.Config,
        selected: Callable[[], Mapping[str, Mapping[str, bool]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._selected = selected
        self._clock = clock
        self._next = 0.0
        self._shown = ""

    def of(self, benchmark: str) -> Progress:
        """Return a callable for the evaluation of a benchmark: ``(phase, done, total)``."""
        return partial(self._show, benchmark, Pace(self._clock))

    def clear(self) -> None:
        """Leave the terminal as if there had been no line."""
        if self._shown:
            self._shown, self._next = "", 0.0
            self._write("")

    def _show(self, benchmark: str, pace: Pace, phase: str, done: int, total: int) -> None:
        """Show a phase when it begins and then a few times a second; clear it when it ends."""
        step = pace.step(phase, done, total, self._turn(benchmark, phase))
        if done >= total:
            self.clear()
            return
        now = self._clock()
        if not self._is_visible or (phase == self._shown and now < self._next):
            return
        self._shown, self._next = phase, now + INTERVAL
        width = self._config.get_terminal_writer().fullwidth - 1
        name = benchmark if len(self._selected()) > 1 else ""
        self._write(displayed(progress_text(step, width, name)))

    def _turn(self, benchmark: str, condition: str) -> Turn | None:
        """Return how many of the benchmark's selected conditions are known, with this one."""
        conditions = self._selected().get(benchmark, {})
        if condition not in conditions:
            return None
        known = sum(is_known for name, is_known in conditions.items() if name != condition)
        return Turn(known + 1, len(conditions))

    @property
    def _is_visible(self) -> bool:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or not reporter.isatty or self._config.get_verbosity() < 0:
            return False
        return not any(map(os.environ.get, OF_CI)) and os.environ.get("TERM") != "dumb"

    def _write(self, text: str) -> None:
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if capture is None:
            self._write_below(text)
            return
        with capture.global_and_fixture_disabled():
            self._write_below(text)

    def _write_below(self, text: str) -> None:
        """Write to the next line and come back, so that pytest goes on with its dots.

        Past pytest's writer: its `write` would take the line for one of dots, and what does not
        (`write_raw`) is not there before pytest 9.
        """
        writer = self._config.get_terminal_writer()
        column = writer.width_of_current_line % writer.fullwidth
        right = f"\x1b[{column}C" if column else ""
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        sys.stdout.write(f"\n{CLEAR}{shown}{UP}{right}")
        sys.stdout.flush()


PROGRESS: pytest.StashKey[ProgressLine] = pytest.StashKey()
