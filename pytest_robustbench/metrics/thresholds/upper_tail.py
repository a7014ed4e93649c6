"""The largest values of many images, kept without the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats


class Owned(NamedTuple):
    """Values, and the number of the image that each comes from."""

    values: Floats
    owners: NDArray[np.unsignedinteger]


class UpperTail:
    """Keeps enough to tell the `depth` largest values of all images, and of all but a few.

    Whatever an image has among the `depth` largest values of several images lies among its own
    `depth` largest. So no more than these are taken of each image, and of all that was taken the
    ``(1 + left_out) * depth`` largest are kept. Leaving out an image then takes away `depth` values
    at most, and the `depth` largest of the others remain. Which of several equal values are cut off
    makes no difference: those that remain are the same.

    Parameters
    ----------
    depth : int
        Number of values wanted.
    images : int
        Number of images.
    left_out : int
        How many of them may be left out.
    """

    def __init__(self, depth: int, images: int, left_out: int = 1) -> None:
        self._depth = depth
        self._kept = (1 + left_out) * depth
        self._entry = np.float32(-np.inf)
        self._parts: list[Owned] = []
        self._size = 0
        self._owner_type = np.min_scalar_type(max(images - 1, 0))

    def add(self, values: Floats, owner: int) -> None:
        """Add all values, of shape (n,), of the image with this number."""
        values = values[values > self._entry]
        if values.size > self._depth:
            values = np.partition(values, -self._depth)[-self._depth :].copy()  # free the rest
        self._append(Owned(values, np.full(values.size, owner, self._owner_type)))
        if (
            self._size > self._kept + self._depth
        ):  # not at each image, so that the work stays linear
            self._shrink()

    def descending(self) -> Owned:
        """Return the values that are kept, or all there are, in descending order."""
        values, owners = self._joined()
        order = np.argsort(values)[::-1][: self._kept]
        return Owned(values[order], owners[order])

    def _append(self, part: Owned) -> None:
        self._parts.append(part)
        self._size += part.values.size

    def _shrink(self) -> None:
        values, owners = self._joined()
        kept = np.argpartition(values, -self._kept)[-self._kept :]
        self._parts, self._size = [], 0
        self._append(Owned(values[kept], owners[kept]))
        self._entry = self._parts[0].values.min()

    def _joined(self) -> Owned:
        empty = Owned(np.empty(0, np.float32), np.empty(0, self._owner_type))
        values, owners = zip(empty, *self._parts, strict=True)
        return Owned(np.concatenate(values), np.concatenate(owners))
