"""Several corruptions at once, as drift comes: one after the other at the same severity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.conditions import MIDDLE
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption, locked
from pytest_robustbench.corruptions.draws import sibling
from pytest_robustbench.corruptions.references import check_parts
from pytest_robustbench.errors import CorruptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.corruption import JSON, KeptFunction


@dataclass(frozen=True)
class Chain:
    """Apply corruptions one after the other, at one severity.

    Each part draws for a sample what it draws for it alone: the picture of ``geo_jitter`` then
    ``blur`` is the blurred picture of ``geo_jitter``.

    Parameters
    ----------
    parts : tuple of Corruption
        In the order in which they are applied.
    """

    parts: tuple[Corruption, ...]

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Corrupt `image` with every part at `severity`."""
        result = Corrupted(image, mask)
        for part in self.parts:
            result = _then(part, result, severity, rng)
        return result

    def level(self, severity: float) -> str:
        """Return how strong its parts are, in words and units."""
        return ", ".join(filter(None, (part.level_at(severity) for part in self.parts)))

    def mover(self) -> Corruption | None:
        """Return the part that moves pixels, if exactly one does."""
        movers = [part for part in self.parts if part.moves_pixels]
        return movers[0] if len(movers) == 1 else None


def composed(parts: Sequence[Corruption]) -> Corruption:
    """Return the corruption that applies `parts` in the order in which a picture passes them.

    That is the order of their stages; where a part has none, the order in which they are given.

    Parameters
    ----------
    parts : sequence of Corruption
        With different names, which are joined by underscores. Those by value keep their level.

    Raises
    ------
    CorruptionError
        If two parts have the same name.
    """
    check_parts(part.name for part in parts)
    chain = Chain(_in_order(parts))
    return Corruption(
        "_".join(part.name for part in parts),
        chain,
        parameters={"parts": [_described(part) for part in chain.parts]},
        moves_pixels=any(part.moves_pixels for part in parts),
        kept=_kept(chain),
        fresh=all(part.fresh for part in parts),
        drawn_as="compose",
        takes_planes=True,
        level=chain.level,
        by_value=all(part.by_value for part in parts),
        respond=lambda response: composed([part.seen_by(response) for part in parts]),
    )


def _in_order(parts: Sequence[Corruption]) -> tuple[Corruption, ...]:
    single = [one for part in parts for one in _parts_of(part)]
    if any(part.stage is None for part in single):
        return tuple(single)
    return tuple(sorted(single, key=lambda part: part.stage or 0))


def _parts_of(part: Corruption) -> tuple[Corruption, ...]:
    return part.function.parts if isinstance(part.function, Chain) else (part,)


def _then(
    part: Corruption, so_far: Corrupted, severity: float, rng: np.random.Generator
) -> Corrupted:
    """Return `so_far` corrupted by `part` as well."""
    image, mask, ignored = _drawn(part, so_far.image, so_far.mask, severity, rng)
    before = so_far.ignored
    if before is None:
        return Corrupted(image, mask, ignored)
    if part.moves_pixels:
        # What is ignored moves as a mask does.
        moved = _drawn(part, so_far.image, _widened(before), severity, rng).mask
        before = before if moved is None else moved
    return Corrupted(image, mask, before if ignored is None else before | ignored)


def _drawn(
    part: Corruption, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
) -> Corrupted:
    draws = sibling(rng, part.key, part.version)
    # A read-only mask is passed on itself, so that it is known again if no part touches it.
    shown = locked(mask) if mask is not None and mask.flags.writeable else mask
    try:
        return part.drawn(locked(image), shown, MIDDLE if part.by_value else severity, draws)
    except CorruptionError as error:
        raise CorruptionError(f"its part {part.name!r} {error}") from error.__cause__


def _widened(ignored: Mask) -> Mask:
    """Return `ignored` and the pixels that touch it: moving pixels blends them with neighbours."""
    cv2 = opencv.load()
    around = cv2.dilate(ignored.astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(around > 0)


def _kept(chain: Chain) -> KeptFunction | None:
    """Return what tells the share of a defect that the chain keeps, if one part decides it."""
    mover = chain.mover()
    if mover is None or mover.kept is None:
        return None
    kept = mover.kept
    return lambda mask, rng: kept(mask, sibling(rng, mover.key, mover.version))


def _described(part: Corruption) -> dict[str, JSON]:
    specification = part.specification(0)
    del specification["seed"], specification["at"]
    return specification
