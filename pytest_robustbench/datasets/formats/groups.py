"""Groups of samples that show one part, kept together when a test part is drawn."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_FRACTION = 0.2


def drawn_groups(groups: Sequence[str], fraction: float, seed: int) -> frozenset[str]:
    """Draw whole groups at random, until they hold `fraction` of all samples.

    At least one group is drawn and at least one is not; of a single group, none is drawn.

    Parameters
    ----------
    groups : sequence of str
        The group of each sample. Their order plays no part.
    fraction : float
        Share of the samples, between 0 and 1.
    seed : int
        Seed of the draw.

    Raises
    ------
    DatasetError
        If `fraction` does not lie between 0 and 1.
    """
    import numpy as np

    if not 0 < fraction < 1:
        raise DatasetError(f"test_fraction lies between 0 and 1, not {fraction!r}")
    sizes = Counter(groups)
    names = sorted(sizes)
    shuffled = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    wanted = math.ceil(len(groups) * fraction)
    before = accumulate((sizes[name] for name in shuffled), initial=0)
    return frozenset(
        name for name, held in zip(shuffled[:-1], before, strict=False) if held < wanted
    )
