"""Random numbers that depend on what is corrupted, never on when, where or in which order."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.random.bit_generator import ISeedSequence

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


def generator(seed: int, name: str, version: int, sample_id: str) -> np.random.Generator:
    """Return the generator of one corruption of one sample.

    Severity is not part of the key: every severity of a sample sees the same draws and scales them,
    so that severity 5 is severity 4 and more.

    Parameters
    ----------
    seed : int
        Seed of the benchmark.
    name, version : str, int
        Name and version of the corruption.
    sample_id : str
        Identifier of the sample within its split.

    Returns
    -------
    numpy.random.Generator
        A fresh counter-based Philox generator [1]_.

    References
    ----------
    .. [1] Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    # JSON quotes its strings: no two different keys share an encoding.
    encoded = json.dumps([int(seed), name, int(version), sample_id]).encode("ascii")
    key = _Key(blake2b(encoded, digest_size=16).digest())
    return np.random.Generator(np.random.Philox(cast("Any", key)))


def between(bounds: tuple[float, float], share: float) -> float:
    """Return what lies `share` (0 to 1) of the way from one bound to the other."""
    return bounds[0] + (bounds[1] - bounds[0]) * share


class _Key(ISeedSequence):
    """Hands Philox its key: given as a number, it would first ask the system for entropy."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def generate_state(
        self,
        n_words: int,  # noqa: ARG002
        dtype: DTypeLike = np.uint64,
    ) -> NDArray[Any]:
        return np.frombuffer(self._key, "<u8").astype(dtype)
