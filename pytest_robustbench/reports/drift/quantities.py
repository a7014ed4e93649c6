"""What a drift is told in: a row per quantity, its unit, and the corruption that imitates it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _as_told(value: float, _response: str) -> float:
    return value


def _stops(percent: float, _response: str) -> float:
    """Return the stops that a corner loses with so many percent of its light."""
    return -math.log2(1 - min(percent, 99.0) / 100)


def _grey_levels(levels: float, response: str) -> float:
    """Return the grey levels that a deviation of the light at white is seen as."""
    import numpy as np

    from pytest_robustbench.corruptions.pixels.response import share_of

    return 255 * (1 - float(share_of(np.array(max(1 - levels / 255, 0.0)), response)))


@dataclass(frozen=True)
class Quantity:
    """One of the estimates.

    Parameters
    ----------
    title : str
        Its name in words.
    unit : str
        What its value is told in.
    natural : callable
        From the parameter of the fit to the unit.
    more, less : str
        What it means that the value is above, or below, zero.
    corruption, parameter : str
        What imitates it in YAML; empty where nothing does.
    in_pixels : bool
        Whether the value is in pixels of a picture whose shorter side is 256.
    positive : bool
        Whether only more of it can be imitated.
    level : callable
        From the unit, and the response of the camera, to the parameter.
    """

    title: str
    unit: str
    natural: Callable[[float], float]
    more: str
    less: str
    corruption: str = ""
    parameter: str = ""
    in_pixels: bool = False
    positive: bool = False
    level: Callable[[float, str], float] = _as_told


def _same(value: float) -> float:
    return value


def _percent(share: float) -> float:
    return 100 * share


def _root(square: float) -> float:
    return math.copysign(math.sqrt(abs(square)), square)


def _corner(stops: float) -> float:
    return 100 * (1 - math.pow(2, stops))


ACROSS = "EV across the picture"
SHIFTED = "px at 256"
QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "exposure": Quantity("exposure", "EV", _same, "brighter", "darker", "exposure", "ev"),
        "white_balance": Quantity(
            "white balance", "mired", _same, "warmer", "colder", "white_balance", "mired"
        ),
        "veil": Quantity(
            "veil",
            "% of the mean light",
            _percent,
            "less contrast",
            "more contrast",
            "veil",
            "percent",
            positive=True,
        ),
        "gradient_x": Quantity(
            "gradient, sideways", ACROSS, _same, "brighter to the right", "brighter to the left"
        ),
        "gradient_y": Quantity(
            "gradient, upright", ACROSS, _same, "brighter below", "brighter above"
        ),
        "vignette": Quantity(
            "vignette",
            "% at the corners",
            _corner,
            "darker corners",
            "brighter corners",
            "vignette",
            "corner_ev",
            positive=True,
            level=_stops,
        ),
        "blur": Quantity(
            "blur",
            "px sigma at 256",
            _root,
            "softer",
            "sharper",
            "blur",
            "sigma_px",
            in_pixels=True,
            positive=True,
        ),
        "noise": Quantity(
            "noise",
            "grey levels at white, of light",
            _root,
            "more grain",
            "less grain",
            "noise",
            "levels",
            positive=True,
            level=_grey_levels,
        ),
        "shift_x": Quantity(
            "shift, sideways", SHIFTED, _same, "to the right", "to the left", in_pixels=True
        ),
        "shift_y": Quantity("shift, upright", SHIFTED, _same, "down", "up", in_pixels=True),
    }
)
"""By the names of `pytest_robustbench.drift`."""
GRADIENTS = ("gradient_x", "gradient_y")
"""What one corruption imitates together."""
