"""Drifting light: exposure, contrast, gamma and white balance as one look-up table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.gray import is_gray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask

BRIGHTNESS = 38.0
"""Largest offset, in grey levels, before the table is normalised."""

CONTRAST = 0.25
GAMMA = 0.25
GAIN = 0.12
MEAN_SHIFT = (28.0, 40.0)
"""Mean absolute shift of the full-strength table, in grey levels: drawn between these."""

_LEVELS = np.arange(256.0)[:, None]


def lighting(image: Image, mask: Mask | None, severity: int, rng: np.random.Generator) -> Corrupted:
    """Map `image` through the table of `severity`.

    The full-strength table is drawn once per image; `severity` scales how far each of its entries
    lies from the level it replaces. A gray image gets one table for all channels and stays gray.
    """
    shift = full_shift(rng, gray=is_gray(image))
    table = np.rint(_LEVELS + shift * (severity / 5)).astype(np.uint8)
    return Corrupted(np.asarray(opencv.load().LUT(image, table[None])), mask)


def full_shift(rng: np.random.Generator, *, gray: bool) -> NDArray[np.float64]:
    """Draw by how many grey levels each level moves at severity 5.

    Exposure and gamma share their direction: were they drawn apart they would often cancel, and
    what the normalisation then had to stretch would be an arbitrary remainder.

    Returns
    -------
    ndarray of shape (256, 3) or, for a gray image, (256, 1)
        Level plus shift lies within 0 to 255. The mean absolute shift is the drawn target.
    """
    direction = 1.0 if rng.random() < 0.5 else -1.0
    brightness = direction * BRIGHTNESS * rng.uniform(0.5, 1.0)
    gamma = (1.0 + GAMMA * rng.uniform(0.5, 1.0)) ** -direction
    contrast = 1.0 + CONTRAST * rng.uniform(-1.0, 1.0)
    gains = GAIN * rng.uniform(-1.0, 1.0, size=3)
    gains += 1.0 - gains.mean()  # a cast only: how bright it gets is decided above
    target = rng.uniform(*MEAN_SHIFT)
    curve = 255.0 * (_LEVELS / 255.0) ** gamma
    curve = (curve - 127.5) * contrast + 127.5 + brightness
    full = curve if gray else curve * gains
    return _normalised(full - _LEVELS, target)


def _normalised(shift: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    """Scale `shift`, cut off at black and white, so that its mean absolute value is `target`."""
    size = np.abs(shift)
    room = np.where(shift > 0, 255.0 - _LEVELS, _LEVELS)
    factors = np.linspace(0.25, 4.0, 64)
    means = np.minimum(factors[:, None, None] * size, room).mean(axis=(1, 2))
    factor = np.interp(target, means, factors)
    return np.asarray(np.copysign(np.minimum(factor * size, room), shift))


LIGHTING = Corruption(
    "lighting",
    lighting,
    parameters={
        "brightness": BRIGHTNESS,
        "contrast": CONTRAST,
        "gamma": GAMMA,
        "gain": GAIN,
        "mean_shift": MEAN_SHIFT,
    },
)
