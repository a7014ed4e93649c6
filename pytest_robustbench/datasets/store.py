"""Decoded pictures, kept within a memory budget."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.picture import read_picture

if TYPE_CHECKING:
    from pytest_robustbench.datasets.picture import Picture
    from pytest_robustbench.datasets.split import Sample


class PictureStore:
    """Decodes samples when they are asked for, and remembers the latest ones; thread-safe.

    Parameters
    ----------
    resize : (int, int), optional
        Height and width of every picture.
    budget_bytes : int
        Bytes the remembered arrays may occupy together; those used longest ago are dropped first.
        With 0 nothing is remembered.
    """

    def __init__(self, resize: tuple[int, int] | None = None, budget_bytes: int = 1 << 30) -> None:
        self._resize = resize
        self._budget = budget_bytes
        self._kept: OrderedDict[Sample, Picture] = OrderedDict()
        self._used = 0
        self._lock = Lock()

    @property
    def used_bytes(self) -> int:
        """Bytes the remembered arrays occupy."""
        return self._used

    def load(self, sample: Sample) -> Picture:
        """Return the picture of `sample`.

        Raises
        ------
        DatasetError
            If it cannot be decoded; see `read_picture`.
        """
        with self._lock:
            if sample in self._kept:
                self._kept.move_to_end(sample)
                return self._kept[sample]
        # Outside the lock: decoding is the slow part, and OpenCV lets other threads run meanwhile.
        picture = read_picture(sample, self._resize)
        with self._lock:
            self._keep(sample, picture)
        return picture

    def _keep(self, sample: Sample, picture: Picture) -> None:
        if sample in self._kept or picture.nbytes > self._budget:
            return
        self._kept[sample] = picture
        self._used += picture.nbytes
        while self._used > self._budget:
            _, dropped = self._kept.popitem(last=False)
            self._used -= dropped.nbytes
