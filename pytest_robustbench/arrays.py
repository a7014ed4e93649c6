"""The array types every floor shares."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""``(H, W, 3)`` uint8, RGB."""

Mask: TypeAlias = NDArray[np.bool_]
"""``(H, W)`` bool, True = defect (or ignored)."""

Floats: TypeAlias = NDArray[np.float32]
"""Scores ``(N,)`` or anomaly maps ``(h, w)``, ``(N, h, w)``; float32."""
