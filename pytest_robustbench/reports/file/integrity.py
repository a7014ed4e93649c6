"""Whether a report is whole, and whether it agrees with itself: two questions.

What a report says more than once is worked out again: metrics from the columns over images, the
summary from the conditions, verdicts from values and limits, comparisons from their verdicts. What
is said once, such as the configuration, is held by the digest of the content alone.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import CLEAN, condition_of
from pytest_robustbench.errors import ConfigError, ReportError
from pytest_robustbench.gates.judgement import judge
from pytest_robustbench.gates.limits import SUMMARY, Demand
from pytest_robustbench.gates.regression.changes import comparable_metrics
from pytest_robustbench.gates.regression.verdicts import worst_of
from pytest_robustbench.gates.showing import held_to
from pytest_robustbench.gates.summary import summarize
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.plain_json import DIGEST, is_sealed
from pytest_robustbench.reports.file.fields import (
    error_record,
    is_measured,
    metrics_of,
    ranking_error_of,
    undefined_of,
)
from pytest_robustbench.reports.file.record_integrity import (
    EDITED,
    agree,
    column_problems,
    record_problems,
)
from pytest_robustbench.reports.file.stored import REMEDY, read_stored
from pytest_robustbench.reports.file.tolerance.integrity import tolerance_problems
from pytest_robustbench.reports.file.tolerance.record import tolerance_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_robustbench.gates.limits import Outcome, Verdict
    from pytest_robustbench.reports.file.stored import StoredReport

    Plain = Mapping[str, Any]

SHOWN_PROBLEMS = 3
COMPLETE_REMEDY = (
    "measure every declared condition in one run, without narrowing options; or, if the run was "
    "complete, the file has been damaged since: restore it from version control"
)


def read_comparable(path: Path) -> StoredReport:
    """Read a report that may serve as baseline or as candidate.

    Raises
    ------
    ReportError
        If it cannot be read, was edited, is not that of a complete run, or contradicts itself: with
        the path, what is wrong, and the remedy.
    """
    report = read_stored(path)
    require_comparable(report)
    return report


def require_comparable(report: StoredReport) -> None:
    """Refuse a report, read or just measured, that may not be compared.

    Raises
    ------
    ReportError
        If it was edited, is not that of a complete run, or contradicts itself.
    """
    what = f"{report.path} cannot be compared"
    refuse(what, incompleteness(report), COMPLETE_REMEDY)
    refuse(what, contradictions(report), REMEDY)


def refuse(what: str, problems: Iterator[str], remedy: str) -> None:
    """Raise the first problems in one message: one edit may contradict many things.

    Parameters
    ----------
    what : str
        What cannot be done because of them, and with which file.
    problems : iterator of str
        Nothing is raised where there are none.
    remedy : str
        What would be right.

    Raises
    ------
    ReportError
        If there is a problem.
    """
    shown = list(islice(problems, SHOWN_PROBLEMS))
    if not shown:
        return
    more = " (and more)" if next(problems, None) is not None else ""
    raise ReportError(f"{what}: {'; '.join(shown)}{more}; {remedy}")


def incompleteness(report: StoredReport) -> Iterator[str]:
    """Say what keeps a report from being that of a complete run."""
    plain = report.plain
    if plain["narrowed"]:
        yield f"the run was narrowed by {', '.join(plain['narrowed'])}"
    if plain.get("trouble"):
        yield plain["trouble"]
    for condition, record in report.everything.items():
        if "error" in record:
            yield f"{condition} could not be measured: {record['error']}"
    absent = [c for c in _expected(report) if c not in report.everything]
    if absent:
        yield f"condition(s) {', '.join(absent)} are missing"
    if not plain["complete"]:
        yield "it says itself that it is not complete"
    for part in ("operating_point", "samples"):
        if plain[part] is None:
            yield f"it has no {part}"


def _expected(report: StoredReport) -> list[str]:
    """Return the conditions a complete run has: clean, and what its configuration declares."""
    declared = _declared_conditions(report) or ()
    return list(dict.fromkeys([CLEAN.id, *declared, *report.plain["missing"]]))


def _declared_conditions(report: StoredReport) -> list[str] | None:
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
    if not is_sealed(report.plain):
        yield f"{DIGEST} contradicts the content: {EDITED}"
    yield from _completeness_contradictions(report)
    if _is_prepared(report):
        for condition, record in report.measured.items():
            if set(record.get("own_metrics", {})) != set(report.plain.get("own_metrics", {})):
                yield f"{condition} has not the metrics that the report defines: {EDITED}"
            parts = report.samples(condition), record, report.plain["operating_point"]
            yield from (f"{condition}: {found}" for found in record_problems(condition, *parts))
        for name, record in _tolerances(report).items():
            parts = record, report.plain["samples"], report.plain["operating_point"]
            found = tolerance_problems(condition_of(name), *parts)
            yield from (f"{name}: {problem}: {EDITED}" for problem in found)
    else:
        yield from misfits(report)
    yield from _summary_contradictions(report)
    if judged:
        yield from _verdict_contradictions(report)
        for compared in report.plain.get("regression", ()):
            yield from _comparison_contradictions(report, compared)


def misfits(report: StoredReport) -> Iterator[str]:
    """Say which columns do not fit together, so that nothing can be worked out from them."""
    if not _is_prepared(report):
        measured = ", ".join([*report.measured, *_tolerances(report)])
        if measured:
            yield f"{measured}: measured without an operating point or samples: {EDITED}"
        return
    for condition, record in report.measured.items():
        problems = column_problems(condition, report.samples(condition), record)
        yield from (f"{condition}: {problem}" for problem in problems)


def _tolerances(report: StoredReport) -> dict[str, Plain]:
    return {name: record for name, record in report.tolerances.items() if is_measured(record)}


def _is_prepared(report: StoredReport) -> bool:
    return None not in (report.plain["operating_point"], report.plain["samples"])


def _completeness_contradictions(report: StoredReport) -> Iterator[str]:
    declared = _declared_conditions(report)
    extra = [c for c in report.everything if declared is not None and c not in declared]
    if extra:
        yield f"its configuration does not declare {', '.join(extra)}: {EDITED}"
    if report.plain["complete"]:
        measured = {**report.measured, **_tolerances(report)}
        absent = [c for c in _expected(report) if c not in measured]
        told = [*absent, *report.plain["narrowed"], report.plain.get("trouble", "")]
        lacking = ", ".join(filter(None, told))
        if lacking:
            yield f"it says that it is complete, in spite of {lacking}: {EDITED}"


def _summary_contradictions(report: StoredReport) -> Iterator[str]:
    """Say which means do not follow: a condition that was taken out is missing in them."""
    absent = error_record("not measured")
    expected = dict.fromkeys([*report.conditions, *_expected(report)])
    pooled = [c for c in expected if condition_of(c).is_pooled]
    records = {c: report.records.get(c, absent) for c in pooled}
    found = summarize(
        {c: metrics_of(record) for c, record in records.items()},
        {c: undefined_of(record) for c, record in records.items()},
    ).metrics
    stated = report.plain["robustness_summary"]
    differing = [name for name in found if not agree(stated.get(name), found[name])]
    if differing:
        yield f"robustness_summary.{differing[0]} does not follow from the conditions: {EDITED}"


# ---- verdicts ----------------------------------------------------------------------------------


def _verdict_contradictions(report: StoredReport) -> Iterator[str]:
    """Say which verdicts contradict the rest of a report, and which are missing."""
    complete = report.plain["complete"]
    declared = {
        (condition, metric): bounds
        for (condition, metric), bounds in report.declared.items()
        if condition in report.everything or (condition == SUMMARY and complete)
    }
    for verdict, plain in zip(report.verdicts, report.plain["verdicts"], strict=True):
        problem = _verdict_problem(verdict, report) or _undeclared(verdict, report, declared)
        if not problem and plain.get("shown", False) != verdict.shown:
            problem = f"says of being shown what its bound does not: {EDITED}"
        if problem:
            yield f"the verdict on {verdict.limit.metric} of {verdict.condition} {problem}"
    judged = {(v.condition, v.limit.metric) for v in report.verdicts}
    lacking = [f"{metric} of {c}" for c, metric in declared.keys() - judged]
    if lacking:
        yield f"limits are declared, and not judged: {', '.join(sorted(lacking))}: {EDITED}"


def _verdict_problem(verdict: Verdict, report: StoredReport) -> str:
    found = _value_of(verdict, report)
    if not agree(verdict.value, found):
        return f"is on {verdict.value}, but that metric is {found}: {EDITED}"
    if verdict.outcome != _outcome(verdict, report):
        return f"is {verdict.outcome!r}, but its value says otherwise: {EDITED}"
    return ""


def _value_of(verdict: Verdict, report: StoredReport) -> float | None:
    """Return what the rest of a report says of what a verdict is on."""
    if verdict.condition == SUMMARY:
        summary: Mapping[str, float | None] = report.plain["robustness_summary"]
        return summary.get(verdict.limit.metric)
    along = report.tolerances.get(verdict.condition)
    if along is not None:
        return tolerance_in(along, verdict.limit.unit) if is_measured(along) else None
    return report.metrics.get(verdict.condition, {}).get(verdict.limit.metric)


def _outcome(verdict: Verdict, report: StoredReport) -> Outcome:
    """Judge a value again; how exact a summary is, a report does not tell."""
    metric, record = verdict.limit.metric, report.everything.get(verdict.condition)
    if record is None and verdict.outcome == "error":
        return "error"
    errors = {} if record is None else ranking_error_of(record)
    (judged,) = judge(verdict.condition, [verdict.limit], {metric: verdict.value}, {}, errors)
    return held_to(replace(verdict, outcome=judged.outcome), _demand(verdict, report)).outcome


def _demand(verdict: Verdict, report: StoredReport) -> Demand | None:
    """Return what the configuration demands; of a Python user's own, what the verdict says."""
    is_tolerance = verdict.condition in report.tolerances
    try:
        if report.declared:
            declared = report.plain["config"].get("demand")
            return Demand(**declared) if declared else Demand() if is_tolerance else None
        is_unshown = is_tolerance or verdict.outcome == "not shown"
        return Demand(verdict.confidence, verdict.unsure) if is_unshown else None
    except ConfigError as error:
        raise ReportError(f"{report.path}: {error}") from None


