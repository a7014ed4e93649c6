"""Which corruptions can be named; nothing is imported to answer, so collection may ask.

A built-in corruption is a module of `built_in`, called like it, and its name here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pytest_robustbench.importing import installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.corruptions.corruption import Corruption


class Quantity(NamedTuple):
    """What severity grades of a corruption, as a person on the line knows it.

    Attributes
    ----------
    name : str
        The parameter that holds it.
    unit : str
        What limits on tolerances are given in.
    middle : float
        At severity 3; one step doubles it.
    """

    name: str
    unit: str
    middle: float


QUANTITIES: Mapping[str, tuple[Quantity, ...]] = MappingProxyType(
    {
        "lighting": (Quantity("ev", "EV", 0.5),),
        "exposure": (Quantity("ev", "EV", 0.5),),
        "gradient": (Quantity("ev", "EV", 0.5),),
        "vignette": (Quantity("corner_ev", "EV", 0.5),),
        "white_balance": (Quantity("mired", "mired", 25),),
        "veil": (Quantity("percent", "%", 10),),
        "banding": (Quantity("percent", "%", 4),),
        "glare": (Quantity("percent", "%", 10),),
        "dust": (Quantity("percent", "%", 10),),
        "blur": (Quantity("sigma_px", "px", 1),),
        "defocus": (Quantity("radius_px", "px", 2),),
        "motion_blur": (Quantity("length_px", "px", 4),),
        "noise": (Quantity("levels", "levels", 8),),
        "jpeg": (Quantity("quality", "", 60),),
        "geo_jitter": (
            Quantity("rotation_deg", "degrees", 3),
            Quantity("shift_percent", "%", 2),
            Quantity("scale_percent", "%", 3),
        ),
    }
)
"""By built-in corruption; the first one gives a severity its unit, if it has one."""

SEVERITY_UNIT = "severity"
"""What a tolerance can be told in, whatever the corruption."""


def unit_of(target: str) -> str:
    """Return the unit of what severity grades of a built-in corruption; empty without one.

    What a step does not double, as the quality of a JPEG, is told as a severity alone.
    """
    quantities = QUANTITIES.get(target, ())
    return quantities[0].unit if quantities else ""


DEFAULT = ("lighting", "jpeg", "blur", "glare", "geo_jitter")
"""What runs where no corruption is named, in the order in which conditions run."""

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        name: f"pytest_robustbench.corruptions.built_in.{name}:{name.upper()}"
        for name in (*DEFAULT, *(name for name in QUANTITIES if name not in DEFAULT))
    }
)
"""Name to import path of the corruption."""

ENTRY_POINT_GROUP = "pytest_robustbench.corruptions"

REGISTERED: dict[str, Corruption] = {}
"""What `register_corruption` was given in this process: the only state of this room."""


def known_names() -> list[str]:
    """Return every name `load_corruption` resolves: built in, registered, or an entry point."""
    return list(dict.fromkeys([*BUILT_IN, *REGISTERED, *installed(ENTRY_POINT_GROUP)]))
