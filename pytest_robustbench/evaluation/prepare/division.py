"""Which train images a detector is fitted on, and which it is calibrated on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import CalibrationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.evaluation.settings import CalibrationSettings

    Indices = NDArray[np.intp]


def held_out(groups: Sequence[str | None], settings: CalibrationSettings) -> Indices:
    """Return the sorted indices of the train images held out from `fit`.

    Without groups, ``default_rng(seed).choice(n, ceil(n * fraction), replace=False)``, at least 1
    and at most ``n - 1``: pyimgano's split, so that thresholds can be compared. With groups, whole
    ones in a drawn order, each that brings the number of images nearer to that; the smallest group
    alone where none does. At least one group stays to fit on.

    Parameters
    ----------
    groups : sequence of str or None
        Of each train image, the group that must not be divided.
    settings : CalibrationSettings
        Fraction and seed.

    Raises
    ------
    CalibrationError
        If there are fewer than two images, or groups.
    """
    n = len(groups)
    units = _units(groups)
    if len(units) < 2:
        what = f"{n} train image(s)" if n < 2 else f"{n} train images of one group"
        raise CalibrationError(
            f"{what} cannot be divided into a fit part and a calibration part: add normal train "
            "images, or give calibration.images"
        )
    size = min(n - 1, max(1, math.ceil(n * settings.fraction)))
    generator = np.random.default_rng(settings.seed)
    if len(units) == n:
        return np.sort(generator.choice(n, size=size, replace=False)).astype(np.intp)
    order = [units[i] for i in generator.permutation(len(units))]
    return np.sort(np.concatenate(_nearest_to(order, size)))


def _nearest_to(units: Sequence[Indices], size: int) -> list[Indices]:
    """Return units, not all of them, that hold about `size` images together."""
    taken: list[Indices] = []
    held = 0
    for unit in units:
        nearer = abs(held + len(unit) - size) < abs(held - size)
        if nearer and len(taken) < len(units) - 1:
            taken.append(unit)
            held += len(unit)
    return taken or [min(units, key=len)]


def folds(groups: Sequence[str | None], settings: CalibrationSettings) -> list[Indices]:
    """Return the sorted indices of each fold.

    Without groups, sizes differ by at most one; with groups, the numbers of whole groups do.

    Raises
    ------
    CalibrationError
        If there are fewer images, or groups, than folds.
    """
    units = _units(groups)
    if len(units) < settings.folds:
        what = "train images" if len(units) == len(groups) else "groups of train images"
        raise CalibrationError(f"{len(units)} {what} cannot be divided into {settings.folds} folds")
    order = np.random.default_rng(settings.seed).permutation(len(units))
    parts = np.array_split(order, settings.folds)
    return [np.sort(np.concatenate([units[i] for i in part])) for part in parts]


def _units(groups: Sequence[str | None]) -> list[Indices]:
    """Return the indices of what stays together, in the order of its first image."""
    members: dict[object, list[int]] = {}
    for i, group in enumerate(groups):
        members.setdefault(i if group is None else group, []).append(i)
    return [np.array(indices, np.intp) for indices in members.values()]
