"""One line on a terminal that says what a long fit or sweep is doing; nothing in a log."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from pytest_robustbench.plugin.stash import LEDGER
from pytest_robustbench.plugin.terminal.pace import Pace, Turn, told

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_robustbench.plugin.results.run_results import Ledger

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
    clock : callable
        Returns seconds.
    """

    def __init__(self, config: pytest.Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._next = 0.0
        self._shown = ""

    def of(self, benchmark: str) -> Progress:
        """Return a callable that the evaluation of `benchmark` tells ``(phase, done, total)``."""
        return partial(self._tell, benchmark, Pace(self._clock))

    def clear(self) -> None:
        """Leave the terminal as if there had been no line."""
        if self._shown:
            self._shown, self._next = "", 0.0
            self._write("")

    def _tell(self, benchmark: str, pace: Pace, phase: str, done: int, total: int) -> None:
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
        self._write(told(step, width, benchmark if self._is_one_of_several else ""))

    @property
    def _ledger(self) -> Ledger | None:
        return self._config.stash.get(LEDGER, None)

    @property
    def _is_one_of_several(self) -> bool:
        return self._ledger is not None and len(self._ledger.accounts) > 1

    def _turn(self, benchmark: str, condition: str) -> Turn | None:
        """Return how many of the benchmark's selected conditions are known, with this one."""
        account = self._ledger.accounts.get(benchmark) if self._ledger else None
        if account is None or condition not in account.selected:
            return None
        known = account.selected.intersection(account.records) - {condition}
        return Turn(len(known) + 1, len(account.selected))

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
        """Write to the next line and come back, so that pytest goes on with its dots."""
        writer = self._config.get_terminal_writer()
        column = writer.width_of_current_line % writer.fullwidth
        right = f"\x1b[{column}C" if column else ""
        writer.write_raw(f"\n{CLEAR}{text}{UP}{right}", flush=True)
