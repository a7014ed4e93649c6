"""A tolerance as plain JSON, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.conditions import SEVEREST
from pytest_robustbench.corruptions.catalogue import SEVERITY_UNIT
from pytest_robustbench.corruptions.scale import Scale
from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
from pytest_robustbench.metrics.parts import group_numbers
from pytest_robustbench.metrics.tolerance.breaks import NEVER, breaks_of
from pytest_robustbench.metrics.tolerance.ladder import Ladder
from pytest_robustbench.reports.file.record import shortest
from pytest_robustbench.reports.file.tolerance.model import Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.metrics.tolerance.breaks import Breaks, SideBreak

    Plain = Mapping[str, Any]
    Array = NDArray[np.float64]


def tolerance_record(result: ToleranceResult) -> dict[str, Any]:
    """Return a tolerance in the report's schema."""
    scale, ladder = result.scale, result.ladder
    n = len(result.kept) + len(result.left_out)
    plain = {
        **found_of(result.breaks),
        "unit": scale.unit if scale else "",
        "middle": scale.middle if scale else None,
        "level": result.level,
        "at_camera": result.at_camera,
        "threshold": result.image_threshold,
        "operating_point": result.operating_point,
        "specification": dict(result.specification),
        "left_out": list(result.left_out),
        "ladder": {
            "severity": list(map(float, ladder.severities)),
            "clean": _column(ladder.clean, result.kept, n),
            "score": [[_column(draw, result.kept, n) for draw in rung] for rung in ladder.scores],
        },
    }
    return Tolerance.from_dict(plain).to_dict()


def found_of(breaks: Breaks) -> dict[str, Any]:
    """Return what of a record follows from the scores in it."""
    first = breaks.first
    return {
        "severity": _finite(first.severity),
        "interval": list(map(_finite, first.interval)),
        "broken_by": breaks.broken_by,
        "sides": {name: _side(side) for name, side in breaks.sides.items()},
    }


def _side(side: SideBreak) -> dict[str, Any]:
    return {
        "limit": side.limit,
        "clean": side.clean,
        "n_parts": side.n_parts,
        "rises": side.rises,
        "severity": _finite(side.found.severity),
        "interval": list(map(_finite, side.found.interval)),
    }


def _finite(severity: float) -> float | None:
    return None if severity == NEVER else float(severity)


def _column(scores: Array, kept: Sequence[int], n: int) -> list[float | None]:
    column: list[float | None] = [None] * n
    for position, score in zip(kept, shortest(scores.astype(np.float32)), strict=True):
        column[position] = score
    return column


def tolerance_from_record(condition: Condition, record: Plain, samples: Plain) -> ToleranceResult:
    """Rebuild what `tolerance_record` wrote.

    Parameters
    ----------
    condition : Condition
        Whose record it is.
    record, samples : mapping
        The record, and the columns over the test samples.
    """
    scores = _scores(record["ladder"]["clean"])
    kept = np.flatnonzero(~np.isnan(scores))
    rungs = [[_scores(draw)[kept] for draw in rung] for rung in record["ladder"]["score"]]
    ladder = Ladder(tuple(record["ladder"]["severity"]), scores[kept], np.array(rungs))
    breaks = breaks_of(
        ladder,
        record["threshold"],
        record["specification"]["limits"],
        labels=np.array(samples["label"], np.int64)[kept],
        groups=group_numbers([samples["group"][i] for i in kept]),
    )
    return ToleranceResult(
        condition=condition,
        ladder=ladder,
        breaks=breaks,
        image_threshold=record["threshold"],
        operating_point=record["operating_point"],
        scale=scale_in(record),
        level=record["level"],
        at_camera=record["at_camera"],
        specification=record["specification"],
        left_out=tuple(record["left_out"]),
        kept=tuple(map(int, kept)),
    )


def _scores(column: Sequence[float | None]) -> Array:
    return np.array(column, np.float64).astype(np.float32).astype(np.float64)


def tolerance_in(record: Plain, unit: str) -> float:
    """Return the tolerance of a record as a limit in some unit is held against it."""
    severity = SEVEREST if record["severity"] is None else record["severity"]
    scale = scale_in(record)
    return float(severity) if unit == SEVERITY_UNIT or scale is None else scale.level(severity)


def scale_in(record: Plain) -> Scale | None:
    """Return what severities mean, where a record knows."""
    return Scale(record["unit"], record["middle"]) if record["unit"] else None
