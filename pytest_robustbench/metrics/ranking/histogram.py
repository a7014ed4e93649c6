"""Ranking any number of pixels in fixed memory: a histogram over the bits of float32 scores.

Of the integer that orders a score (see `order`) the top 20 bits are its bin: the sign, the exponent
and 11 bits of the mantissa. So a bin is 1/4096 to 1/2048 of its scores wide, nobody has to know
their range beforehand, and the histograms of parts add up to that of the whole.

Two kinds of ties are kept apart, since real maps have them by the thousand: bins whose scores are
all the same (maps of 8 or 16 bits), and the smallest and the largest score of all (clamped maps).
Whatever else happens inside a bin is estimated, and its effect bounded, in `bins`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.metrics.ranking.bins import Bins, aupro, auroc, average_precision
from pytest_robustbench.metrics.ranking.exact import UNDEFINED, Ranking, require_limit
from pytest_robustbench.metrics.ranking.levels import bins_at_levels
from pytest_robustbench.metrics.ranking.order import ordered_bits, scores_of_bits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats

BINS = 2**20
PIECE = 2**15  # scores at a time, so that what is derived from them stays in the cache
_BITS_BELOW = 32 - 20
_LARGEST = 0x7F7FFFFF  # key of the largest finite score
# No keys of finite scores.
_UNUSED, _MIXED = np.int32(-(2**31)), np.int32(2**31 - 1)


class BinnedRanking(NamedTuple):
    """A ranking known up to an error.

    Parameters
    ----------
    ranking : Ranking
        The estimates; ``None`` where there is no defect or no background pixel.
    error : Ranking
        Bounds: no estimate differs by more from what `rank_pixels` gives for the same pixels.
        ``None`` where the estimate is.
    """

    ranking: Ranking
    error: Ranking


class ScoreHistogram:
    """Accumulates the scores of any number of images, and ranks them.

    It takes 28 MiB: for each of 2**20 bins two int64 counts, a float64 sum of overlaps, and an
    int32 that tells whether all its scores are the same. Adding takes 2 MiB more meanwhile, and
    ranking some 150 bytes for each bin in use; real maps use about ten thousand.

    The errors of the estimates are typically below 1e-5 (AUROC, AUPRO; average precision 1e-4), the
    bounds ten to a hundred times that. They are larger where most scores lie in a range that is
    narrow compared with their size, such as 1000 to 1001 or 0.9999 to 1: few bins are used there.
    The bounds hold for every input; `bins` has the proof. Pixel counts at a threshold cannot be had
    from here: they are exact numbers, and a threshold may cut a bin in two.
    """

    def __init__(self) -> None:
        self._background = np.zeros(BINS, np.int64)
        self._defect = np.zeros(BINS, np.int64)
        self._overlap = np.zeros(BINS, np.float64)
        self._regions = 0
        self._only = np.full(BINS, _UNUSED, np.int32)
        self._highest, self._lowest = _Extreme(1), _Extreme(-1)

    def add_background(self, scores: Floats) -> None:
        """Add background pixels.

        Parameters
        ----------
        scores : ndarray of shape (n,), float32
            Finite scores.
        """
        for piece in _pieces(scores.size):
            keys = ordered_bits(scores[piece])
            bins = _bins_of(keys)
            np.add.at(self._background, bins, 1)
            self._note_ties(keys, bins)
            self._note_extremes(keys, None)

    def add_defect(self, scores: Floats, regions: NDArray[np.integer]) -> None:
        """Add all defect pixels of one image, or of several: whole regions at any rate.

        Parameters
        ----------
        scores : ndarray of shape (p,), float32
            Finite scores.
        regions : ndarray of shape (p,), integer
            Which region each pixel belongs to: any numbers from 0 on that differ between the
            regions of this call; those of other calls are others. A region's area is the number of
            its pixels given here.

        Raises
        ------
        ValueError
            If `regions` does not fit `scores`.
        """
        if regions.shape != scores.shape:
            raise ValueError(f"{regions.size} region numbers, but {scores.size} defect pixels")
        areas = np.bincount(regions)
        self._regions += int(np.count_nonzero(areas))
        for piece in _pieces(scores.size):
            keys, overlap = ordered_bits(scores[piece]), 1 / areas[regions[piece]]
            bins = _bins_of(keys)
            np.add.at(self._defect, bins, 1)
            np.add.at(self._overlap, bins, overlap)
            self._note_ties(keys, bins)
            self._note_extremes(keys, overlap)

    def merge(self, other: ScoreHistogram) -> None:
        """Add all that another histogram has accumulated; it stays as it is.

        The same images give the same counts and the same known ties, in whatever order and grouping
        they are added and merged. Sums of overlaps differ in their rounding, so AUPRO may do so by
        about 1e-13; AUROC and average precision do not differ at all.
        """
        self._background += other._background
        self._defect += other._defect
        self._overlap += other._overlap
        self._regions += other._regions
        known = (self._only != _UNUSED) & (other._only != _UNUSED)
        differ = known & (self._only != other._only)
        np.copyto(self._only, other._only, where=self._only == _UNUSED)
        self._only[differ] = _MIXED
        self._highest.merge(other._highest)
        self._lowest.merge(other._lowest)

    def ranking(self, aupro_limit: float = 0.3) -> BinnedRanking:
        """Rank all pixels added so far; more may be added afterwards.

        Parameters
        ----------
        aupro_limit : float
            False positive rate up to which AUPRO is integrated, in (0, 1].

        Raises
        ------
        ValueError
            If `aupro_limit` lies outside (0, 1].
        """
        require_limit(aupro_limit)
        if not self._background.any() or not self._defect.any():
            return BinnedRanking(UNDEFINED, UNDEFINED)
        bins = self._bins()
        brackets = auroc(bins), average_precision(bins), aupro(bins, aupro_limit)
        # Both this ranking and the exact one are sums of at most a few terms per defect and bin,
        # each rounded by 2**-53 of a total that is at most 1.
        rounding = 2.0**-49 * (bins.defect.sum() + bins.defect.size + 8)
        return BinnedRanking(
            Ranking(*(min(float(each.estimate), 1.0) for each in brackets)),
            Ranking(*(float(each.error + rounding) for each in brackets)),
        )

    def levels(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return where background and defect scores lie, as `levels_of_sorted` does.

        Each is the smallest score of its bin, and so up to 1/2048 of itself too small.
        """
        return _levels(self._background), _levels(self._defect)

    def _note_ties(self, keys: NDArray[np.int32], bins: NDArray[np.intp]) -> None:
        """Remember of every bin its only key, or that there are several."""
        only = self._only.take(bins)
        news = np.flatnonzero((only != keys) & (only != _MIXED))
        if news.size == 0:  # soon the rule: most bins get mixed by the first images
            return
        only, keys, bins = only[news], keys[news], bins[news]
        unused = only == _UNUSED
        self._only[bins[unused]] = keys[unused]
        self._only[bins[self._only[bins] != keys]] = _MIXED

    def _note_extremes(self, keys: NDArray[np.int32], overlap: NDArray[np.float64] | None) -> None:
        self._highest.add(keys, overlap)
        self._lowest.add(keys, overlap)

    def _bins(self) -> Bins:
        """Return all bins in use, the extremes as bins of their own."""
        used = np.flatnonzero((self._background > 0) | (self._defect > 0))[::-1]
        tables = self._background, self._defect, self._overlap
        contents = np.stack([table[used] for table in tables]).astype(np.float64)
        tied = self._only[used] != _MIXED
        if not tied[0]:
            contents[:, 0] -= self._highest.contents
            contents = np.insert(contents, 0, self._highest.contents, axis=1)
            tied = np.insert(tied, 0, True)
        if not tied[-1]:  # it has two different scores at least, so the highest is not the lowest
            contents[:, -1] -= self._lowest.contents
            contents = np.insert(contents, tied.size, self._lowest.contents, axis=1)
            tied = np.append(tied, True)
        background, defect, overlap = contents
        return Bins(background, defect, overlap / self._regions, tied)


