"""From what was measured to the record of it, in units that a line knows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_robustbench.reports.drift.model import DriftRecord, sealed_record
from pytest_robustbench.reports.drift.quantities import GRADIENTS, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.drift.fitting import Estimate
    from pytest_robustbench.drift.measuring import Drift, Frames

DIGITS = 3
"""Significant ones, of numbers that people read."""


def drift_record(drift: Drift, name: str, folders: tuple[str, str]) -> DriftRecord:
    """Return the record of a drift.

    Parameters
    ----------
    drift : Drift
        What was measured.
    name : str
        What conditions are to call it.
    folders : tuple of 2 str
        Where the pictures before, and after, lie.
    """
    estimates = {
        key: _estimate(key, drift.estimates[key], drift.scale)
        for key in QUANTITIES
        if key in drift.estimates
    }
    return sealed_record(
        name=name,
        response=drift.response,
        before=_side(folders[0], drift.before),
        after=_side(folders[1], drift.after),
        estimates=estimates,
        blurred_away=_round(math.sqrt(drift.blurred_away)),
        remainders=[
            {"kind": one.kind, "p": one.p, "unexplained": one.unexplained, "where": one.where}
            for one in drift.remainders
        ],
        corruption=_corruption(estimates, drift, name),
    )


def _side(folder: str, frames: Frames) -> dict[str, Any]:
    used = len(frames.samples)
    return {
        "folder": folder,
        "found": frames.found,
        "used": used,
        "jpeg_quality": frames.quality,
    }


def _estimate(key: str, estimate: Estimate, scale: float) -> dict[str, Any]:
    row = QUANTITIES[key]
    value, margin = estimate.value, estimate.margin
    ends = sorted(_round(row.natural(end)) for end in (value - margin, value + margin))
    natural = _round(row.natural(value))
    return {
        "unit": row.unit,
        "value": natural,
        "interval": ends,
        "floor": _round(abs(row.natural(estimate.floor))),
        "told": estimate.told,
        "at_camera": _round(natural * scale) if row.in_pixels else None,
    }


def _corruption(
    estimates: Mapping[str, Mapping[str, Any]], drift: Drift, name: str
) -> dict[str, Any] | None:
    """Return what imitates the drift, in the order of a camera; ``None``: nothing is to imitate."""
    told = {key: one["value"] for key, one in estimates.items() if one["told"]}
    parts = [
        {row.corruption: {row.parameter: _round(row.level(told[key], drift.response))}}
        for key, row in QUANTITIES.items()
        if row.corruption and key in told and (told[key] > 0 or not row.positive)
    ]
    if any(key in told for key in GRADIENTS):
        parts.append({"gradient": _gradient(*(told.get(key, 0.0) for key in GRADIENTS))})
    if drift.after.quality is not None and drift.after.quality < (drift.before.quality or 101):
        parts.append({"jpeg": {"quality": drift.after.quality}})
    if not parts:
        return None
    return {**parts[0], "name": name} if len(parts) == 1 else {"compose": parts, "name": name}


def _gradient(across: float, down: float) -> dict[str, float]:
    """Return the gradient by its strength, and where it gets brighter: 0 right, 90 down.

    From one corner to the other it is what both directions add up to.
    """
    angle = math.degrees(math.atan2(down, across)) % 360
    return {"ev": _round(abs(across) + abs(down)), "angle": float(round(angle))}


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
