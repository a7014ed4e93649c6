"""The pictures of one side, decoded when they are looked at, on all processors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pytest_robustbench.corruptions.built_in.jpeg import recoded
from pytest_robustbench.corruptions.pixels.sizes import scale_of
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.drift.change import imitated, light_in
from pytest_robustbench.drift.shift import plane_of
from pytest_robustbench.drift.traits import SMALL, clipped_share, traits
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.datasets.split import Sample
    from pytest_robustbench.drift.change import Change
    from pytest_robustbench.drift.traits import Scope

    Matrix = NDArray[np.float64]
    Found = TypeVar("Found")


BUDGET = 1 << 29
"""Bytes of decoded pictures that a side keeps; others are decoded each time."""


class Side:
    """Pictures before, or after.

    Parameters
    ----------
    samples : sequence of Sample
        Good parts.
    response : str
        Of the camera.

    Raises
    ------
    DatasetError
        If a picture cannot be read.
    """

    def __init__(self, samples: Sequence[Sample], response: str) -> None:
        self._samples = samples
        self._store = PictureStore(budget_bytes=BUDGET)
        self.colour = not all(self._each(lambda i: self._store.load(samples[i]).gray))
        self.clipped = float(np.mean(self._each(lambda i: clipped_share(self.pixels(i)))))
        shapes = self._each(lambda i: self.pixels(i).shape)
        if min(map(min, (shape[:2] for shape in shapes))) < SMALL:
            raise DatasetError(
                f"a picture of {samples[0].id} and its like is smaller than {SMALL} pixels: take "
                "pictures as the camera gives them"
            )
        scales = [scale_of(shape) for shape in shapes]
        self.light = self._each(lambda i: float(light_in(self.pixels(i), response).mean()))
        self.scale, self.least_scale = float(np.median(scales)), min(scales)

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self._samples)

    def pixels(self, index: int) -> Image:
        """Return a picture: ``(H, W)`` where all of the side are gray, else ``(H, W, 3)``."""
        image = self._store.load(self._samples[index]).image
        return image if self.colour else np.ascontiguousarray(image[..., 0])

    def traits(self, scope: Scope, quality: int | None) -> Matrix:
        """Return the traits of all pictures, written once more as JPEG where `quality` says so."""
        found = self._each(lambda i: traits(_coarse(self.pixels(i), quality), scope))
        return np.stack(found)

    def imitated(
        self, change: Change, which: Iterable[int], scope: Scope, quality: int | None
    ) -> Matrix:
        """Return the traits of some pictures after a change."""

        def look(index: int) -> NDArray[np.float64]:
            drifted = imitated(self.pixels(index), change, scope.response, seed=index)
            return traits(_coarse(drifted, quality), scope)

        return np.stack(self._each(look, which))

    def planes(self, response: str) -> list[NDArray[np.float32]]:
        """Return the pictures as a shift is looked for in them."""
        return self._each(lambda i: plane_of(self.pixels(i), response))

    def _each(
        self, work: Callable[[int], Found], which: Iterable[int] | None = None
    ) -> list[Found]:
        with ThreadPoolExecutor(processors()) as pool:
            return list(pool.map(work, range(self.count) if which is None else map(int, which)))


@dataclass(frozen=True, eq=False)
class Imitated:
    """Pictures before, as a fit asks for them.

    Parameters
    ----------
    side : Side
        The pictures.
    scope : Scope
        What they are looked at in.
    quality : int, optional
        JPEG quality at which they are written after the change.
    """

    side: Side
    scope: Scope
    quality: int | None

    @property
    def count(self) -> int:
        """How many there are."""
        return self.side.count

    def __call__(self, change: Change, which: NDArray[np.intp]) -> Matrix:
        """Return the traits ``(n, D)`` of some of them, after a change."""
        return self.side.imitated(change, which.tolist(), self.scope, self.quality)


def _coarse(pixels: Image, quality: int | None) -> Image:
    return pixels if quality is None else recoded(pixels, quality)
