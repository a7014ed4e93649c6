"""Where the defects of the test images are, found once for all conditions that leave them there."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.regions import label_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Mask


@dataclass(frozen=True)
class DefectPixels:
    """Where the defect of one picture is.

    Parameters
    ----------
    indices : (D,) int32 or int64
        Flat indices of the defect pixels that count.
    regions : (D,) int32
        Which 8-connected region each belongs to, from 0 on.
    n_regions : int
        Number of regions.
    """

    indices: NDArray[np.integer]
    regions: NDArray[np.int32]
    n_regions: int

    @property
    def nbytes(self) -> int:
        """Bytes its arrays occupy."""
        return self.indices.nbytes + self.regions.nbytes

    @classmethod
    def of(cls, mask: Mask, ignored: Mask | None) -> DefectPixels:
        """Label the regions of a mask; ignored pixels belong to none."""
        labels, areas = label_regions(mask)
        if len(areas) == 0:
            return cls(np.empty(0, np.int32), np.empty(0, np.int32), 0)
        if ignored is not None:
            labels = np.where(ignored, 0, labels)
        indices = np.flatnonzero(labels).astype(np.min_scalar_type(-mask.size), copy=False)
        return cls(indices, labels.ravel()[indices] - np.int32(1), len(areas))


class DefectAtlas:
    """The defects of unmoved masks, remembered within a memory budget; thread-safe.

    Parameters
    ----------
    budget_bytes : int
        Bytes that what is remembered may occupy; the rest is found again each time.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._known: dict[int, DefectPixels] = {}
        self._used = 0
        self._lock = Lock()

    def look_up(self, index: int, mask: Mask) -> DefectPixels:
        """Return the defect pixels of the test sample at `index`, whose unmoved mask is given."""
        known = self._known.get(index)
        if known is None:
            known = DefectPixels.of(mask, None)
            with self._lock:
                if self._used + known.nbytes <= self._budget:
                    self._known[index] = known
                    self._used += known.nbytes
        return known
