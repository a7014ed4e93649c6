"""Whether a report is whole, and whether it agrees with itself: two questions.

What a report says more than once is worked out again: metrics from the columns over images, the
summary from the conditions, verdicts from values and limits, comparisons from their verdicts. An
edit that changed the digest of the content too contradicts itself somewhere.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.conditions import CLEAN, condition_of
from pytest_robustbench.datasets.split import listed
from pytest_robustbench.errors import ReportError
from pytest_robustbench.evaluation.measure.measures import SEGF1_METRICS, SWITCHED_OFF
from pytest_robustbench.gates.judgement import judge
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.gates.regression.changes import comparable_metrics
from pytest_robustbench.gates.regression.verdicts import WORST_FIRST
from pytest_robustbench.gates.summary import summarize
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.measured import NO_MAPS, measure, value_of
from pytest_robustbench.metrics.outcomes import COUNTS
from pytest_robustbench.plain_json import DIGEST, is_sealed
from pytest_robustbench.reports.file.fields import (
    error_record,
    metrics_of,
    ranking_error_of,
    undefined_of,
)
from pytest_robustbench.reports.file.journal import BenchmarkEntry, read_journal
from pytest_robustbench.reports.file.record import outcomes_of
from pytest_robustbench.reports.file.record_model import Measured
from pytest_robustbench.reports.file.stored import REMEDY, read_stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_robustbench.gates.limits import Outcome, Verdict
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.metrics.ranking.exact import Ranking
    from pytest_robustbench.reports.file.journal import ConditionEntry
    from pytest_robustbench.reports.file.model import Header
    from pytest_robustbench.reports.file.stored import StoredReport

    Plain = Mapping[str, Any]

TRIVIAL = dict(zip(("trivial_segf1", "trivial_segf1_per_image"), SEGF1_METRICS, strict=True))
"""What a metric would be if every pixel were called."""
TOLERANCE = 1e-9  # another processor may add up a mean in another order
CALL_TOLERANCE = 2e-3  # single calls are stored to four digits
EDITED = "it was edited after it was measured"
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
    refuse(f"{path} cannot be compared", incompleteness(report), COMPLETE_REMEDY)
    refuse(f"{path} cannot be compared", contradictions(report), REMEDY)
    return report


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
    for condition, record in report.records.items():
        if "error" in record:
            yield f"{condition} could not be measured: {record['error']}"
    absent = [c for c in _expected(report) if c not in report.records]
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
            parts = report.samples(condition), record, report.plain["operating_point"]
            yield from (f"{condition}: {found}" for found in record_problems(condition, *parts))
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
        measured = ", ".join(report.measured)
        if measured:
            yield f"{measured}: measured without an operating point or samples: {EDITED}"
        return
    for condition, record in report.measured.items():
        problems = _column_problems(condition, report.samples(condition), record)
        yield from (f"{condition}: {problem}" for problem in problems)


def _is_prepared(report: StoredReport) -> bool:
    return None not in (report.plain["operating_point"], report.plain["samples"])


def _completeness_contradictions(report: StoredReport) -> Iterator[str]:
    declared = _declared_conditions(report)
    extra = [c for c in report.conditions if declared is not None and c not in declared]
    if extra:
        yield f"its configuration does not declare {', '.join(extra)}: {EDITED}"
    if report.plain["complete"]:
        absent = [c for c in _expected(report) if c not in report.measured]
        lacking = [*absent, *report.plain["narrowed"]]
        if lacking:
            yield f"it says that it is complete, in spite of {', '.join(lacking)}: {EDITED}"


def _summary_contradictions(report: StoredReport) -> Iterator[str]:
    """Say which means do not follow: a condition that was taken out is missing in them."""
    absent = error_record("not measured")
    expected = dict.fromkeys([*report.conditions, *_expected(report)])
    pooled = [c for c in expected if not condition_of(c).recorded]
    records = {c: report.records.get(c, absent) for c in pooled}
    found = summarize(
        {c: metrics_of(record) for c, record in records.items()},
        {c: undefined_of(record) for c, record in records.items()},
    ).metrics
    stated = report.plain["robustness_summary"]
    differing = [name for name in found if not _agree(stated.get(name), found[name])]
    if differing:
        yield f"robustness_summary.{differing[0]} does not follow from the conditions: {EDITED}"


def reusable_records(journal: Path) -> Iterator[tuple[ConditionEntry, dict[str, Any]]]:
    """Yield the measured conditions of a journal that agree with themselves, with their records.

    What does not, or stands in a journal that was edited, is as if never written.
    """
    headers: dict[str, Header] = {}
    try:
        entries = read_journal(journal)
    except ReportError:
        return
    for entry in entries:
        if isinstance(entry, BenchmarkEntry):
            headers.setdefault(entry.benchmark, entry.header)
        elif isinstance(entry.record, Measured) and entry.benchmark in headers:
            record, header = entry.record.to_dict(), headers[entry.benchmark].to_dict()
            samples, point = record.get("samples") or header["samples"], header["operating_point"]
            if samples and point and not record_problems(entry.condition, samples, record, point):
                yield entry, record


# ---- one condition -----------------------------------------------------------------------------


def record_problems(condition: str, samples: Plain, record: Plain, point: Plain) -> list[str]:
    """Return where the record of a measured condition contradicts itself.

    Parameters
    ----------
    condition : str
        Its id.
    samples, record, point : mapping
        The columns over its images, the record, and the operating point of the report.
    """
    columns = _column_problems(condition, samples, record)
    if columns:  # metrics over columns that do not fit would only repeat the message, or raise
        return columns
    outcomes = outcomes_of(record, samples["label"])
    return [
        *_threshold_contradictions(point, record),
        *_count_contradictions(samples, outcomes),
        *_metric_contradictions(record, outcomes),
        *_latency_contradictions(record),
    ]


def _column_problems(condition: str, samples: Plain, record: Plain) -> list[str]:
    """Return what is wrong with the columns of one condition: lengths, ids, nulls."""
    if bool(condition_of(condition).recorded) != bool(record.get("samples")):
        return ["a recorded set, and nothing else, has samples of its own"]
    lengths = {f"samples.{k}": len(v) for k, v in samples.items()}
    lengths |= {f"per_image.{k}": len(v) for k, v in record["per_image"].items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {n}" for name, n in lengths.items())
        return [f"columns differ in length ({told})"]
    strangers = {*record["left_out"], *record["unknown_masks"]} - {*samples["id"]}
    if strangers:
        return [f"left_out or unknown_masks name no image of it: {listed(sorted(strangers))}"]
    pairs = zip(samples["id"], samples["mask_known"], strict=True)
    if record["unknown_masks"] != [i for i, known in pairs if not known]:
        return [f"unknown_masks contradicts samples.mask_known: {EDITED}"]
    return list(_null_problems(samples, record))


def _null_problems(samples: Plain, record: Plain) -> Iterator[str]:
    """Say where a null stands for a number that must be there, or the reverse."""
    ids, per_image = samples["id"], record["per_image"]
    left_out = set(record["left_out"])
    measured = np.array([i not in left_out for i in ids])
    known = measured & np.array(samples["mask_known"], np.bool_) & counts_pixels(record)
    expected = {"score": measured, "digest": measured, **dict.fromkeys(COUNTS, known)}
    for name, present in expected.items():
        found = np.array([value is not None for value in per_image[name]])
        lost = [ids[i] for i in np.flatnonzero(present & ~found)]
        if lost:
            yield f"per_image.{name} is null for {listed(lost)}, and nothing says why"
        more = [ids[i] for i in np.flatnonzero(found & ~present)]
        if more:
            yield f"per_image.{name} has a value for {listed(more)}, which does not count there"


def counts_pixels(record: Plain) -> bool:
    """Return whether pixels are counted at all: there are maps, and a threshold for them."""
    has_threshold = record["results"]["pixel_metrics"]["pixel_threshold"] is not None
    return has_threshold and record["undefined"].get("bg_fpr") != NO_MAPS


def _threshold_contradictions(point: Plain, record: Plain) -> Iterator[str]:
    results = record["results"]
    used = (results["pixel_metrics"]["pixel_threshold"], results["threshold"])
    frozen = (point["pixel_threshold"], point["image_threshold"])
    if used != frozen:
        yield f"measured at thresholds {used}, but the operating point is {frozen}"
    if record["operating_point"] != point["digest"]:
        yield "measured at another operating point than the report's: their digests differ"


def _count_contradictions(samples: Plain, outcomes: Outcomes) -> Iterator[str]:
    """Say which counts no image can have; a corruption may ignore pixels, so fewer are fine."""
    defect, background = outcomes.tp + outcomes.fn, outcomes.fp + outcomes.tn
    normal = ~outcomes.defective & (defect > 0)
    if normal.any():
        ids = [samples["id"][i] for i in np.flatnonzero(normal)]
        yield f"normal images with defect pixels: {listed(ids)}"
    large = defect + background > np.prod(np.array(samples["shape"], np.int64), axis=1)
    if large.any():
        ids = [samples["id"][i] for i in np.flatnonzero(large)]
        yield f"more pixels are counted than the image has: {listed(ids)}"


def _metric_contradictions(record: Plain, outcomes: Outcomes) -> Iterator[str]:
    """Say which metrics do not follow from the columns, or are null without a reason."""
    stated, undefined = metrics_of(record), undefined_of(record)
    nulls = {name for name, value in stated.items() if value is None}
    if nulls != set(undefined):
        names = ", ".join(sorted(nulls ^ set(undefined)))
        yield f"null and undefined disagree on {names}: a null needs a reason"
    stated |= {name: record["results"]["pixel_metrics"][name] for name in TRIVIAL}
    scores = outcomes.score[outcomes.measured].astype(np.float32)
    labels = outcomes.labels[outcomes.measured]
    for name, value in _metrics(record, outcomes, rank_images(scores, labels)).items():
        if not _agree(stated[name], value):
            yield f"{name} is {stated[name]}, but its columns give {value}"
    counts = record["results"]["metrics"]
    for name in COUNTS:
        number = int(getattr(outcomes, f"image_{name}").sum())
        if counts[name] != number:
            yield f"{name} is {counts[name]}, but its scores give {number}"
    best = best_f1(scores, labels)
    if record["results"]["best_f1"] != (None if best is None else best._asdict()):
        yield "best_f1 does not follow from the scores"


def _metrics(record: Plain, outcomes: Outcomes, ranking: Ranking) -> dict[str, float | None]:
    """Return every metric that follows from scores and counts."""
    given = {"auroc": ranking.auroc, "average_precision": ranking.average_precision}
    rows = [m for m in BUILT_IN if m.formula is not None or m.name in given]
    measured = measure(outcomes, rows, given)
    if record["undefined"].get(SEGF1_METRICS[0]) == SWITCHED_OFF:
        measured = measured.without(SEGF1_METRICS, SWITCHED_OFF)
    everything_called = outcomes.all_called()
    trivial = {t: value_of(metric_called(m), everything_called) for t, m in TRIVIAL.items()}
    return {**measured.values, **trivial}


def _latency_contradictions(record: Plain) -> Iterator[str]:
    latency = record["latency"]
    calls = np.array(latency["calls_ms"])
    found = {
        "reference_ms": float(np.median(latency["reference_calls_ms"])),
        "median_ms": float(np.median(calls)),
        "p95_ms": float(np.quantile(calls, 0.95)),
        "mean_ms": float(calls.mean()),
        "relative": latency["median_ms"] / latency["reference_ms"],
    }
    if latency["count"] != calls.size:
        yield f"latency.count is {latency['count']}, but there are {calls.size} calls"
    if record["latency_ms_per_image"] != latency["median_ms"]:
        yield "latency_ms_per_image contradicts latency.median_ms"
    for name, value in found.items():
        if not math.isclose(latency[name], value, rel_tol=CALL_TOLERANCE, abs_tol=TOLERANCE):
            yield f"latency.{name} is {latency[name]:g}, but the calls give {value:g}"


def _agree(stated: float | None, found: float | None) -> bool:
    """Return whether a metric is what was worked out again, but for the last digits."""
    if stated is None or found is None:
        return stated is found
    return math.isclose(stated, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


# ---- verdicts ----------------------------------------------------------------------------------


def _verdict_contradictions(report: StoredReport) -> Iterator[str]:
    """Say which verdicts contradict the rest of a report, and which are missing."""
    complete = report.plain["complete"]
    declared = {
        (condition, metric): bounds
        for (condition, metric), bounds in report.declared.items()
        if condition in report.records or (condition == SUMMARY and complete)
    }
    for verdict in report.verdicts:
        problem = _verdict_problem(verdict, report) or _undeclared(verdict, report, declared)
        if problem:
            yield f"the verdict on {verdict.limit.metric} of {verdict.condition} {problem}"
    judged = {(v.condition, v.limit.metric) for v in report.verdicts}
    lacking = [f"{metric} of {c}" for c, metric in declared.keys() - judged]
    if lacking:
        yield f"limits are declared, and not judged: {', '.join(sorted(lacking))}: {EDITED}"


def _verdict_problem(verdict: Verdict, report: StoredReport) -> str:
    summary: Mapping[str, float | None] = report.plain["robustness_summary"]
    values = report.metrics.get(verdict.condition, {})
    found = (summary if verdict.condition == SUMMARY else values).get(verdict.limit.metric)
    if not _agree(verdict.value, found):
        return f"is on {verdict.value}, but that metric is {found}: {EDITED}"
    if verdict.outcome != _outcome(verdict, report):
        return f"is {verdict.outcome!r}, but its value says otherwise: {EDITED}"
    return ""


def _outcome(verdict: Verdict, report: StoredReport) -> Outcome:
    """Judge a value again; how exact a summary is, a report does not tell."""
    metric, record = verdict.limit.metric, report.records.get(verdict.condition)
    if record is None and verdict.outcome == "error":
        return "error"
    errors = {} if record is None else ranking_error_of(record)
    (judged,) = judge(verdict.condition, [verdict.limit], {metric: verdict.value}, {}, errors)
    return judged.outcome


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
    outcomes = {verdict["outcome"] for verdict in verdicts} or {"error"}
    worst = next(outcome for outcome in WORST_FIRST if outcome in outcomes)
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
    if not _agree(loss, found):
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
