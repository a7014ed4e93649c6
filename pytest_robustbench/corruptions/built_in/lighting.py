"""Drifting light: exposure, contrast, gamma and white balance as one look-up table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.gray import by_channel
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import Choice, Number, Span, built_in, parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask

MEAN_SHIFT = (28.0, 40.0)
"""Mean absolute shift of the full-strength table at the default brightness, in grey levels."""

BRIGHTNESS = 38.0

_LEVELS = np.arange(256.0)[:, None]


@dataclass(frozen=True)
class Lighting:
    """Map a picture through a table that is drawn once per image.

    Severity scales how far each of its entries lies from the level it replaces. A gray image gets
    one table for all channels and stays gray.

    Parameters
    ----------
    brightness : float
        Largest offset, in grey levels, before the table is normalised.
    contrast, gamma, gain : float
        Largest relative change of the slope, of the exponent, and of one channel against another.
    mean_shift : tuple of 2 floats, optional
        The mean absolute shift of the full-strength table, in grey levels, is drawn between these.
        By default 28 to 40, and in proportion for another `brightness`.
    direction : str
        ``darker``, ``brighter``, or drawn once per image: ``any``.
    """

    brightness: float = parameter(BRIGHTNESS, Number(1, 60))
    contrast: float = parameter(0.25, Number(0, 0.8))
    gamma: float = parameter(0.25, Number(0, 1))
    gain: float = parameter(0.12, Number(0, 0.5))
    mean_shift: tuple[float, float] = parameter((0.0, 0.0), Span(1, 64))
    direction: str = parameter("any", Choice(("any", "darker", "brighter")), silent=True)

    def __post_init__(self) -> None:
        if self.mean_shift == (0.0, 0.0):
            low, high = (round(one * self.brightness / BRIGHTNESS, 6) for one in MEAN_SHIFT)
            object.__setattr__(self, "mean_shift", (low, high))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Map `image` through the table of `severity`."""

        def mapped(pixels: Image) -> Image:
            shift = self.full_shift(rng, gray=pixels.ndim == 2)
            table = np.rint(_LEVELS + shift * (severity / 5)).astype(np.uint8)
            return np.asarray(opencv.load().LUT(pixels, table[None]))

        return Corrupted(by_channel(image, mapped), mask)

    def full_shift(self, rng: np.random.Generator, *, gray: bool) -> NDArray[np.float64]:
        """Draw by how many grey levels each level moves at severity 5.

        Exposure and gamma share their direction: were they drawn apart they would often cancel, and
        what the normalisation then had to stretch would be an arbitrary remainder.

        Returns
        -------
        ndarray of shape (256, 3) or, for a gray image, (256, 1)
            Level plus shift lies within 0 to 255. The mean absolute shift is the drawn target.
        """
        side, bright, bent, steep, *cast, shifted = rng.random(8).tolist()
        direction = self._sign(side)
        brightness = direction * self.brightness * between((0.5, 1.0), bright)
        gamma = (1.0 + self.gamma * between((0.5, 1.0), bent)) ** -direction
        contrast = 1.0 + self.contrast * between((-1.0, 1.0), steep)
        gains = np.array([self.gain * between((-1.0, 1.0), one) for one in cast])
        gains += 1.0 - gains.mean()  # a cast only: how bright it gets is decided above
        target = between(self.mean_shift, shifted)
        curve = 255.0 * (_LEVELS / 255.0) ** gamma
        curve = (curve - 127.5) * contrast + 127.5 + brightness
        full = curve if gray else curve * gains
        return _normalised(full - _LEVELS, target)

    def _sign(self, side: float) -> float:
        if self.direction == "any":
            return 1.0 if side < 0.5 else -1.0
        return 1.0 if self.direction == "brighter" else -1.0


def _normalised(shift: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    """Scale `shift`, cut off at black and white, so that its mean absolute value is `target`."""
    size = np.maximum(np.abs(shift), 1e-6)
    room = np.where(shift > 0, 255.0 - _LEVELS, _LEVELS)
    factor = _factor(size.ravel(), room.ravel(), target)
    return np.asarray(np.copysign(np.minimum(factor * size, room), shift))


def _factor(size: NDArray[np.float64], room: NDArray[np.float64], target: float) -> float:
    """Return the factor by which the mean of ``min(factor * size, room)`` is `target`.

    The mean is a polygon over the factor: it bends where an entry has used up its room, and the
    entries do so in the order of ``room / size``.
    """
    bends = room / size
    order = np.argsort(bends)
    bends = np.concatenate([[0.0], bends[order]])
    used_up = np.concatenate([[0.0], np.cumsum(room[order])])
    growing = np.concatenate([[0.0], np.cumsum(size[order])])
    means = (used_up + bends * (growing[-1] - growing)) / size.size
    return float(np.interp(target, means, bends))


LIGHTING = built_in("lighting", Lighting)
