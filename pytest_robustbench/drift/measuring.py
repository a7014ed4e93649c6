"""From two folders of good parts to what has drifted between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.formats.images import image_folder
from pytest_robustbench.drift.change import PARAMETERS, Change
from pytest_robustbench.drift.fitting import fit
from pytest_robustbench.drift.jpeg import quality_of
from pytest_robustbench.drift.residual import remainders
from pytest_robustbench.drift.shift import shifts
from pytest_robustbench.drift.sides import Imitated, Side
from pytest_robustbench.drift.traits import HIGH, Scope, least_noise, noise_in, tolerances
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.datasets.split import Sample
    from pytest_robustbench.drift.fitting import Estimate
    from pytest_robustbench.drift.residual import Remainder

FEWEST = 10
"""Pictures of a side with fewer of which chance explains nearly anything."""
MOST = 60
"""Pictures of a side that are looked at, evenly spread over its names."""
COARSE, BEST = 92, 100
"""JPEG quality below which what it takes away is reckoned with, and that of other files."""
LEAST_HIGH = 0.3
"""Where more than the rest of the picture is clipped, light is averaged over this share anyway."""
SHIFTS = ("shift_x", "shift_y")


@dataclass(frozen=True, eq=False)
class Frames:
    """The pictures of one side.

    Parameters
    ----------
    samples : tuple of Sample
        Good parts.
    quality : int, optional
        JPEG quality of their files, the median; ``None`` where most are no JPEG.
    found : int
        How many there were.
    """

    samples: tuple[Sample, ...]
    quality: int | None
    found: int

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Frames:
        """Return as many of `samples` as are looked at.

        Raises
        ------
        DatasetError
            If they are too few.
        """
        if len(samples) < FEWEST:
            raise DatasetError(
                f"{len(samples)} pictures ({samples[0].id}, ...) are too few to tell a drift from "
                f"chance: take {FEWEST} at least, better 30, each of another good part"
            )
        spread = np.linspace(0, len(samples) - 1, min(len(samples), MOST)).round().astype(int)
        chosen = tuple(samples[i] for i in spread.tolist())
        paths = [sample.image for sample in chosen if isinstance(sample.image, Path)]
        known = [quality for path in paths if (quality := quality_of(path)) is not None]
        return cls(
            chosen, median_low(known) if len(known) * 2 > len(chosen) else None, len(samples)
        )


@dataclass(frozen=True, eq=False)
class Drift:
    """What has changed between two sides.

    Parameters
    ----------
    before, after : Frames
        The sides.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    change : Change
        What is told apart from zero.
    estimates : mapping of str to Estimate
        By the names of `Change`, and ``shift_x`` and ``shift_y`` where the scene is steady.
    remainders : sequence of Remainder
        What `change` does not explain.
    blurred_away : float
        Variance of the grain that the blur of `change` took from the pictures before, as
        `Change.noise` has it: a sensor's own noise in it is not blurred, and has to be added.
    scale : float
        Pixels of the camera for one at 256.
    colour : bool
        Whether any plane differs from another.
    """

    before: Frames
    after: Frames
    response: str
    change: Change
    estimates: Mapping[str, Estimate]
    remainders: Sequence[Remainder]
    blurred_away: float
    scale: float
    colour: bool

    @property
    def lacks(self) -> bool:
        """Whether pictures before would have to get sharper, or less noisy, and neither is more."""
        told = [one for name in ("blur", "noise") if (one := self.estimates[name]).told]
        return bool(told) and all(one.value < 0 for one in told)

    def reversed(self) -> Drift:
        """Return the drift from after to before."""
        return replace(
            self,
            before=self.after,
            after=self.before,
            change=Change(**{name: -getattr(self.change, name) for name in PARAMETERS}),
            estimates={k: replace(one, value=-one.value) for k, one in self.estimates.items()},
            blurred_away=0.0,
        )

    @property
    def told(self) -> bool:
        """Whether anything at all differs by more than chance."""
        return (
            any(one.told for one in self.estimates.values())
            or any(one.unexplained for one in self.remainders)
            or self.before.quality != self.after.quality
        )


def frames_in(folder: Path, role: str) -> Frames:
    """Return the pictures below a folder.

    Raises
    ------
    DatasetError
        If there is no such folder, or it holds too few pictures.
    """
    return Frames.of(image_folder(folder, role))


def measured(before: Frames, after: Frames, response: str) -> Drift:
    """Return what has changed from one side to the other.

    Raises
    ------
    DatasetError
        If a picture cannot be read, or one side is gray and the other one is not.
    """
    forward = _measured(before, after, response)
    if not forward.lacks:
        return forward
    # What pictures before cannot be given, those after can: the way back is measured.
    backward = _measured(after, before, response)
    return forward if backward.lacks else backward.reversed()


def _measured(before: Frames, after: Frames, response: str) -> Drift:
    first, second = sides = [Side(one.samples, response) for one in (before, after)]
    if first.colour != second.colour:
        gray, other = ("after", "before") if first.colour else ("before", "after")
        raise DatasetError(
            f"the pictures {gray} are gray, those {other} are in colour: compare like with like"
        )
    parameters = [name for name in PARAMETERS if first.colour or name != "white_balance"]
    compared, planes = len(parameters) + len(SHIFTS), 3 if first.colour else 1
    scope = Scope(
        response,
        nyquist=0.5 * min(side.least_scale for side in sides),
        least=least_noise(min(float(np.median(side.light)) for side in sides)),
        high=min(HIGH, max(LEAST_HIGH, 1 - max(side.clipped for side in sides))),
    )
    quality = min(frames.quality or BEST for frames in (before, after))
    coarse = quality if quality < COARSE else None
    finer = coarse is not None and (after.quality or BEST) > coarse
    seen = second.traits(scope, coarse if finer else None)
    imitated = Imitated(first, scope, coarse)
    found = fit(
        imitated,
        seen,
        parameters,
        tolerance=tolerances(planes),
        compared=compared,
    )
    moved = shifts(first.planes(response), second.planes(response), compared)
    return Drift(
        before,
        after,
        response,
        found.change,
        {**found.estimates, **dict(zip(SHIFTS, moved or (), strict=False))},
        remainders(found.remaining, seen, planes, scope.nyquist),
        _blurred_away(imitated, found.change, planes),
        first.scale,
        first.colour,
    )


def _blurred_away(imitated: Imitated, change: Change, planes: int) -> float:
    if change.blur <= 0:
        return 0.0
    everything = np.arange(imitated.count)
    sharp, soft = (
        noise_in(imitated(one, everything), planes, imitated.scope)
        for one in (Change(), Change(blur=change.blur))
    )
    return max(0.0, sharp - soft)
