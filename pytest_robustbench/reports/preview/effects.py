"""What a corruption did to one picture, in a few words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.corruptions.corruption import Corrupted


def effects(level: str, source: Image, corrupted: Corrupted) -> tuple[str, ...]:
    """Return how strong a corruption is, in its own words, and what can be measured of it.

    Parameters
    ----------
    level : str
        Of `Corruption.level_at`; empty where that is not known.
    source : Image
        ``(H, W, 3)`` uint8, RGB, before.
    corrupted : Corrupted
        After.
    """
    return (*([level] if level else []), _change(source, corrupted), *_ignored(corrupted))


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


def _change(source: Image, corrupted: Corrupted) -> str:
    size, signed = mean_change(source, corrupted)
    one_way = size >= 0.5 and abs(signed) >= size / 2
    direction = (", brighter" if signed > 0 else ", darker") if one_way else ""
    return f"mean change {size:.1f}{direction}"


def _ignored(corrupted: Corrupted) -> Iterator[str]:
    if corrupted.ignored is not None and corrupted.ignored.any():
        yield f"{100 * corrupted.ignored.mean():.1f} % ignored"
