"""Defocus: a Gaussian blur that grows with the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.gray import by_channel

if TYPE_CHECKING:
    import numpy as np

    from pytest_robustbench.arrays import Image, Mask

SIGMAS = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Standard deviation of severity 1 to 5, in pixels of an image whose shorter side is 256."""


def blur(
    image: Image,
    mask: Mask | None,
    severity: int,
    rng: np.random.Generator,  # noqa: ARG001
) -> Corrupted:
    """Blur `image` with the sigma of `severity`; nothing is drawn."""
    cv2 = opencv.load()
    sigma = SIGMAS[severity - 1] * max(1.0, min(image.shape[:2]) / 256)
    size = 2 * math.ceil(3 * sigma) + 1
    blurred = by_channel(image, lambda part: cv2.GaussianBlur(part, (size, size), sigma))
    return Corrupted(blurred, mask)


BLUR = Corruption("blur", blur, parameters={"sigma_at_256": SIGMAS})
