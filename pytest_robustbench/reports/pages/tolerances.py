"""Tolerances in words: where along a drift image decisions break, and how sure that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import SEVEREST, condition_of
from pytest_robustbench.display import displayed
from pytest_robustbench.gates.tolerance import parts_to_show
from pytest_robustbench.gates.wording import percent
from pytest_robustbench.reports.file.tolerance.record import scale_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Plain = Mapping[str, Any]

WRONG = {
    "false_reject_rate": "good parts are rejected",
    "miss_rate": "defective parts are missed",
}
"""What goes wrong on each side."""


def sentences(tolerances: Mapping[str, Plain], line_drift: Plain | None = None) -> Iterator[str]:
    """Yield a line for every tolerance that was found.

    Parameters
    ----------
    tolerances : mapping of str to mapping
        Their records by id.
    line_drift : mapping, optional
        How the line itself has drifted, as the header of a report says it.
    """
    for name, record in tolerances.items():
        if "error" not in record:
            told = sentence(condition_of(name).ladder, record)
            yield displayed(f"{name}: {told}{_beside_the_line(record, line_drift)}")


def _beside_the_line(record: Plain, line_drift: Plain | None) -> str:
    """Return how many times the drift of the line itself is tolerated, where that is known."""
    target, scale = record["specification"]["ladder"]["name"], scale_in(record)
    level = line_drift["levels"].get(target) if line_drift else None
    if not level or not line_drift or scale is None:
        return ""
    severity = SEVEREST if record["severity"] is None else record["severity"]
    margin = scale.level(severity) / level
    more = "more than " if record["severity"] is None else ""
    drifted = f"the line drifted by {level:.3g} {scale.unit} ({line_drift['name']})"
    beyond = ", which is beyond it" if margin < 1 else ""
    return f". {drifted}: margin {more}{margin:.2g}{beyond}"


def sentence(corruption: str, record: Plain) -> str:
    """Return where image decisions break along a corruption."""
    severity, broken = record["severity"], record["broken_by"]
    if severity is None:
        most, low = level_text(record, SEVEREST), record["interval"][0]
        least = level_text(record, SEVEREST if low is None else low)
        sure = f"at 95 % at least to {least}{_doubt(record)}"
        return f"decisions hold to the severest, {most}, and {sure}"
    side = record["sides"][broken]
    what = f"more than {_share(side['limit'])} of {WRONG[broken]}"
    if severity == 0:
        return f"{what} under clean already ({_share(side['clean'])}): no drift is tolerated"
    return f"{what} from {corruption} {_level(record)} on{_interval(record)}"


def _share(share: float) -> str:
    return percent(round(share, 4))


def _level(record: Plain) -> str:
    """Return the level of the break in words and units, at the camera too."""
    beside = f"severity {record['severity']:.3g}"
    pixels = scale_in(record)
    if pixels is not None and record["at_camera"] not in (None, 1):
        at_camera = pixels.level(record["severity"]) * record["at_camera"]
        beside += f"; {at_camera:.3g} px at the camera"
    return f"{record['level']} ({beside})" if record["level"] else beside


def _interval(record: Plain) -> str:
    low, high = (level_text(record, end) for end in record["interval"])
    return f"; 90 % interval {low} to {high}{_doubt(record)}"


def _doubt(record: Plain) -> str:
    """Return of which parts there are few, and what others might break under clean already."""
    told = ""
    for name, side in record["sides"].items():
        needed = parts_to_show(side["limit"], side["clean"])
        if side["n_parts"] < needed:
            kind = WRONG[name].partition(" ")[0]
            more = f"{needed} would show it" if math.isfinite(needed) else "no number would do"
            told += f"; {side['n_parts']} {kind} parts are few, {more}"
    for name, side in record["sides"].items():
        if side["interval"][0] == 0:
            found = f"{_share(side['clean'])} of {side['n_parts']} {WRONG[name]}"
            allowed = _share(side["limit"])
            told += f"; perhaps under clean already, where {found} and {allowed} may be"
    return told


def level_text(record: Plain, severity: float | None) -> str:
    """Return a severity in the unit of a record, else as such; ``None`` lies beyond the last."""
    if severity is None:
        return f"beyond {level_text(record, SEVEREST)}"
    scale = scale_in(record)
    return f"{scale.level(severity):.3g} {scale.unit}" if scale else f"severity {severity:.3g}"
