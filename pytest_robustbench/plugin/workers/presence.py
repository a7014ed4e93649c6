"""Whether the processes of a run are alive: each holds a lock beside its journal.

The operating system lets go of the lock when the process ends, whatever ends it: numbers of
processes repeat, in containers above all, and a file alone says nothing.
"""

from __future__ import annotations

import hashlib
import platform
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

SUFFIX = ".lock"
STALE_S = 24 * 3600.0
"""From this age on a run is taken for dead whose locks this host cannot judge."""


class Presence:
    """What one process holds while it is there, for each of its journals."""

    def __init__(self) -> None:
        self._locks: dict[Path, BaseFileLock] = {}

    def begin(self, journal: Path) -> None:
        """Hold the lock of a journal from now on; a file system without locks has none."""
        if journal in self._locks:
            return
        from filelock import FileLock, Timeout

        lock = FileLock(journal.parent / f"{journal.stem}-{_host()}{SUFFIX}")
        self._locks[journal] = lock
        with suppress(OSError, NotImplementedError, Timeout):
            journal.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)

    def end(self) -> None:
        """Let go."""
        for lock in self._locks.values():
            with suppress(OSError):
                lock.release(force=True)


def may_be_alive(folder: Path) -> bool:
    """Return whether a process may still write to the journals of a run.

    A lock that is held says so on every host; one that is free says the contrary on its own host
    alone: not every shared folder hands locks on. What no lock decides is taken for dead a day
    after the last word.
    """
    locks = list(folder.glob(f"*{SUFFIX}"))
    held = [_is_held(path) for path in locks]
    if any(held):
        return True
    own = all(path.stem.endswith(f"-{_host()}") for path in locks)
    is_known = bool(locks) and own and None not in held
    return not is_known and time.time() - _last_word(folder) < STALE_S


def _is_held(path: Path) -> bool | None:
    """Return whether a lock is held; ``None`` where that cannot be found out."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except NotImplementedError:
        return None
    except (Timeout, RuntimeError):  # the latter where this very process holds it
        return True
    except OSError:
        return None


def _last_word(folder: Path) -> float:
    times = [0.0]
    for path in (folder, *folder.iterdir()):
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)


def _host() -> str:
    return hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
