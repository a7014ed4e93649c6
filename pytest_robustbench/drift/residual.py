"""What is left of a difference when the fit has been applied: more than chance, and where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.drift.spectra import band_edges, wave_edges
from pytest_robustbench.drift.traits import (
    CELLS,
    FIELD,
    GRAIN,
    PROFILES,
    QUANTILES,
    SHAPE,
    SPECTRUM,
    TOLERANCE,
    TONE,
    places,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tone": (TONE, SHAPE),
        "spectrum": (SPECTRUM,),
        "stripes": (PROFILES,),
        "grain": (GRAIN,),
        "field": (FIELD,),
    }
)
"""What is tested, each by the traits of these kinds."""
ERROR = 0.02
"""How often a fit that explains everything may be said to leave something: with that of the
estimates 5 in 100, whatever is said."""
PERMUTATIONS = 999


@dataclass(frozen=True)
class Remainder:
    """The test of one kind of traits.

    Parameters
    ----------
    kind : str
        Of `KINDS`.
    p : float
        Probability of as large a difference by chance, corrected for all kinds (Holm).
    where : str
        The trait that differs most, in words.
    """

    kind: str
    p: float
    where: str

    @property
    def unexplained(self) -> bool:
        """Whether more is left than chance leaves."""
        return self.p <= ERROR


def remainders(fitted: Matrix, after: Matrix, planes: int, nyquist: float) -> list[Remainder]:
    """Return what a fit leaves unexplained, by kind.

    The maximum mean discrepancy of two samples [1]_ against exchanges of pictures between the
    sides. The kernel is a sum over traits, each a Gaussian as wide as the median distance in it:
    one that differs is not lost among many that do not.

    Parameters
    ----------
    fitted, after : ndarray, shape (n, D)
        Traits of the pictures before, after the fit, and of those after.
    planes : int
        1 or 3.
    nyquist : float
        Of the scope.

    References
    ----------
    .. [1] Gretton et al., "A kernel two-sample test", JMLR 13, 2012; Holm, "A simple sequentially
       rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    place = places(planes)
    labels = _labels(planes, nyquist)
    tests = []
    for kind, parts in KINDS.items():
        columns = np.concatenate([np.arange(fitted.shape[1])[place[part]] for part in parts])
        tolerance = np.concatenate([np.full(len(labels[part]), TOLERANCE[part]) for part in parts])
        names = [label for part in parts for label in labels[part]]
        p, worst = _tested(fitted[:, columns], after[:, columns], tolerance)
        tests.append((kind, p, names[worst]))
    return _corrected(tests)


def _corrected(tests: Sequence[tuple[str, float, str]]) -> list[Remainder]:
    """Return the tests, each as if it were the only one."""
    ordered = sorted(tests, key=lambda test: test[1])
    found, least = [], 0.0
    for rank, (kind, p, where) in enumerate(ordered):
        least = max(least, min(1.0, p * (len(ordered) - rank)))
        found.append(Remainder(kind, least, where))
    return sorted(found, key=lambda one: list(KINDS).index(one.kind))


def _tested(fitted: Matrix, after: Matrix, tolerance: NDArray[np.float64]) -> tuple[float, int]:
    """Return the probability of a discrepancy by chance, and the trait that differs most."""
    both = np.concatenate([fitted, after])
    distance = (both[:, None] - both[None]) ** 2
    pairs = np.triu_indices(len(both), 1)
    width = np.median(distance[pairs], axis=0) + 2 * tolerance**2
    kernel = np.exp(-distance / width).mean(axis=2)
    sides = np.repeat([1 / len(fitted), -1 / len(after)], [len(fitted), len(after)])
    rng = np.random.Generator(np.random.Philox(0))
    exchanged = rng.permuted(np.tile(sides, (PERMUTATIONS, 1)), axis=1)
    found = sides @ kernel @ sides
    chance = np.einsum("pi,ij,pj->p", exchanged, kernel, exchanged, optimize=True)
    p = (1 + (chance >= found).sum()) / (1 + PERMUTATIONS)
    away = (after.mean(axis=0) - fitted.mean(axis=0)) ** 2 / width
    return float(p), int(away.argmax())


def _labels(planes: int, nyquist: float) -> Mapping[str, list[str]]:
    """Return what each trait is, in words."""
    names = ("red", "green", "blue")
    edges = band_edges(nyquist)
    sizes = [f"structures of about {1 / np.sqrt(a * b):.2g} px at 256" for a, b in pairwise(edges)]
    tone = ("mean light", "red against blue", "green against red and blue")
    stripes = [
        f"{way} stripes, about {wave:.2g} in the picture"
        for way in ("horizontal", "vertical")
        for wave in (np.sqrt(a * b) for a, b in pairwise(wave_edges()))
    ]
    return {
        TONE: list(tone[:planes]),
        SHAPE: [f"levels at {share:.0%} of the picture" for share in QUANTILES],
        FIELD: [
            f"row {row} of {CELLS}, column {column} of {CELLS}"
            for row in range(1, CELLS + 1)
            for column in range(1, CELLS + 1)
        ],
        SPECTRUM: sizes,
        GRAIN: ["all planes"] if planes == 1 else [f"the {name} plane" for name in names],
        PROFILES: stripes,
    }
