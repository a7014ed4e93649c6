"""Which corruptions can be named; nothing is imported to answer, so collection may ask.

A built-in corruption is a module of `built_in`, called like it, and its name here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.importing import installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.corruptions.corruption import Corruption

DEFAULT = ("lighting", "jpeg", "blur", "glare", "geo_jitter")
"""What runs where no corruption is named, in the order in which conditions run."""

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        name: f"pytest_robustbench.corruptions.built_in.{name}:{name.upper()}"
        for name in (
            *DEFAULT,
            *("exposure", "gradient", "vignette", "white_balance", "veil", "banding", "dust"),
            *("motion_blur", "defocus", "noise"),
        )
    }
)
"""Name to import path of the corruption."""

ENTRY_POINT_GROUP = "pytest_robustbench.corruptions"

REGISTERED: dict[str, Corruption] = {}
"""What `register_corruption` was given in this process: the only state of this room."""


def known_names() -> list[str]:
    """Return every name `load_corruption` resolves: built in, registered, or an entry point."""
    return list(dict.fromkeys([*BUILT_IN, *REGISTERED, *installed(ENTRY_POINT_GROUP)]))
