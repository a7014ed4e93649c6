"""Whether a tolerance agrees with itself: it is worked out again from its scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import SEVEREST
from pytest_robustbench.metrics.metric import SIDES
from pytest_robustbench.metrics.tolerance.ladder import STEPS
from pytest_robustbench.reports.file.tolerance.record import found_of, tolerance_from_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.conditions import Condition

    Plain = Mapping[str, Any]

STEP = 1.5 * SEVEREST / STEPS
"""Another processor may add up a mean in another order, and a limit be crossed a step later."""


def tolerance_problems(
    condition: Condition, record: Plain, samples: Plain, point: Plain
) -> Iterator[str]:
    """Say where a tolerance contradicts itself, or the report that it stands in.

    Parameters
    ----------
    condition : Condition
        Whose record it is.
    record, samples, point : mapping
        The record, the columns over the test samples, and the operating point of the report.
    """
    ladder = record["ladder"]
    columns = [ladder["clean"], *(draw for rung in ladder["score"] for draw in rung)]
    present = [tuple(value is not None for value in column) for column in columns]
    left_out = set(record["left_out"])
    expected = {tuple(name not in left_out for name in samples["id"])}
    if set(present) != expected or not left_out <= set(samples["id"]):
        yield "its columns are not those of the samples that it does not leave out"
        return
    if [len(ladder["score"]), 1] != [len(ladder["severity"]), len(set(map(len, ladder["score"])))]:
        yield "its ladder has not as many rungs as severities, or not as many draws at each"
        return
    if (record["threshold"], record["operating_point"]) != (
        point["image_threshold"],
        point["digest"],
    ):
        yield "measured at another operating point than the report's"
    found = found_of(tolerance_from_record(condition, record, samples).breaks)
    for name, stated, again, slack in _numbers(record, found):
        both_known = stated is not None and again is not None
        near = both_known and math.isclose(stated, again, rel_tol=1e-9, abs_tol=slack)
        if not (near or stated is again):
            yield f"{name} is {stated}, but its scores give {again}"


def _numbers(record: Plain, found: Plain) -> Iterator[tuple[str, Any, Any, float]]:
    """Yield every number of a record, what its scores give, and by how much these may differ."""
    yield "severity", record["severity"], found["severity"], STEP
    ends = zip(record["interval"], found["interval"], strict=True)
    yield from (("interval", stated, again, STEP) for stated, again in ends)
    for name in SIDES:
        stated, again = record["sides"][name], found["sides"][name]
        yield f"severity of {name}", stated["severity"], again["severity"], STEP
        for key in ("limit", "clean", "n_parts"):
            yield f"{key} of {name}", stated[key], again[key], 1e-9
