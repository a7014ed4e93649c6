"""One line on a terminal that says what a long fit or sweep is doing; nothing in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

INTERVAL = 0.2  # seconds between two updates
CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Callable that the evaluation tells ``(phase, done, total)``.

    Parameters
    ----------
    config : pytest.Config
        Its terminal reporter writes, past the capture of the running item.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._next = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Show ``phase done/total``, at most a few times a second, and clear it at the end."""
        now = time.monotonic()
        if done < total and now < self._next:
            return
        self._next = now + INTERVAL
        self._write(f"{CLEAR_LINE}{phase} {done}/{total} images" if done < total else CLEAR_LINE)

    def _write(self, text: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or not reporter.isatty or self._config.get_verbosity() < 0:
            return
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if capture is None:
            reporter.write(text, flush=True)
            return
        with capture.global_and_fixture_disabled():
            reporter.write(text, flush=True)
