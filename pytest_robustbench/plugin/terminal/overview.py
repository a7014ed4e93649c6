"""One benchmark's overview in the terminal: title, table, notes and report."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.showing import is_unshown
from pytest_robustbench.gates.waivers import today
from pytest_robustbench.gates.wording import describe, notes_on_waivers
from pytest_robustbench.naming import relative
from pytest_robustbench.plugin.results.aggregate_items import problems_of, why_not_judged
from pytest_robustbench.plugin.terminal.layout import tables
from pytest_robustbench.plugin.terminal.table import (
    UNSHOWN,
    VIOLATED,
    WAIVED,
    columns_of,
    groups_of,
    summary_table,
)
from pytest_robustbench.reports.file.fields import metrics_of
from pytest_robustbench.reports.pages.notes import notes_on
from pytest_robustbench.reports.pages.overall import overall
from pytest_robustbench.reports.pages.source import Source
from pytest_robustbench.reports.pages.tolerances import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults
    from pytest_robustbench.plugin.terminal.layout import Column, Group
    from pytest_robustbench.plugin.terminal.lines import Lines

CAUSES_SHOWN = 3
MARKUP: Mapping[str, Mapping[str, bool]] = MappingProxyType(
    {
        VIOLATED: MappingProxyType({"red": True, "bold": True}),
        WAIVED: MappingProxyType({"yellow": True}),
        UNSHOWN: MappingProxyType({"yellow": True}),
    }
)
CALIBRATED = MappingProxyType(
    {
        "holdout": "calibrated on {} held-out train images",
        "crossfit": "calibrated on all {} train images (crossfit)",
        "images": "calibrated on {} images of their own",
        "given": "at thresholds that were given",
    }
)


def write_benchmark(reporter: Lines, results: BenchmarkResults, title: str) -> None:
    """Write the overview; without the table under ``-q``."""
    quiet = reporter.config.get_verbosity() < 0
    if results.data_missing:
        text = f"{title}: NOT JUDGED, the data are missing"
        reporter.write_line(text, yellow=True, bold=True)
        return
    reporter.write_line(f"{title}: {_measured_at(results)}", bold=True)
    point = results.header["operating_point"] if results.header else None
    if point is not None:
        told = CALIBRATED[point["method"]].format(point["n_images"])
        reporter.write_line(f"  {told}{_promised(point)}")
        for line in _recalibrated(point, results.records.get("clean", {})):
            reporter.write_line(f"  {line}")
    if not quiet and len(results.errors) < len(results.records):
        _measured(reporter, results)
    _verdicts(reporter, results)
    if results.missing:
        text = f"missing, not judged: {', '.join(results.missing)}"
        reporter.write_line(f"  {text}", red=True, bold=True)
    if results.settings.resume:
        share = f"{len(results.reused)} of {len(results.declared)} conditions"
        reporter.write_line(f"  taken over from an earlier run: {share}")
        for remark in results.remarks:
            reporter.write_line(f"  {remark}")
    if results.updated_baseline is not None:
        start = results.settings.start
        reporter.write_line(f"  baseline: {relative(results.updated_baseline, start)} (commit it)")
    unjudged = why_not_judged(results)
    if unjudged:
        reporter.write_line(f"  not judged as a whole: {unjudged}", yellow=True)
    if results.header is not None:
        _write_whole(reporter, results, results.header["notes"])
    if results.report_path is not None:
        start = results.settings.start
        reporter.write_line(f"  report: {relative(results.report_path, start)}")
    if not quiet:
        reporter.write_line("")


def _write_whole(reporter: Lines, results: BenchmarkResults, notes: Sequence[str]) -> None:
    """Write what a reader has to know, and what the benchmark comes to, as the page does.

    Of notes only the header's own: what was taken over has its own line.
    """
    plain, declared = {**results.report().to_dict(), "notes": notes}, results.declaration
    source = Source(plain, problems=tuple(problems_of(results)))
    on_waivers = notes_on_waivers(declared.waivers, results.all_verdicts, today())
    for note in (*notes_on(source, declared.all_limits), *on_waivers):
        reporter.write_line(f"  note: {note}", yellow=True)
    whole = overall(source)
    good, bad = whole.word == "PASS" and not whole.caution, whole.word == "FAIL"
    colour = {"green": good, "red": bad, "yellow": not good and not bad}
    reporter.write_line(f"  {whole.word}: {whole.sentence}", **colour)


def _verdicts(reporter: Lines, results: BenchmarkResults) -> None:
    on_summary = results.summary_verdicts()
    if on_summary:
        _tables(reporter, *summary_table(on_summary))
    quiet = reporter.config.get_verbosity() < 0
    if not quiet and any(is_unshown(verdict) for verdict in results.all_verdicts):
        reporter.write_line(f"  {UNSHOWN} holds on these images, and is not shown for others")
    for verdict in results.all_verdicts:
        if verdict.waived:  # its item is xfailed, and shows nothing
            reporter.write_line(f"  waived: {describe(verdict)}", yellow=True)
    if results.errors:
        for line in _unmeasured(results):
            reporter.write_line(f"  {line}", red=True)
    for line, bad in _compared(results):
        reporter.write_line(f"  {line}", red=bad)


def _promised(point: Mapping[str, Any]) -> str:
    """Return what share of good parts the image threshold will reject."""
    expected = point["expected_false_reject_rate"]
    if expected is None or point["method"] == "given":
        return ""
    from pytest_robustbench.metrics.thresholds.promise import FalseRejects

    most = FalseRejects(point["n_parts"], expected).at_most
    return (
        f": expect {expected:.1%} of good parts rejected, with 95 % confidence at most {most:.1%}"
    )


def _recalibrated(point: Mapping[str, Any], clean: Mapping[str, Any]) -> Iterator[str]:
    """Say what calibrating would change, where the thresholds are frozen and that is known."""
    again = point.get("recalibrated")
    if again is None:
        return
    name = "image" if again["pixel_threshold"] is None else "pixel"
    key = f"{name}_threshold"
    found = _from_to(f"{name} threshold", point[key], again[key])
    metric = "miss_rate" if name == "image" else "pixel_segf1"
    others = clean.get("recalibrated") or {}
    if others.get(metric) is not None:
        found += _from_to(f", clean {metric}", metrics_of(clean)[metric], others[metric])
    yield f"recalibrated: {found}"
    called, promised = again["calibration_normal_fpr"], again["promised_normal_fpr"]
    if called is not None and promised is not None:
        yield (
            f"the frozen pixel threshold calls {called:.2%} of the calibration images' pixels "
            f"defects; promised are {promised:.2%}"
        )


def _from_to(what: str, frozen: float | None, again: float) -> str:
    return f"{what} {'none' if frozen is None else f'{frozen:.4g}'} -> {again:.4g}"


def _compared(results: BenchmarkResults) -> Iterator[tuple[str, bool]]:
    """Say what came of the baseline, and whether that is bad.

    The item tells most only where it fails: what it was skipped or passed with is said here.
    """
    if results.baseline_error:
        yield results.baseline_error, True
    yield from ((line, False) for line in results.baseline_changes)
    if results.judged:
        from pytest_robustbench.reports.pages.comparison_text import brief, headline

        tolerated = ("pass",) if results.fails_if_inconclusive else ("pass", "inconclusive")
        for judged in results.judged:
            yield headline(judged), judged.outcome not in tolerated
            yield from ((f"  {line}", False) for line in brief(judged))


def _unmeasured(results: BenchmarkResults) -> Iterator[str]:
    """Say how much could not be measured, and every reason once."""
    share = f"{len(results.errors)} of {len(results.records)} conditions could not be measured:"
    causes = list(dict.fromkeys(str(results.records[c]["error"]) for c in results.errors))
    if len(causes) == 1:
        yield f"{share} {causes[0]}"
        return
    yield share
    yield from (f"  {cause}" for cause in causes[:CAUSES_SHOWN])
    if len(causes) > CAUSES_SHOWN:
        yield f"  (and {len(causes) - CAUSES_SHOWN} other reasons)"


def _measured_at(results: BenchmarkResults) -> str:
    if results.header is None:
        return "nothing was measured"
    parts = [str(results.header["model"])]
    point = results.header["operating_point"]
    if point is not None:
        threshold = point["pixel_threshold"]
        if threshold is not None:
            parts.append(f"pixel threshold {threshold:.4g}")
        parts.append(f"image threshold {point['image_threshold']:.4g}")
    return ", ".join(parts)


def _measured(reporter: Lines, results: BenchmarkResults) -> None:
    groups = groups_of(results)
    conditions = [condition for group in groups for condition in group.names]
    _tables(reporter, groups, columns_of(results, conditions))
    for line in sentences(results.tolerances, (results.header or {}).get("line_drift")):
        reporter.write_line(f"  {line}")


def _tables(reporter: Lines, groups: Sequence[Group], columns: Sequence[Column]) -> None:
    for line in tables(groups, columns):
        for span in line:
            reporter.write(span.text, **MARKUP.get(span.mark, {}))
        reporter.write_line("")
