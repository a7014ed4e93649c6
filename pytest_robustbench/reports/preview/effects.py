"""What a corruption did to one picture, in a few words and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.built_in.geo_jitter import GeoJitter
from pytest_robustbench.corruptions.built_in.sizes import scale_of
from pytest_robustbench.corruptions.composition import Chain
from pytest_robustbench.corruptions.draws import generator
from pytest_robustbench.corruptions.parameters import Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.corruptions.corruption import Corrupted, Corruption

AT_256 = "_at_256"
"""Ending of parameters in pixels of an image whose shorter side is 256."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """One picture under one corruption at one severity.

    Parameters
    ----------
    source : Image
        ``(H, W, 3)`` uint8, RGB, before.
    corrupted : Corrupted
        After.
    severity : int
        1 to 5.
    seed : int
        Of the benchmark.
    sample_id : str
        Of the picture.
    """

    source: Image
    corrupted: Corrupted
    severity: int
    seed: int
    sample_id: str


def effects(corruption: Corruption, attempt: Attempt) -> tuple[str, ...]:
    """Return what was done, as far as the corruption can tell, and what can be measured of it."""
    return (*_settings(corruption, attempt), _change(attempt), *_ignored(attempt.corrupted))


def mean_change(source: Image, corrupted: Corrupted) -> tuple[float, float]:
    """Return how far pixels differ from the source on average, without and with regard to sign.

    In gray levels, over the channels of all pixels that count; 0 where no pixel does.
    """
    difference = corrupted.image.astype(np.int16) - source
    if corrupted.ignored is not None:
        difference = difference[~corrupted.ignored]
    if not difference.size:
        return 0.0, 0.0
    return float(np.abs(difference).mean()), float(difference.mean())


def _settings(corruption: Corruption, attempt: Attempt) -> Iterator[str]:
    """Tell what decides the strength: what a parameter says of the severity, or what was drawn."""
    function: object = corruption.function
    if isinstance(function, Chain):
        for part in function.parts:
            yield from _settings(part, attempt)
    elif isinstance(function, GeoJitter):
        yield _moved(function, corruption, attempt)
    elif is_dataclass(function):
        for one in fields(function):
            if isinstance(one.metadata.get("check"), Steps):
                steps = getattr(function, one.name)
                yield _setting(one.name, steps[attempt.severity - 1], attempt.source)


def _setting(name: str, value: float, image: Image) -> str:
    if name.endswith(AT_256):
        return f"{name.removesuffix(AT_256)} {_pixels(value * scale_of(image))}"
    return f"{name.replace('_', ' ')} {value:g}"


def _moved(jitter: GeoJitter, corruption: Corruption, attempt: Attempt) -> str:
    """Tell how far the corner goes that goes farthest."""
    rng = generator(attempt.seed, corruption.key, corruption.version, attempt.sample_id)
    height, width = attempt.source.shape[:2]
    affine = jitter.draw_affine(attempt.source.shape, rng).at(attempt.severity / 5)
    corners = [(float(x), float(y)) for x in (0, width - 1) for y in (0, height - 1)]
    farthest = max(math.dist(corner, affine.places(*corner)) for corner in corners)
    return f"moves up to {_pixels(farthest)}"


def _pixels(length: float) -> str:
    return f"{length:.1f} px" if length < 10 else f"{length:.0f} px"


def _change(attempt: Attempt) -> str:
    size, signed = mean_change(attempt.source, attempt.corrupted)
    one_way = size >= 0.5 and abs(signed) >= size / 2
    direction = (", brighter" if signed > 0 else ", darker") if one_way else ""
    return f"mean change {size:.1f}{direction}"


def _ignored(corrupted: Corrupted) -> Iterator[str]:
    if corrupted.ignored is not None and corrupted.ignored.any():
        yield f"{100 * corrupted.ignored.mean():.1f} % ignored"