def _undeclared(
    verdict: Verdict, report: StoredReport, declared: Mapping[tuple[str, str], object]
) -> str:
    """Say what a verdict rests on that the configuration does not declare."""
    limit, place = verdict.limit, (verdict.condition, verdict.limit.metric)
    if declared.get(place, {limit.bound: limit.value}) != {limit.bound: limit.value}:
        return f"is on {limit.bound} {limit.value}, but {declared[place]} is declared: {EDITED}"
    waivers = report.plain["config"].get("waivers")
    if verdict.waiver is None or not declared or not isinstance(waivers, list):
        return ""
    waiver = {"condition": place[0], "metric": place[1], "until": verdict.waiver.until.isoformat()}
    is_declared = any(isinstance(w, dict) and waiver.items() <= w.items() for w in waivers)
    return "" if is_declared else f"is waived, but no such waiver is declared: {EDITED}"


# ---- comparisons -------------------------------------------------------------------------------


def _comparison_contradictions(report: StoredReport, compared: Plain) -> Iterator[str]:
    """Say where a comparison contradicts itself, or lacks what is declared.

    Its statistics rest on the baseline's images too, and cannot be worked out again here.
    """
    what = f"the comparison with the {compared['role']} {compared['baseline']}"
    verdicts = compared["verdicts"]
    worst = worst_of(verdict["outcome"] for verdict in verdicts)
    if compared["outcome"] != ("error" if compared["problems"] else worst):
        yield f"{what} contradicts its own verdicts: {EDITED}"
    for verdict in verdicts:
        problem = _change_problem(verdict)
        if problem:
            yield f"{what}: {verdict['metric']} of {verdict['condition']} {problem}: {EDITED}"
    lacking = [] if compared["problems"] else list(_lacking(report, verdicts))
    if lacking:
        yield f"{what} lacks {', '.join(lacking)}, which is declared: {EDITED}"


