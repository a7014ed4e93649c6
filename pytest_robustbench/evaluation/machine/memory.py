"""Peak memory of the host and of CUDA devices while a benchmark is worked on."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.evaluation.results import PeakMemory

if TYPE_CHECKING:
    from collections.abc import Iterable

PROCESS = Path("/proc/self")
RESTART = "5"  # sets the high-water mark of the resident set back to what is resident now
HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class MemoryWatch:
    """Watches memory from its making on.

    The marks of Linux and of CUDA are set back then. Where a system has no mark that can be set
    back, the peak is that of the whole process so far: never too small.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            (PROCESS / "clear_refs").write_text(RESTART, encoding="ascii")
        for device, cuda in _cuda_devices():
            cuda.reset_peak_memory_stats(device)

    def peak(self) -> PeakMemory:
        """Return the peaks so far."""
        devices = [int(cuda.max_memory_allocated(device)) for device, cuda in _cuda_devices()]
        return PeakMemory(_host_peak(), max(devices, default=None))


def _host_peak() -> int | None:
    with suppress(OSError):
        found = HIGH_WATER.search((PROCESS / "status").read_text(encoding="ascii"))
        if found:
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cuda_devices() -> Iterable[tuple[int, Any]]:
    # Looked up, not imported: a detector that does not use torch must not pay for it.
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return []
    return [(device, torch.cuda) for device in range(torch.cuda.device_count())]