class _Extreme:
    """How much there is of the largest key so far, or with ``sign=-1`` of the smallest.

    `contents` is the number of background scores, that of defects, and the sum of their overlaps.
    """

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._key = -sign * math.inf
        self.contents = np.zeros(3)

    def add(self, keys: NDArray[np.int32], overlap: NDArray[np.float64] | None) -> None:
        """Add keys of background scores, or of defects with their overlaps."""
        key = int(keys.max() if self._sign > 0 else keys.min())
        if self._sign * (key - self._key) < 0:
            return
        equal = keys == key
        count = np.count_nonzero(equal)
        found = (count, 0, 0) if overlap is None else (0, count, overlap[equal].sum())
        self._meet(key, np.array(found, np.float64))

    def merge(self, other: _Extreme) -> None:
        """Add the contents of another one of the same sign."""
        self._meet(other._key, other.contents)

    def _meet(self, key: float, contents: NDArray[np.float64]) -> None:
        if self._sign * key > self._sign * self._key:
            self._key, self.contents = key, contents.copy()
        elif key == self._key:
            self.contents = self.contents + contents


def _levels(counts: NDArray[np.int64]) -> tuple[float, ...]:
    if not counts.any():
        return ()
    keys = (bins_at_levels(counts) - BINS // 2) << _BITS_BELOW
    # Below the lowest finite score its bin goes on to infinity.
    return tuple(scores_of_bits(np.maximum(keys, -_LARGEST).astype(np.int32)).tolist())


def _pieces(size: int) -> Iterator[slice]:
    return (slice(start, start + PIECE) for start in range(0, size, PIECE))


def _bins_of(keys: NDArray[np.int32]) -> NDArray[np.intp]:
    bins = keys >> _BITS_BELOW
    bins += BINS // 2
    return bins.astype(np.intp)
