"""How much brighter pictures may become before their highlights clip."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.pixels.response import levels_in_light

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_robustbench.datasets.pictures.picture import Traits

BRIGHTENING = ("exposure", "lighting")
"""Built-in corruptions that make whole pictures brighter."""
LITTLE = 0.5
"""EV: their level at severity 3."""


def headroom(traits: Iterable[Traits], response: str) -> float:
    """Return the EV until the highlights of half of the pictures are white."""
    light = levels_in_light(response)
    return median(float(-np.log2(light[max(one.highlight, 1)])) for one in traits)


def notes_on_headroom(
    traits: Iterable[Traits], response: str, corruptions: Iterable[str]
) -> Iterator[str]:
    """Say from which exposure on brighter conditions clip, where that is a mild one.

    Parameters
    ----------
    traits : iterable of Traits
        Of the test pictures, one at least.
    response : str
        Of the camera.
    corruptions : iterable of str
        The built-in names of those that run.
    """
    found = headroom(traits, response)
    brighter = [name for name in corruptions if name in BRIGHTENING]
    if brighter and found < LITTLE:
        yield (
            f"highlights clip from +{found:.2f} EV on in half of the test pictures: brighter "
            f"conditions of {', '.join(brighter)} are about clipping as well"
        )
