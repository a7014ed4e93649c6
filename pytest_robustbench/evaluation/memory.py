"""Peak memory of the host and of CUDA devices while a benchmark is worked on."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.evaluation.results import PeakMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    Bytes = Callable[[], "int | None"]

STATM = Path("/proc/self/statm")


@dataclass
class Gauge:
    """The largest value that something had while it was watched.

    Resetting the operating system's or CUDA's own high-water mark would spoil what others measure
    with it. So nothing is reset: where the mark rises it is the answer, exactly; where it does not,
    the largest of the samples is.

    Parameters
    ----------
    now : callable
        Bytes in use, or ``None`` where that cannot be told.
    mark : callable
        Largest number of bytes ever in use, or ``None``.
    """

    now: Bytes
    mark: Bytes
    peak: int | None = None
    _mark_before: int | None = field(init=False)

    def __post_init__(self) -> None:
        self._mark_before = self.mark()
        self.sample()

    def sample(self) -> None:
        """Look once."""
        mark = self.mark()
        risen = mark is not None and mark != self._mark_before
        seen = mark if risen else self.now()
        self.peak = max((b for b in (self.peak, seen) if b is not None), default=None)


class MemoryWatch:
    """Watches host and device; take a sample wherever much is held at once."""

    def __init__(self) -> None:
        self._host = Gauge(_host_now, _host_mark)
        self._device = Gauge(_device_now, _device_mark)

    def sample(self) -> None:
        """Look once."""
        self._host.sample()
        self._device.sample()

    def peak(self) -> PeakMemory:
        """Return the peaks so far."""
        self.sample()
        return PeakMemory(self._host.peak, self._device.peak)


def _host_now() -> int | None:
    """Return the resident set; Linux alone tells it for free."""
    try:
        pages = int(STATM.read_text(encoding="ascii").split()[1])
    except OSError:
        return _host_mark()
    return pages * os.sysconf("SC_PAGE_SIZE")


def _host_mark() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _device_now() -> int | None:
    return _largest_on_cuda("memory_allocated")


def _device_mark() -> int | None:
    return _largest_on_cuda("max_memory_allocated")


def _largest_on_cuda(statistic: str) -> int | None:
    # Looked up, not imported: a detector that does not use torch must not pay for it.
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    devices = range(torch.cuda.device_count())
    largest: int = max(getattr(torch.cuda, statistic)(i) for i in devices)
    return largest
