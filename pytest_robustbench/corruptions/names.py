"""Which corruptions can be named; nothing is imported to answer, so collection may ask."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from pytest_robustbench.errors import CorruptionError

if TYPE_CHECKING:
    from pytest_robustbench.corruptions.corruption import Corruption

BUILT_IN = {
    "lighting": "pytest_robustbench.corruptions.built_in.lighting:LIGHTING",
    "jpeg": "pytest_robustbench.corruptions.built_in.jpeg:JPEG",
    "blur": "pytest_robustbench.corruptions.built_in.blur:BLUR",
    "glare": "pytest_robustbench.corruptions.built_in.glare:GLARE",
    "geo_jitter": "pytest_robustbench.corruptions.built_in.geo_jitter:GEO_JITTER",
    "noise": "pytest_robustbench.corruptions.built_in.noise:NOISE",
    "motion_blur": "pytest_robustbench.corruptions.built_in.motion_blur:MOTION_BLUR",
    "defocus": "pytest_robustbench.corruptions.built_in.defocus:DEFOCUS",
    "vignette": "pytest_robustbench.corruptions.built_in.vignette:VIGNETTE",
    "dust": "pytest_robustbench.corruptions.built_in.dust:DUST",
    "banding": "pytest_robustbench.corruptions.built_in.banding:BANDING",
}
"""Name to import path."""

DEFAULT = ("lighting", "jpeg", "blur", "glare", "geo_jitter")
"""What runs where no corruption is named, in the order in which conditions run."""

RESERVED = ("clean", "recorded")
"""Conditions that are no corruption."""

KEYWORDS = ("compose", "name")
"""Keys of a reference in YAML that are no corruption."""

ENTRY_POINT_GROUP = "pytest_robustbench.corruptions"

REGISTERED: dict[str, Corruption] = {}
"""What `register_corruption` was given in this process: the only state of this room."""


def known_names() -> list[str]:
    """Return every name `load_corruption` resolves: built in, registered, or an entry point."""
    return list(dict.fromkeys([*BUILT_IN, *REGISTERED, *installed()]))


def installed() -> dict[str, EntryPoint]:
    """Return the entry points of installed distributions by name, without loading them."""
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}


def check_name(name: str) -> None:
    """Refuse a name that cannot be part of a test id.

    Raises
    ------
    CorruptionError
        If `name` is reserved or holds anything but lower-case letters, digits and underscores.
    """
    if name in (*RESERVED, *KEYWORDS):
        raise CorruptionError(f"a corruption cannot be called {name!r}: that name is reserved")
    if not re.fullmatch("[a-z0-9_]+", name):
        raise CorruptionError(
            f"a corruption cannot be called {name!r}: its name becomes part of test ids and may "
            "hold only lower-case letters, digits and underscores"
        )
