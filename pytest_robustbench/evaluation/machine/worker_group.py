"""Other processes of the same run on this host: who may compute when, and who does what once.

Workers of one run share the processors. A prediction that is timed must have them alone, so each of
the others holds a read lock while it computes, and who times takes the write lock. What takes long
and comes out the same everywhere, such as fitting, is done by the first that asks for it.
"""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from pytest_robustbench.errors import NotMeasurableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import ReadWriteLock

T = TypeVar("T")

PATIENCE_S = 1800.0
"""How long one waits for the others: another benchmark's `fit` is a single call of its detector."""
ATTEMPT_S, PAUSE_S = 1.0, 0.25
"""How long one attempt to have the machine alone may hold up the others, and the pause after it."""
TIMED_SHARE = 0.1
"""Of the images, where the others have to stand still while one is timed."""


class NotQuietError(NotMeasurableError):
    """The other processes did not stand still in time."""


class WorkerDiedError(NotMeasurableError):
    """Another process of the run has begun the same, and did not live to end it."""


class WorkerGroup(Protocol):
    """The other processes of the run on this host, as one of them sees them."""

    def computing(self) -> AbstractContextManager[None]:
        """Compute while others do, but not while one of them times; never hold it for long."""
        ...

    def quiet(self) -> AbstractContextManager[None]:
        """Compute alone."""
        ...

    def timed_calls(self, n_images: int, batch_size: int) -> int:
        """Return how many calls with whole batches are to be timed."""
        ...

    def once(
        self,
        name: str,
        make: Callable[[], T],
        write: Callable[[T, Path], None],
        read: Callable[[Path], T],
    ) -> T:
        """Make something, or read what another process has made."""
        ...


class SingleProcess:
    """The only process of its run: nobody to wait for, and every call is timed."""

    def computing(self) -> AbstractContextManager[None]:
        """Compute."""
        return nullcontext()

    def quiet(self) -> AbstractContextManager[None]:
        """Compute."""
        return nullcontext()

    def timed_calls(self, n_images: int, batch_size: int) -> int:
        """Return the number of whole batches."""
        return n_images // batch_size

    def once(
        self,
        name: str,  # noqa: ARG002
        make: Callable[[], T],
        write: Callable[[T, Path], None],  # noqa: ARG002
        read: Callable[[Path], T],  # noqa: ARG002
    ) -> T:
        """Make it."""
        return make()


@dataclass
class WorkersOnHost:
    """Several processes of one run that share a folder.

    Parameters
    ----------
    folder : Path
        Of the whole run on this host, private to its user.
    benchmark : Path
        Of one benchmark, within `folder`.
    patience : float
        Seconds to wait for the others.
    """

    folder: Path
    benchmark: Path
    patience: float = PATIENCE_S
    _lock: ReadWriteLock | None = field(default=None, repr=False)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Compute while others do, but not while one of them times.

        Raises
        ------
        NotQuietError
            If one of them goes on timing for longer than anyone can wait.
        """
        with self._held(lambda lock: lock.acquire_read(timeout=self.patience)):
            yield

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Compute alone.

        Raises
        ------
        NotQuietError
            If the others go on computing for longer than anyone can wait.
        """
        with self._held(self._acquire_alone):
            yield

    def timed_calls(self, n_images: int, batch_size: int) -> int:
        """Return how many calls with whole batches are a tenth of the images, but at least one."""
        whole = n_images // batch_size
        return min(whole, max(1, int(TIMED_SHARE * n_images / batch_size)))

    def once(
        self,
        name: str,
        make: Callable[[], T],
        write: Callable[[T, Path], None],
        read: Callable[[Path], T],
    ) -> T:
        """Let the first process that asks make something, and the others read it.

        Parameters
        ----------
        name : str
            Of a file in the benchmark's folder.
        make : callable
            Makes it. Where it raises, the next process tries again; where its process dies, none
            does.
        write, read : callable
            Write it to a path, and read it from there.

        Raises
        ------
        WorkerDiedError
            If a process died while making it.
        """
        from filelock import FileLock

        self.benchmark.mkdir(parents=True, exist_ok=True)
        path = self.benchmark / name
        with FileLock(path.with_name(f"{name}.lock")):
            if path.exists():
                return read(path)
            made = self._made(path.with_name(f"{name}.begun"), make)
            # A full disk costs the others their share, and not this one what it has made.
            with suppress(OSError):
                unfinished = path.with_name(f"{name}.tmp")
                write(made, unfinished)
                os.replace(unfinished, path)  # noqa: PTH105  (the name says what it is for)
            return made

    def _made(self, begun: Path, make: Callable[[], T]) -> T:
        """Make something, unless making it has killed a process before: it would kill this one."""
        if begun.exists():
            what = begun.name.partition(".")[0]
            raise WorkerDiedError(
                f"a worker of this run died over this ({what}); it is not tried again"
            )
        begun.touch()
        try:
            return make()
        finally:
            begun.unlink()

    @contextmanager
    def _held(self, acquire: Callable[[ReadWriteLock], object]) -> Iterator[None]:
        from filelock import ReadWriteLock, Timeout

        if self._lock is None:
            self._lock = ReadWriteLock(self.folder / "quiet.lock", is_singleton=False)
        try:
            acquire(self._lock)
        except Timeout:
            raise NotQuietError(
                "latency cannot be measured: the other workers of this run left no quiet moment "
                f"within {self.patience:.0f} s; run in one process (-n 0)"
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    def _acquire_alone(self, lock: ReadWriteLock) -> None:
        """Ask again and again, for a short while each: who waits keeps the others from working.

        So a long fit of one worker holds up the one that wants to time, and nobody else.
        """
        from filelock import Timeout

        deadline = time.monotonic() + self.patience
        while time.monotonic() + ATTEMPT_S + PAUSE_S < deadline:
            with suppress(Timeout):
                lock.acquire_write(timeout=ATTEMPT_S)
                return
            time.sleep(PAUSE_S)
        lock.acquire_write(timeout=min(ATTEMPT_S, self.patience))
