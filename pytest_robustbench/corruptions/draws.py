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
    key = _Key(int(seed), name, int(version), sample_id)
    return np.random.Generator(np.random.Philox(cast("Any", key)))


def sibling(rng: np.random.Generator, name: str, version: int) -> np.random.Generator:
    """Return the generator of another corruption of the sample that `rng` is for.

    Raises
    ------
    TypeError
        If `rng` does not come from `generator`.
    """
    key = rng.bit_generator.seed_seq
    if not isinstance(key, _Key):
        raise TypeError("rng is not keyed by a sample")
    return generator(key.seed, name, version, key.sample_id)


def between(bounds: tuple[float, float], share: float) -> float:
    """Return what lies `share` (0 to 1) of the way from one bound to the other."""
    return bounds[0] + (bounds[1] - bounds[0]) * share


class _Key(ISeedSequence):
    """Hands Philox its key: given as a number, it would first ask the system for entropy."""

    def __init__(self, seed: int, name: str, version: int, sample_id: str) -> None:
        self.seed = seed
        self.sample_id = sample_id
        # JSON quotes its strings: no two different keys share an encoding.
        encoded = json.dumps([seed, name, version, sample_id]).encode("ascii")
        self._key = blake2b(encoded, digest_size=16).digest()

    def generate_state(
        self,
        n_words: int,  # noqa: ARG002
        dtype: DTypeLike = np.uint64,
    ) -> NDArray[Any]:
        return np.frombuffer(self._key, "<u8").astype(dtype)
