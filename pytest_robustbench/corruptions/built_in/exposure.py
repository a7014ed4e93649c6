"""A lamp or a shutter that lets more, or less, light onto the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.corruptions.corruption import Corrupted
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
from pytest_robustbench.corruptions.pixels.light import mapped
from pytest_robustbench.corruptions.pixels.response import levels_in_light, table_of
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from pytest_robustbench.arrays import Image, Mask


@dataclass(frozen=True)
class Exposure:
    """Multiply the light by a power of two; what exceeds white is white.

    Parameters
    ----------
    ev : float
        How many times the light doubles or halves at severity 3, in EV. By value its sign says
        which.
    direction : str
        ``darker``, ``brighter``, or drawn once per image: ``any``.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    """

    ev: float = graded(0.5, Number(0.01, 8))
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
        """Expose `image` by the stops of `severity`."""
        stops = sign_of(self.direction, "brighter", rng.random()) * self.ev * growth(severity)
        gain = 2.0**stops
        table = table_of(gain * levels_in_light(self.response), self.response)
        return Corrupted(mapped(image, table), mask)


EXPOSURE = built_in("exposure", Exposure, stage=Stage.LIGHT)
