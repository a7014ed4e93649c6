"""The order of float32 scores, as integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats

_MAGNITUDE = np.int32(2**31 - 1)
_INDEX_BITS = 32


def ordered_bits(scores: Floats) -> NDArray[np.int32]:
    """Return integers that compare exactly as the scores do.

    The bit pattern of a float32 is a sign bit and a magnitude that, read as an integer, grows with
    that of the number. So the magnitude with the sign as that of an integer is in order, and -0.0
    and 0.0 are both 0.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        Finite scores.
    """
    bits = np.ascontiguousarray(scores, dtype=np.float32).view(np.int32)
    if bits.size == 0 or bits.min() >= 0:  # most anomaly maps
        return bits
    # Without a branch: ``x ^ -1`` is ``-x - 1``, ``x ^ 0`` is x.
    sign = bits >> 31
    keys: NDArray[np.int32] = bits & _MAGNITUDE
    keys ^= sign
    keys -= sign
    return keys


def scores_of_bits(keys: NDArray[np.int32]) -> Floats:
    """Return the scores that `ordered_bits` has made integers of; -0.0 comes back as 0.0.

    Parameters
    ----------
    keys : ndarray of shape (n,), int32
        Integers of `ordered_bits`.
    """
    magnitude = np.where(keys < 0, -keys, keys).astype(np.int32).view(np.float32)
    scores: Floats = np.where(keys < 0, -magnitude, magnitude)
    return scores


def stable_argsort(scores: Floats) -> NDArray[np.int64]:
    """Return the indices that sort fewer than 2**32 scores, equal ones in order of their index.

    Score and index sorted as one integer: several times faster than numpy's own stable sort.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        Finite scores.
    """
    packed = ordered_bits(scores).astype(np.int64)
    packed <<= _INDEX_BITS
    packed |= np.arange(packed.size)
    packed.sort()
    packed &= 2**_INDEX_BITS - 1
    return packed
