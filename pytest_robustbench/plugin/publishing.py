"""Each condition's timings in pytest-benchmark's table and JSON, by replaying them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_robustbench.evaluation.results import Latency

MS_PER_S = 1e3


class ReplayTimer:
    """A clock that shows recorded durations: every second reading is one duration later."""

    def __init__(self, seconds: tuple[float, ...]) -> None:
        self._durations = iter(seconds)
        self._now = 0.0
        self._started = False

    def __call__(self) -> float:
        """Return the time of the recorded run, in seconds."""
        if self._started:
            self._now += next(self._durations, 0.0)
        self._started = not self._started
        return self._now


def publish_timings(request: pytest.FixtureRequest, latency: Latency) -> None:
    """Hand the timings to pytest-benchmark, where it is there and not switched off.

    Measuring never runs inside its fixture: that would repeat, calibrate or skip it.
    """
    if not request.config.pluginmanager.hasplugin("benchmark") or not latency.calls:
        return
    timer = ReplayTimer(tuple(call / MS_PER_S for call in latency.calls))
    request.node.add_marker(pytest.mark.benchmark(timer=timer, group="robustness"))
    try:
        benchmark = request.getfixturevalue("benchmark")
    except pytest.skip.Exception:  # --benchmark-skip: not a reason to leave a limit unjudged
        return
    benchmark.extra_info["batch_size"] = latency.batch_size
    benchmark.pedantic(_nothing, rounds=len(latency.calls), iterations=1, warmup_rounds=0)


def _nothing() -> None:
    """Take no time of its own."""
