"""What a fitted patch detector remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.detectors.patches.neighbours import NearestNeighbours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

BANK = "bank"


class PatchMemory:
    """Remembered patches, and what else is known of each.

    Parameters
    ----------
    arrays : mapping of str to Tensor
        ``bank``, of shape (m, channels), float32; others have m rows.
    """

    def __init__(self, arrays: Mapping[str, Tensor]) -> None:
        self.arrays = arrays
        self.neighbours = NearestNeighbours(arrays[BANK])

    def __len__(self) -> int:
        return len(self.arrays[BANK])
