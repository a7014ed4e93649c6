"""Stray light: a dirty lens or cover, or a lamp that shines into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth, response
from pytest_robustbench.corruptions.pixels.gray import by_channel
from pytest_robustbench.corruptions.pixels.light import looked_up
from pytest_robustbench.corruptions.pixels.response import levels_in_light, mean_light, table_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask


@dataclass(frozen=True)
class Veil:
    """Add a share of the picture's own mean light everywhere; nothing is drawn.

    What a lens scatters is the light of the whole scene, and has its colour. Contrast is lost, most
    of it where the picture is dark.

    Parameters
    ----------
    percent : float
        Of the mean light, at severity 3.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    percent: float = graded(10.0, Number(0.1, 200))
    response: str = response()

    def level(self, severity: float) -> str:
        """Return the share of `severity`."""
        return f"{self.percent * growth(severity):.3g} % of the mean light"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Lay a veil over `image`."""
        share = self.percent / 100 * growth(severity)

        def veiled(part: Image) -> Image:
            means = np.array(mean_light(part, self.response))
            light = levels_in_light(self.response)[:, None] + share * means
            return looked_up(part, table_of(light, self.response))

        return Corrupted(by_channel(image, veiled), mask)


VEIL = built_in("veil", Veil, stage=Stage.OPTICS)
