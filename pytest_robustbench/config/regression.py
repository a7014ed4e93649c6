"""The comparison with stored reports that a benchmark declares."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from pytest_robustbench.config.complaints import shown
from pytest_robustbench.config.declarations import RegressionDeclaration
from pytest_robustbench.gates.regression.changes import COMPARABLE, AllowedChange, boundless

if TYPE_CHECKING:
    from pytest_robustbench.config.models import Benchmark, Comparison
    from pytest_robustbench.config.page import Page

NOTHING_JUDGED = (
    "regression names no metric, so that nothing would be judged; name one at least, such as "
    "pixel_segf1: {max_drop: 0.05}"
)


def regression_of(model: Benchmark, page: Page) -> RegressionDeclaration | None:
    """Return the declared comparison with a baseline, if there is one."""
    declared = model.regression
    if declared is None:
        return None
    if declared.baseline is None:
        page.complain("'baseline' is missing under regression", "regression")
        return None
    _check_places(declared, page)
    return RegressionDeclaration(
        declared.baseline,
        declared.anchor,
        _changes(declared, page),
        declared.min_overlap,
        declared.strict_pixels,
        declared.inconclusive,
        page.source("regression"),
    )


def _check_places(declared: Comparison, page: Page) -> None:
    for key in ("baseline", "anchor"):
        template = getattr(declared, key)
        if isinstance(template, str) and _wrong_placeholder(template):
            message = f"regression.{key} may hold {{name}} in braces, found {shown(template)}"
            page.complain(message, "regression", key)
    if declared.anchor is not None and declared.anchor == declared.baseline:
        message = (
            "regression.anchor is the baseline itself; name a report that stays when the baseline "
            "is replaced, or leave anchor out"
        )
        page.complain(message, "regression", "anchor")


def _wrong_placeholder(template: str) -> bool:
    try:
        fields = [part[1:] for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError:
        return True
    return any(field != ("name", "", None) for field in fields)


def _changes(declared: Comparison, page: Page) -> tuple[AllowedChange, ...]:
    named = [metric for metric in COMPARABLE if getattr(declared, metric) is not None]
    if not named:
        page.complain(NOTHING_JUDGED, "regression")
    return tuple(_change(metric, declared, page) for metric in named)


def _change(metric: str, declared: Comparison, page: Page) -> AllowedChange:
    written = getattr(declared, metric)
    place = ("regression", metric, written.bound)
    change = AllowedChange(
        metric, written.bound, written.value, written.relative, page.source(*place)
    )
    if boundless(change):
        page.complain(_never_fails(change), *place)
    return change


def _never_fails(change: AllowedChange) -> str:
    where = f"regression.{change.metric}.{change.bound}"
    if change.relative:
        return (
            f"{where} of {change.value:g} with relative: true allows the whole value to be lost: "
            "nothing could ever fail; write 0.05 for 5 %"
        )
    return (
        f"{where} of {change.value:g} is the whole range of {change.metric}: nothing could ever "
        "fail; write 0.05 for 5 percentage points"
    )
