"""Images handed to `fit` one by one as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image
    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample


class TrainImages(Sequence["Image"]):
    """A sequence of (H, W, 3) uint8 RGB images, decoded when indexed.

    Every access returns a fresh writable array: a detector may do with it what it likes.

    Parameters
    ----------
    samples : sequence of Sample
        The samples, in order.
    store : PictureStore
        Decodes and caches within its memory budget.
    """

    def __init__(self, samples: Sequence[Sample], store: PictureStore) -> None:
        self._samples = samples
        self._store = store

    def __len__(self) -> int:
        return len(self._samples)

    @overload
    def __getitem__(self, index: int) -> Image: ...

    @overload
    def __getitem__(self, index: slice) -> list[Image]: ...

    def __getitem__(self, index: int | slice) -> Image | list[Image]:
        if isinstance(index, slice):
            return [self._load(sample) for sample in self._samples[index]]
        return self._load(self._samples[index])

    def _load(self, sample: Sample) -> Image:
        return np.array(self._store.load(sample).image)
