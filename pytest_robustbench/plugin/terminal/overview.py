"""One benchmark's overview in the terminal: title, table, notes and report."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.waivers import today
from pytest_robustbench.gates.wording import describe, notes_on_waivers
from pytest_robustbench.plugin.paths import relative
from pytest_robustbench.plugin.results.aggregate_items import problems_of, why_not_judged
from pytest_robustbench.plugin.terminal.layout import tables
from pytest_robustbench.plugin.terminal.table import (
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pytest

    from pytest_robustbench.plugin.results.run_results import Account
    from pytest_robustbench.plugin.terminal.layout import Column, Group

CAUSES_SHOWN = 3
MARKUP: Mapping[str, Mapping[str, bool]] = MappingProxyType(
    {
        VIOLATED: MappingProxyType({"red": True, "bold": True}),
        WAIVED: MappingProxyType({"yellow": True}),
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


def write_benchmark(reporter: pytest.TerminalReporter, account: Account) -> None:
    """Write the overview; without the table under ``-q``."""
    quiet = reporter.config.get_verbosity() < 0
    if account.data_missing:
        text = f"{account.declaration.name}: NOT JUDGED, the data are missing"
        reporter.write_line(text, yellow=True, bold=True)
        return
    reporter.write_line(_title(account), bold=True)
    point = account.header["operating_point"] if account.header else None
    if point is not None:
        reporter.write_line(f"  {CALIBRATED[point['method']].format(point['n_images'])}")
        for line in _recalibrated(point, account.records.get("clean", {})):
            reporter.write_line(f"  {line}")
    if not quiet and len(account.errors) < len(account.records):
        _measured(reporter, account)
    _verdicts(reporter, account)
    if account.missing:
        text = f"missing, not judged: {', '.join(account.missing)}"
        reporter.write_line(f"  {text}", red=True, bold=True)
    if account.terms.resumes:
        told = f"taken over from an earlier run: {len(account.reused)} of {len(account.declared)}"
        reporter.write_line(f"  {told} conditions")
    if account.updated_baseline is not None:
        start = reporter.config.invocation_params.dir
        reporter.write_line(f"  baseline: {relative(account.updated_baseline, start)} (commit it)")
    unjudged = why_not_judged(account)
    if unjudged:
        reporter.write_line(f"  not judged as a whole: {unjudged}", yellow=True)
    if account.header is not None:
        _write_whole(reporter, account, account.header["notes"])
    if account.report_path is not None:
        start = reporter.config.invocation_params.dir
        reporter.write_line(f"  report: {relative(account.report_path, start)}")
    if not quiet:
        reporter.write_line("")


def _write_whole(reporter: pytest.TerminalReporter, account: Account, notes: Sequence[str]) -> None:
    """Write what a reader has to know, and what the benchmark comes to, as the page does.

    Of notes only the header's own: what was taken over is told apart.
    """
    plain, declared = {**account.report().to_dict(), "notes": notes}, account.declaration
    source = Source(plain, problems=tuple(problems_of(account)))
    on_waivers = notes_on_waivers(declared.waivers, account.all_verdicts, today())
    for note in (*notes_on(source, declared.all_limits), *on_waivers):
        reporter.write_line(f"  note: {note}", yellow=True)
    whole = overall(source)
    good, bad = whole.word == "PASS" and not whole.caution, whole.word == "FAIL"
    colour = {"green": good, "red": bad, "yellow": not good and not bad}
    reporter.write_line(f"  {whole.word}: {whole.sentence}", **colour)


def _verdicts(reporter: pytest.TerminalReporter, account: Account) -> None:
    on_summary = account.summary_verdicts()
    if on_summary:
        _tables(reporter, *summary_table(on_summary))
    for verdict in account.all_verdicts:
        if verdict.waived:  # its item is xfailed, and shows nothing
            reporter.write_line(f"  waived: {describe(verdict)}", yellow=True)
    if account.errors:
        for line in _unmeasured(account):
            reporter.write_line(f"  {line}", red=True)
    for line, bad in _compared(account):
        reporter.write_line(f"  {line}", red=bad)


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


def _compared(account: Account) -> Iterator[tuple[str, bool]]:
    """Say what came of the baseline, and whether that is bad.

    The item tells most only where it fails: what it was skipped or passed with is told here.
    """
    if account.baseline_error:
        yield account.baseline_error, True
    yield from ((line, False) for line in account.baseline_changes)
    if account.judged:
        from pytest_robustbench.reports.pages.comparison_text import brief, headline

        tolerated = ("pass",) if account.fails_if_inconclusive else ("pass", "inconclusive")
        for judged in account.judged:
            yield headline(judged), judged.outcome not in tolerated
            yield from ((f"  {line}", False) for line in brief(judged))


def _unmeasured(account: Account) -> Iterator[str]:
    """Say how much could not be measured, and every reason once."""
    share = f"{len(account.errors)} of {len(account.records)} conditions could not be measured:"
    causes = list(dict.fromkeys(str(account.records[c]["error"]) for c in account.errors))
    if len(causes) == 1:
        yield f"{share} {causes[0]}"
        return
    yield share
    yield from (f"  {cause}" for cause in causes[:CAUSES_SHOWN])
    if len(causes) > CAUSES_SHOWN:
        yield f"  (and {len(causes) - CAUSES_SHOWN} other reasons)"


def write_unselected(reporter: pytest.TerminalReporter, names: Sequence[str]) -> None:
    """Name the benchmarks of the YAML that this run did not ask for."""
    for name in names:
        reporter.write_line(f"{name}: NOT JUDGED, deselected", yellow=True, bold=True)


def _title(account: Account) -> str:
    name = account.declaration.name
    if account.header is None:
        return f"{name}: nothing was measured"
    parts = [str(account.header["model"])]
    point = account.header["operating_point"]
    if point is not None:
        threshold = point["pixel_threshold"]
        if threshold is not None:
            parts.append(f"pixel threshold {threshold:.4g}")
        parts.append(f"image threshold {point['image_threshold']:.4g}")
    return f"{name}: " + ", ".join(parts)


def _measured(reporter: pytest.TerminalReporter, account: Account) -> None:
    groups = groups_of(account)
    conditions = [condition for group in groups for condition in group.names]
    _tables(reporter, groups, columns_of(account, conditions))


def _tables(
    reporter: pytest.TerminalReporter, groups: Sequence[Group], columns: Sequence[Column]
) -> None:
    for line in tables(groups, columns):
        for span in line:
            reporter.write(span.text, **MARKUP.get(span.mark, {}))
        reporter.write_line("")
