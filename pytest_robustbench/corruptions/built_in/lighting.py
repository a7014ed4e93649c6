"""Drifting light: exposure, with what comes along with it, as one look-up table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.corruptions.built_in.white_balance import colour_gains
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.draws import between
from pytest_robustbench.corruptions.parameters import (
    Choice,
    Number,
    built_in,
    graded,
    growth,
    parameter,
    response,
    sign_of,
    sign_told,
    signed,
)
from pytest_robustbench.corruptions.pixels.gray import by_channel
from pytest_robustbench.corruptions.pixels.light import looked_up
from pytest_robustbench.corruptions.pixels.response import levels_in_light, mean_light, share_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask


@dataclass(frozen=True)
class Lighting:
    """Map a picture through a table that is drawn once per image.

    A brighter picture gets more light, a veil, which is loss of contrast, and a tone curve that
    lifts its middle; a darker one less light, and a curve that lowers it. In colour the light is
    warmer or cooler as well, by less than the exposure. So every level departs further from where
    it was with every severity, and in the same direction. A gray image gets one table and stays
    gray.

    Parameters
    ----------
    ev : float
        How many times the light doubles or halves at severity 3, in EV. By value its sign says
        which.
    veil_percent : float
        Largest veil at severity 3, in percent of the picture's mean light; drawn up to it.
    tone : float
        Largest exponent of the tone curve at severity 3, as a power of 2; drawn up to it.
    mired : float
        Largest shift of the colour at severity 3; drawn up to it, either way.
    direction : str
        ``darker``, ``brighter``, or drawn once per image: ``any``.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    ev: float = graded(0.5, Number(0.01, 8))
    veil_percent: float = parameter(5.0, Number(0, 50))
    tone: float = parameter(0.05, Number(0, 0.5))
    mired: float = parameter(12.0, Number(0, 60))
    direction: str = parameter("any", Choice(("any", "darker", "brighter")))
    response: str = response()

    @classmethod
    def by_value(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters of a single condition: what has a sign is not drawn."""
        return signed(given, "ev", "brighter", "darker")

    def level(self, severity: float) -> str:
        """Return the stops of `severity`."""
        sign = sign_told(self.direction, "brighter")
        return f"{sign}{self.ev * growth(severity):.3g} EV"

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Map `image` through the table of `severity`."""
        side, *drawn = rng.random(4).tolist()
        sign = sign_of(self.direction, "brighter", side)

        def lit(part: Image) -> Image:
            return looked_up(part, self._tables(part, severity, sign, drawn))

        return Corrupted(by_channel(image, lit), mask)

    def _tables(
        self, part: Image, severity: float, sign: float, drawn: list[float]
    ) -> NDArray[np.uint8]:
        """Return a table for each channel: ``(256, 1)`` or ``(256, 3)``."""
        veiled, bent, warm = drawn
        grown = sign * growth(severity)
        gains = np.ones(1)
        if part.ndim == 3:
            shift = abs(grown) * self.mired * between((-1.0, 1.0), warm)
            gains = np.array(colour_gains(shift))
        means = np.array(mean_light(part, self.response))
        light = levels_in_light(self.response)[:, None] * gains * 2.0 ** (self.ev * grown)
        light = light + max(grown, 0) * veiled * self.veil_percent / 100 * means
        shares = share_of(np.clip(light, 0, 1), self.response)
        bent_shares = shares ** (2.0 ** (-grown * bent * self.tone))
        tables: NDArray[np.uint8] = np.rint(255 * bent_shares).astype(np.uint8)
        return tables


LIGHTING = built_in("lighting", Lighting, stage=Stage.LIGHT)
