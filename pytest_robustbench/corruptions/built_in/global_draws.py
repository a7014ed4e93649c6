"""Code that draws from the generators of the process: seeded for it, and put back after it."""

from __future__ import annotations

import random
import sys
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

# These generators belong to the whole process, and so does the lock on them.
_ONE_AT_A_TIME = RLock()


@contextmanager
def seeded(seed: int) -> Iterator[int]:
    """Seed the global generators of Python, NumPy and (where it is loaded) torch on the CPU.

    They are left as they were found. Code inside runs in one thread at a time; a thread that draws
    from them without asking here can still disturb it.

    Parameters
    ----------
    seed : int
        0 to ``2 ** 32 - 1``.

    Yields
    ------
    int
        `seed`.
    """
    torch = sys.modules.get("torch")
    with _ONE_AT_A_TIME:
        python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
        tensors = torch.default_generator.get_state() if torch else None
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            if torch:
                torch.default_generator.manual_seed(seed)
            yield seed
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
            if torch:
                torch.default_generator.set_state(tensors)
