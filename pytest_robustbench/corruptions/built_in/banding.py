"""Flickering light under a rolling shutter: the rows are exposed to brighter and darker phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import (
    Choice,
    Number,
    Span,
    built_in,
    graded,
    growth,
    parameter,
    response,
)
from pytest_robustbench.corruptions.pixels.light import gained, gains_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask


@dataclass(frozen=True)
class Banding:
    """Modulate the light of the rows, or columns, of a picture by a wave.

    Orientation, period and phase are drawn once per image; severity scales the amplitude. So each
    pixel departs further from the source with every severity, and in the same direction.

    Parameters
    ----------
    percent : float
        Largest change at severity 3, of the light.
    periods : tuple of 2 floats
        How many periods of the wave fit into the picture.
    orientation : str
        ``rows`` or ``columns`` are as bright all along; or drawn once per image: ``any``.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    percent: float = graded(4.0, Number(0.05, 20))
    periods: tuple[float, float] = parameter((4.0, 12.0), Span(0.5, 64))
    orientation: str = parameter("any", Choice(("any", "rows", "columns")))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the amplitude of `severity`."""
        return f"±{self.percent * growth(severity):.3g} % of the light"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Modulate `image`."""
        turn, period, phase = rng.random(3).tolist()
        upright = self.orientation == "columns" or (self.orientation == "any" and turn < 0.5)
        length = image.shape[1 if upright else 0]
        places = np.arange(length) * (between(self.periods, period) / length)
        wave = np.cos(2 * np.pi * (places + phase))
        gains = gains_of(1 + self.percent / 100 * growth(severity) * wave)
        field = gains[None, :] if upright else gains[:, None]
        return Corrupted(gained(image, field, self.response), mask)


BANDING = built_in("banding", Banding, stage=Stage.LIGHT)
