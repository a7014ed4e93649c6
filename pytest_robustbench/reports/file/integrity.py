"""Whether a stored report is whole, and whether it agrees with itself: two questions.

What a report says more than once is worked out again: a file that was cut, merged or edited by hand
contradicts itself somewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import CLEAN, condition_of
from pytest_robustbench.errors import CalibrationError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.gates.summary import summarize
from pytest_robustbench.reports.file.fields import error_record, metrics_of, undefined_of
from pytest_robustbench.reports.file.header import sha256_of
from pytest_robustbench.reports.file.record_integrity import (
    EDITED,
    agree,
    column_problems,
    record_problems,
)
from pytest_robustbench.reports.file.verdict_integrity import verdict_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.reports.file.stored import StoredReport

IDENTITY = (
    "pixel_threshold",
    "image_threshold",
    "pixel_normal_quantile",
    "image_normal_quantile",
    "calibrated_on",
    "digest",
)
"""What the digest of an operating point is made of, and the digest."""


def incompleteness(report: StoredReport) -> Iterator[str]:
    """Say what keeps a report from being that of a complete run."""
    plain = report.plain
    if plain["narrowed"]:
        yield f"the run was narrowed by {', '.join(plain['narrowed'])}"
    for condition in report.conditions:
        if "error" in report.record(condition):
            yield f"{condition} could not be measured: {report.record(condition)['error']}"
    absent = [c for c in _expected(report) if c not in report.conditions]
    if absent:
        yield f"condition(s) {', '.join(absent)} are missing"
    if not plain["complete"]:
        yield "it says itself that it is not complete"
    for part in ("operating_point", "samples"):
        if plain[part] is None:
            yield f"it has no {part}"


def _expected(report: StoredReport) -> list[str]:
    """Return the conditions a complete run has: clean, and what its configuration declares."""
    declared = _declared(report) or ()
    return list(dict.fromkeys([CLEAN.id, *declared, *report.plain["missing"]]))


def _declared(report: StoredReport) -> list[str] | None:
    """Return the conditions of the configuration; ``None`` where it is a Python user's own."""
    declared = report.plain["config"].get("conditions")
    return declared if isinstance(declared, list) and all(map(_is_condition, declared)) else None


def _is_condition(name: object) -> bool:
    try:
        return isinstance(name, str) and condition_of(name).id == name
    except ValueError:
        return False


def contradictions(report: StoredReport, *, judged: bool = True) -> Iterator[str]:
    """Say where a report, complete or not, contradicts itself, worst first.

    Parameters
    ----------
    report : StoredReport
        The report.
    judged : bool
        Whether its limits have been judged; those of a journal have not.
    """
    yield from _header_contradictions(report)
    if _is_prepared(report):
        yield from _record_contradictions(report)
    else:
        yield from misfits(report)
    yield from _summary_contradictions(report)
    if judged:
        yield from verdict_problems(report.plain)


def misfits(report: StoredReport) -> Iterator[str]:
    """Say which columns do not fit together, so that nothing can be worked out from them."""
    if not _is_prepared(report):
        measured = ", ".join(_measured(report))
        if measured:
            yield f"{measured}: measured without an operating point or samples: {EDITED}"
        return
    for condition in _measured(report):
        problems = column_problems(condition, report.samples(condition), report.record(condition))
        yield from (f"{condition}: {problem}" for problem in problems)


def _is_prepared(report: StoredReport) -> bool:
    return None not in (report.plain["operating_point"], report.plain["samples"])


def _measured(report: StoredReport) -> list[str]:
    return [c for c in report.conditions if "error" not in report.record(c)]


def _record_contradictions(report: StoredReport) -> Iterator[str]:
    for condition in _measured(report):
        parts = report.samples(condition), report.record(condition), report.plain["operating_point"]
        yield from (f"{condition}: {found}" for found in record_problems(condition, *parts))


def _header_contradictions(report: StoredReport) -> Iterator[str]:
    plain = report.plain
    for name, key in (("config", "config"), ("dataset", "samples"), ("model", "detector")):
        # Of a benchmark that could not be prepared, data and detector may be unknown.
        is_unknown = not _is_prepared(report) and not plain[key] and plain["sha256"][name] is None
        if not is_unknown and plain["sha256"][name] != sha256_of(plain[key]):
            yield f"sha256.{name} contradicts {key}: {EDITED}"
    yield from _operating_point_contradictions(plain["operating_point"])
    declared = _declared(report)
    extra = [c for c in report.conditions if declared is not None and c not in declared]
    if extra:
        yield f"its configuration does not declare {', '.join(extra)}: {EDITED}"
    if plain["complete"]:
        absent = [c for c in _expected(report) if c not in _measured(report)]
        lacking = [*absent, *plain["narrowed"]]
        if lacking:
            yield f"it says that it is complete, in spite of {', '.join(lacking)}: {EDITED}"
    accepted = plain.get("accepted")
    if accepted and accepted["sha256"] != sha256_of(report.content):
        yield f"accepted.sha256 contradicts the content: {EDITED}"


def _operating_point_contradictions(point: Mapping[str, Any] | None) -> Iterator[str]:
    if point is None:
        return
    try:
        OperatingPoint.from_dict({key: point[key] for key in IDENTITY})
    except CalibrationError as error:
        yield str(error)


def _summary_contradictions(report: StoredReport) -> Iterator[str]:
    """Say which means do not follow: a condition that was taken out is missing in them."""
    absent = error_record("not measured")
    expected = dict.fromkeys([*report.conditions, *_expected(report)])
    pooled = [c for c in expected if not condition_of(c).recorded]
    records = {c: report.record(c) if c in report.conditions else absent for c in pooled}
    found = summarize(
        {c: metrics_of(record) for c, record in records.items()},
        {c: undefined_of(record) for c, record in records.items()},
    ).metrics
    stated = report.plain["robustness_summary"]
    differing = [name for name in found if not agree(stated.get(name), found[name])]
    if differing:
        yield f"robustness_summary.{differing[0]} does not follow from the conditions: {EDITED}"
