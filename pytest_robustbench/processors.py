"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use, as ``quota period``, or ``max period``; Linux with cgroups 2."""


def processors() -> int:
    """Return this process's share of the processors left by affinity and a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    return max(1, min(available, _quota(available)) // _workers())


def _workers() -> int:
    """Return how many workers of one pytest-xdist run share the processors."""
    count = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    return max(1, int(count)) if count.isdecimal() else 1


def _quota(otherwise: int) -> int:
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return otherwise
    # Threads beyond the quota would use it up just before a prediction is timed.
    return otherwise if quota == "max" else round(int(quota) / int(period))