def _change_problem(verdict: Plain) -> str:
    """Say what the numbers of a verdict cannot be together; empty where they can."""
    baseline, candidate, loss = verdict["baseline"], verdict["candidate"], verdict["loss"]
    metric = metric_called(verdict["metric"])
    if metric.is_latency:  # judged on the calls of both, not on these two numbers
        return ""
    if loss is None or baseline is None or candidate is None:
        return "passes without a value" if verdict["outcome"] == "pass" else ""
    found = metric.sign * (candidate - baseline)
    if not agree(loss, found):
        return f"loses {loss}, but its values differ by {found}"
    allowed = verdict["allowed"]
    if verdict["outcome"] == "pass" and allowed is not None and loss > allowed:
        return f"passes with a loss of {loss}, more than the {allowed} allowed"
    if verdict["outcome"] == "regressed" and allowed is not None and loss <= allowed:
        return f"regressed with a loss of {loss}, within the {allowed} allowed"
    return ""


def _lacking(report: StoredReport, verdicts: list[Plain]) -> Iterator[str]:
    """Yield the declared metrics, with their conditions, that no verdict speaks of."""
    declared = report.plain["config"].get("regression")
    if not report.declared or not isinstance(declared, dict):
        return
    found = {(verdict["condition"], verdict["metric"]) for verdict in verdicts}
    for metric in (m for m in comparable_metrics() if isinstance(declared.get(m), dict)):
        if metric_called(metric).is_latency:
            expected = ["run"]
        else:  # of a recorded set some metrics have no images to speak of
            expected = [c for c in report.measured if not report.conditions[c].recorded]
        yield from (f"{metric} of {c}" for c in expected if (c, metric) not in found)
