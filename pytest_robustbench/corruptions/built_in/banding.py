"""Flickering light under a rolling shutter: the rows are exposed to brighter and darker phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.gray import by_channel
from pytest_robustbench.corruptions.built_in.sizes import bands
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import (
    Choice,
    Number,
    Span,
    built_in,
    parameter,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask

    Gains = NDArray[np.int16]


@dataclass(frozen=True)
class Banding:
    """Modulate the rows, or columns, of a picture by a wave.

    Orientation, period and phase are drawn once per image; severity scales the amplitude. So each
    pixel departs further from the source with every severity, and in the same direction.

    Parameters
    ----------
    amplitude : float
        Largest relative change of brightness at severity 5.
    periods : tuple of 2 floats
        How many periods of the wave fit into the picture.
    orientation : str
        ``rows`` or ``columns`` are as bright all along; or drawn once per image: ``any``.
    """

    amplitude: float = parameter(0.15, Number(0.02, 0.49))
    periods: tuple[float, float] = parameter((4.0, 12.0), Span(0.5, 64))
    orientation: str = parameter("any", Choice(("any", "rows", "columns")))

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Modulate `image`."""
        turn, period, phase = rng.random(3).tolist()
        upright = self.orientation == "columns" or (self.orientation == "any" and turn < 0.5)
        length = image.shape[1 if upright else 0]
        places = np.arange(length) * (between(self.periods, period) / length)
        wave = np.cos(2 * np.pi * (places + phase))
        gains = np.rint(256 * self.amplitude * severity / 5 * wave).astype(np.int16)
        gains = gains[None, :] if upright else gains[:, None]
        return Corrupted(by_channel(image, lambda part: _modulated(part, gains)), mask)


def _modulated(part: Image, gains: Gains) -> Image:
    """Add to each pixel its product with a gain, given in 1/256."""
    cv2 = opencv.load()
    gains = np.broadcast_to(gains, part.shape[:2])
    result = np.empty_like(part)
    for band in bands(*part.shape[:2]):
        pixels, gain = part[band], gains[band]
        change = pixels * (gain if part.ndim == 2 else gain[..., None])
        change += 128  # the shift rounds down
        change >>= 8
        result[band] = cv2.add(pixels, change, dtype=cv2.CV_8U)
    return result


BANDING = built_in("banding", Banding)
