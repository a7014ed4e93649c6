"""Thresholds from normal images, and how far they can be trusted.

A quantile near 1 is decided by the few largest scores, so only these are ever kept: of 100 million
calibration pixels and ``q = 0.999`` some 200 thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats


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
        Largest share of the pixels above the threshold that one image holds; 0 where no pixel is
        above it.
    largest_owner : int
        Index of that image.
    without_each : tuple of float
        The threshold with image 0, 1, ... left out; empty for a single image.
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
    pixels = _pixel_count(maps)
    tail = _upper_tail(maps, _position(q, pixels).depth)
    return _quantile_of_tail(tail.values, q, pixels)


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
        If there is no pixel, or `q` lies outside [0, 1].
    """
    pixels = _pixel_count(maps)
    # Twice the needed depth: then every image that holds less than half of it can be left out
    # without another look at the maps.
    tail = _upper_tail(maps, min(2 * _position(q, pixels).depth, pixels))
    threshold = _quantile_of_tail(tail.values, q, pixels)
    held = np.bincount(tail.owners[tail.values > threshold], minlength=len(maps))
    maximum = tail.values[0]
    return TailHealth(
        threshold=threshold,
        images=len(maps),
        pixels=pixels,
        images_in_tail=int(np.count_nonzero(held)),
        largest_share=float(held.max() / max(held.sum(), 1)),
        largest_owner=int(held.argmax()),
        without_each=_without_each(maps, q, tail),
        maximum=float(maximum),
        ties_at_maximum=sum(int(np.count_nonzero(each == maximum)) for each in maps),
    )


def conformal_threshold(scores: Floats, q: float) -> ConformalThreshold:
    """Return the split-conformal threshold: the k-th smallest score, ``k = ceil((n + 1) q)``.

    A further normal image, exchangeable with the n given ones, exceeds it with probability
    ``(n + 1 - k) / (n + 1)`` if scores do not tie, and with less if they do. That is at most
    ``1 - q`` unless n is too small for `q`: then k is n, the threshold the largest score, and the
    expected rate ``1 / (n + 1)``.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        Finite scores of normal calibration images.
    q : float
        Share of normal images that must lie at or below the threshold, in (0, 1).

    Raises
    ------
    ValueError
        If there is no score, or `q` lies outside (0, 1).

    References
    ----------
    Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World; Angelopoulos and Bates
    (2023), Conformal Prediction: A Gentle Introduction, section 1.
    """
    scores = np.asarray(scores, dtype=np.float32)
    n = scores.size
    if n == 0:
        raise ValueError("no calibration scores")
    if not 0 < q < 1:
        message = f"the quantile must lie between 0 and 1, not {q!r}"
        raise ValueError(message)
    # In floats 100 * 0.07 is 7.000000000000001, whose ceiling is 8. The decimal that the user
    # wrote, taken as a fraction, has no such error.
    k = min(n, ceil((n + 1) * Fraction(str(float(q)))))
    return ConformalThreshold(float(np.partition(scores, k - 1)[k - 1]), (n + 1 - k) / (n + 1))


class _Position(NamedTuple):
    """Where a quantile lies: `weight` of the way from the `depth`-th largest value upwards."""

    depth: int
    weight: float


class _Tail(NamedTuple):
    """The largest pixels in descending order, and the image each comes from."""

    values: Floats
    owners: NDArray[np.intp]


def _pixel_count(maps: Sequence[Floats]) -> int:
    pixels = sum(each.size for each in maps)
    if pixels == 0:
        raise ValueError("no calibration pixels")
    return pixels


def _position(q: float, count: int) -> _Position:
    if not 0 <= q <= 1:
        message = f"the quantile must lie between 0 and 1, not {q!r}"
        raise ValueError(message)
    rank = (count - 1) * float(q)
    return _Position(count - floor(rank), rank - floor(rank))


def _quantile_of_tail(descending: Floats, q: float, count: int) -> float:
    """Return the quantile of `count` values, of which the largest are given."""
    depth, weight = _position(q, count)
    lower, upper = descending[depth - 1], descending[max(depth - 2, 0)]
    # numpy's interpolation: from the nearer end, so that it never leaves [lower, upper].
    if weight < 0.5:
        return float(lower + (upper - lower) * np.float32(weight))
    return float(upper - (upper - lower) * np.float32(1 - weight))


def _upper_tail(maps: Sequence[Floats], count: int) -> _Tail:
    """Return the `count` largest pixels; which of several equal ones at the cut is left open."""
    tail = _Tail(np.empty(0, np.float32), np.empty(0, np.intp))
    entry = -np.inf
    for owner, each in enumerate(maps):
        pixels = np.asarray(each, dtype=np.float32).ravel()
        pixels = pixels[pixels > entry]
        tail = _Tail(
            np.concatenate([tail.values, pixels]),
            np.concatenate([tail.owners, np.full(pixels.size, owner)]),
        )
        if tail.values.size >= 2 * count:
            tail = _taken(tail, np.argpartition(tail.values, -count)[-count:])
            entry = tail.values.min()
    return _taken(tail, np.argsort(tail.values)[::-1][:count])


def _taken(tail: _Tail, indices: NDArray[np.intp]) -> _Tail:
    return _Tail(tail.values[indices], tail.owners[indices])


def _without_each(maps: Sequence[Floats], q: float, tail: _Tail) -> tuple[float, ...]:
    if len(maps) == 1:
        return ()
    return tuple(_without(maps, q, tail, owner) for owner in range(len(maps)))


def _without(maps: Sequence[Floats], q: float, tail: _Tail, owner: int) -> float:
    others = [each for index, each in enumerate(maps) if index != owner]
    count = _pixel_count(others)
    kept = tail.values[tail.owners != owner]
    if kept.size >= _position(q, count).depth:
        return _quantile_of_tail(kept, q, count)
    # This image holds most of the tail: what lies below it was not kept.
    return normal_quantile(others, q)
