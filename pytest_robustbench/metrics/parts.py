"""Images put together to the parts that they show.

A part that is photographed several times is one piece of evidence: what one of its images shows,
the others show as well. So draws, exchanges and errors are over parts, and a metric that is a ratio
of sums over images is one of sums over parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """The parts that N images show.

    Parameters
    ----------
    of_image : (N,) int64
        The part of each image, from 0 to P - 1.
    strata : (P,) int64
        Equal for parts whose images have the same labels: parts are drawn within their stratum.
    """

    of_image: Numbers
    strata: Numbers

    @property
    def each_image_is_one(self) -> bool:
        """Whether no part has several images."""
        return len(self.strata) == len(self.of_image)

    def sums(self, columns: NDArray[Any]) -> Array:
        """Return the sums of what the images of each part add: ``(N, ...)`` to ``(P, ...)``."""
        found = np.zeros((len(self.strata), *columns.shape[1:]))
        np.add.at(found, self.of_image, columns)
        return found

    def members(self) -> list[NDArray[np.bool_]]:
        """Return which parts each stratum has: one ``(P,)`` mask per stratum."""
        return [self.strata == stratum for stratum in np.unique(self.strata)]

    def variance(self, weights: Array, values: Array) -> Array:
        """Return the variance of a sum over parts that are drawn within their strata.

        Parameters
        ----------
        weights : (R, P) float64
            How often each draw holds each part.
        values : (R, P) float64
            What the part adds, once.

        Returns
        -------
        (R,) float64
            With n parts in a stratum, ``n / (n - 1)`` times their sum of squares about the mean.
        """
        found = np.zeros(len(weights))
        for members in self.members():
            n, drawn, part = max(int(members.sum()), 2), weights[:, members], values[:, members]
            squares = (drawn * part**2).sum(axis=1) - (drawn * part).sum(axis=1) ** 2 / n
            found += n / (n - 1) * np.maximum(squares, 0)
        return found


def group_numbers(*namings: Sequence[str | None]) -> Numbers:
    """Return a number for every image, from 0 on: equal ones for those that share any name.

    Parameters
    ----------
    *namings : sequence of str or None, each of length N
        What the images are called, in ways that have nothing to do with each other; an image
        without a name shares it with none.

    Returns
    -------
    (N,) int64
        Two images that share no name have equal numbers if a third one shares one with each.
    """
    ways = [_numbered(naming) for naming in namings]
    found, before = np.arange(len(namings[0])), None
    while before is None or (found != before).any():
        before = found
        for way in ways:
            least = np.full(len(found), len(found))
            np.minimum.at(least, way, found)
            found = least[way]
    return np.unique(found, return_inverse=True)[1].astype(np.int64).ravel()


def _numbered(names: Sequence[str | None]) -> Numbers:
    """Return equal numbers for equal names, and one of its own for ``None``."""
    numbers: dict[object, int] = {}
    keys = (name if name is not None else place for place, name in enumerate(names))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def parts_of(labels: Numbers, groups: Numbers) -> Parts:
    """Return the parts of images.

    Parameters
    ----------
    labels : (N,) int64
        1 = defective, 0 = good.
    groups : (N,) int64
        Equal numbers show one part.
    """
    names, of_image = np.unique(groups, return_inverse=True)
    kinds = np.zeros((len(names), 2), np.int64)
    kinds[of_image, np.where(labels == 1, 1, 0)] = 1
    return Parts(np.asarray(of_image, np.int64).ravel(), kinds @ np.array([1, 2]))
