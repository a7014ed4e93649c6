"""Threads that read, corrupt and measure, always while no prediction is being timed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

SLICES_PER_WORKER = 4
MOST_WORKERS = 16


class Workers:
    """As many threads as this process has processors.

    More would only queue for the interpreter: what they run is Python around kernels of OpenCV and
    NumPy that let go of it.
    """

    def __init__(self) -> None:
        self._count = min(processors(), MOST_WORKERS)
        self._pool = ThreadPoolExecutor(self._count)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        # What is still queued after an error is not worth waiting for.
        self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[..., T], *columns: Sequence[Any]) -> list[T]:
        """Return ``function`` of every row; where several rows raise, the first one's error is."""
        n = len(columns[0])
        size = -(-n // (self._count * SLICES_PER_WORKER))
        slices = [range(start, min(start + size, n)) for start in range(0, n, max(size, 1))]

        def rows(part: range) -> list[T]:
            return [function(*(column[i] for column in columns)) for i in part]

        return [result for part in self._pool.map(rows, slices) for result in part]
