"""Thresholds from normal images, and how far they can be trusted.

A quantile near 1 is decided by the few largest scores, so only these are ever kept: of 100 million
calibration pixels and ``q = 0.999`` at most 900 thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.thresholds.upper_tail import UpperTail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.metrics.thresholds.upper_tail import Owned


ROUNDING = 1e-9
LEFT_OUT = 7
"""How many parts that carry the tail redrawn calibration images may lack."""


class ConformalThreshold(NamedTuple):
    """An image threshold with the share of good parts it is expected to reject."""

    threshold: float
    expected_false_reject_rate: float


@dataclass(frozen=True)
class TailHealth:
    """What the pixel threshold rests on.

    Parameters
    ----------
    threshold : float
        The quantile itself, exactly representable as float32.
    images, pixels : int
        Number of calibration images and of their pixels.
    images_in_tail : int
        Number of images with at least one pixel above the threshold.
    largest_share : float
        Largest share of the pixels above the threshold that the images of one part hold; 0 where
        no pixel is above it.
    largest_owner : int
        Index of the image of that part which holds most.
    without_each : tuple of float
        The threshold with the part that image 0, 1, ... shows left out; empty for a single part.
    maximum : float
        The largest score.
    ties_at_maximum : int
        Number of pixels with the largest score; many mean a clamped score scale.
    """

    threshold: float
    images: int
    pixels: int
    images_in_tail: int
    largest_share: float
    largest_owner: int
    without_each: tuple[float, ...]
    maximum: float
    ties_at_maximum: int

    @property
    def threshold_is_maximum(self) -> bool:
        """Whether no calibration pixel lies above the threshold."""
        return self.threshold == self.maximum


def normal_quantile(maps: Sequence[Floats], q: float) -> float:
    """Return the `q`-quantile of all pixels of all maps, linearly interpolated.

    It is ``numpy.quantile(pixels, q)`` of the pooled float32 pixels, bit for bit as numpy 2.4
    computes it, whichever numpy is installed: rank in float64, interpolation in float32. (Earlier
    versions round the rank to float32, or interpolate in float64.)

    Parameters
    ----------
    maps : sequence of ndarray of shape (h, w), float32
        Finite anomaly maps of normal images; shapes may differ.
    q : float
        Quantile in [0, 1].

    Returns
    -------
    float
        A value that is exactly a float32, so that ``map > threshold`` means the same in float32
        and in float64. Of n pixels at most ``ceil((1 - q) (n - 1))`` lie above it.

    Raises
    ------
    ValueError
        If there is no pixel, or `q` lies outside [0, 1].
    """
    pixels = sum(each.size for each in maps)
    depth = _position(q, pixels).depth
    tail = UpperTail(depth, len(maps))
    for owner, each in enumerate(maps):
        tail.add(_pixels(each), owner)
    return _quantile_of_tail(tail.descending().values, q, pixels)


def tail_health(maps: Sequence[Floats], q: float) -> TailHealth:
    """Return the threshold of `normal_quantile` with what it rests on.

    Parameters
    ----------
    maps : sequence of ndarray of shape (h, w), float32
        Finite anomaly maps of normal images, one per image; shapes may differ.
    q : float
        Quantile in [0, 1].

    Raises
    ------
    ValueError
        If there is no pixel, with all images or without one, or `q` lies outside [0, 1].
    """
    tail = TailAccumulator([each.size for each in maps], q)
    for owner, each in enumerate(maps):
        tail.add(owner, each)
    return tail.health()


class TailAccumulator:
    """`tail_health` of maps that are given one at a time and not kept.

    Of n pixels it keeps about ``9 (1 - q) n`` values, 5 to 8 bytes each.

    Parameters
    ----------
    sizes : sequence of int
        Number of pixels of every map.
    q : float
        Quantile in [0, 1].
    parts : ndarray of shape (n,), int64, optional
        The part that each image shows, from 0 on; by default each its own.

    Raises
    ------
    ValueError
        If `q` lies outside [0, 1].
    """

    def __init__(
        self, sizes: Sequence[int], q: float, parts: NDArray[np.int64] | None = None
    ) -> None:
        self._sizes = tuple(sizes)
        self._pixels = sum(self._sizes)
        self._q = q
        self._parts = np.arange(len(self._sizes)) if parts is None else parts
        self._of_parts = np.bincount(self._parts, self._sizes).astype(np.int64).tolist()
        # Rounding could make a part of the images need one value more than all of them do.
        counts = {self._pixels, *(self._pixels - size for size in self._of_parts)}
        depth = max(_position(q, count).depth for count in counts)
        most = int(np.bincount(self._parts).max(initial=0))
        self._tail = UpperTail(depth, len(sizes), min(LEFT_OUT * most, len(sizes)))
        self._added = np.zeros(len(self._sizes), np.bool_)
        self._maximum = -np.inf
        self._ties = 0

    def add(self, owner: int, anomaly_map: Floats) -> None:
        """Add the map of one image.

        Parameters
        ----------
        owner : int
            Index of its size in `sizes`. Any order, each exactly once.
        anomaly_map : ndarray of shape (h, w), float32
            Finite scores.

        Raises
        ------
        ValueError
            If the map is not of the size announced, or the image has been added before.
        """
        pixels = _pixels(anomaly_map)
        if pixels.size != self._sizes[owner]:
            raise ValueError(f"map {owner} has {pixels.size} pixels, not {self._sizes[owner]}")
        if self._added[owner]:
            raise ValueError(f"map {owner} has been added before")
        self._added[owner] = True
        if pixels.size:
            self._count_maximum(pixels)
            self._tail.add(pixels, owner)

    def health(self) -> TailHealth:
        """Return the threshold with what it rests on.

        Raises
        ------
        ValueError
            If a map is missing, or there is no pixel, with all images or without one.
        """
        if not self._added.all():
            raise ValueError(f"map {int(self._added.argmin())} has not been added")
        tail = self._tail.descending()
        threshold = _quantile_of_tail(tail.values, self._q, self._pixels)
        held = np.bincount(tail.owners[tail.values > threshold], minlength=len(self._sizes))
        by_part = np.bincount(self._parts, held)
        of_largest = np.where(self._parts == by_part.argmax(), held, -1)
        return TailHealth(
            threshold=threshold,
            images=len(self._sizes),
            pixels=self._pixels,
            images_in_tail=int(np.count_nonzero(held)),
            largest_share=float(by_part.max() / max(held.sum(), 1)),
            largest_owner=int(of_largest.argmax()),
            without_each=self._without_each(tail),
            maximum=self._maximum,
            ties_at_maximum=self._ties,
        )

    def largest(self) -> Owned:
        """Return the values that are kept, in descending order, with their images."""
        return self._tail.descending()

    def _count_maximum(self, pixels: Floats) -> None:
        maximum = float(pixels.max())
        if maximum > self._maximum:
            self._maximum, self._ties = maximum, 0
        if maximum == self._maximum:
            self._ties += int(np.count_nonzero(pixels == np.float32(maximum)))

    def _without_each(self, tail: Owned) -> tuple[float, ...]:
        if len(self._of_parts) == 1:
            return ()
        parts = self._parts[tail.owners]
        found = [
            _quantile_of_tail(tail.values[parts != part], self._q, self._pixels - size)
            for part, size in enumerate(self._of_parts)
        ]
        return tuple(found[part] for part in self._parts)


def conformal_threshold(
    scores: Floats, q: float, parts: NDArray[np.int64] | None = None
) -> ConformalThreshold:
    """Return the split-conformal threshold: the k-th smallest score, ``k = ceil((n + 1) q)``.

    A further normal image, exchangeable with the n given ones, exceeds it with probability
    ``(n + 1 - k) / (n + 1)`` if scores do not tie, and with less if they do. That is at most
    ``1 - q`` unless n is too small for `q`: then k is n, the threshold the largest score, and the
    expected rate ``1 / (n + 1)``.

    Images of one part are not exchangeable with those of others; parts are. Each of P parts weighs
    the same then, whatever the number of its images: the threshold is the smallest score with
    parts of weight ``(P + 1) q`` at or below it, and the image is one of a further part.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        Finite scores of normal calibration images.
    q : float
        Share of normal images that must lie at or below the threshold, in (0, 1).
    parts : ndarray of shape (n,), int64, optional
        Equal numbers for images of one part; by default each image is its own.

    Raises
    ------
    ValueError
        If there is no score, or `q` lies outside (0, 1).

    References
    ----------
    Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World; Angelopoulos and Bates
    (2023), Conformal Prediction: A Gentle Introduction, section 1. With parts: Dunn, Wasserman,
    Ramdas (2023), Distribution-Free Prediction Sets for Two-Layer Hierarchical Models, section 2.
    """
    scores = np.asarray(scores, dtype=np.float32)
    if scores.size == 0:
        raise ValueError("no calibration scores")
    if not 0 < q < 1:
        raise ValueError(f"the quantile must lie between 0 and 1, not {q!r}")
    numbers = np.arange(scores.size) if parts is None else parts
    _, of_image, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    below = np.cumsum(1 / sizes[of_image[order]])
    k = int(np.searchsorted(below, conformal_weight(sizes.size, q)))
    expected = (sizes.size + 1 - below[k]) / (sizes.size + 1)
    return ConformalThreshold(float(scores[order[k]]), float(expected))


def conformal_weight(n_parts: int, q: float) -> float:
    """Return how many of so many parts must lie at or below a threshold, less rounding errors."""
    # In floats 100 * 0.07 is 7.000000000000001, whose ceiling is 8. The decimal that the user
    # wrote, taken as a fraction, has no such error.
    return min(float((n_parts + 1) * Fraction(str(float(q)))), n_parts) - ROUNDING


class _Position(NamedTuple):
    """Where a quantile lies: `weight` of the way from the `depth`-th largest value upwards."""

    depth: int
    weight: float


def _pixels(anomaly_map: Floats) -> Floats:
    return np.asarray(anomaly_map, dtype=np.float32).ravel()


def _position(q: float, count: int) -> _Position:
    if not 0 <= q <= 1:
        raise ValueError(f"the quantile must lie between 0 and 1, not {q!r}")
    rank = (count - 1) * float(q)
    return _Position(count - floor(rank), rank - floor(rank))


def _quantile_of_tail(descending: Floats, q: float, count: int) -> float:
    """Return the quantile of `count` values, of which the largest are given."""
    if count == 0:
        raise ValueError("no calibration pixels")
    depth, weight = _position(q, count)
    lower, upper = descending[depth - 1], descending[max(depth - 2, 0)]
    # numpy's interpolation: from the nearer end, so that it never leaves [lower, upper].
    if weight < 0.5:
        return float(lower + (upper - lower) * np.float32(weight))
    return float(upper - (upper - lower) * np.float32(1 - weight))
