"""``report.html``: what goes into the release review, and what an auditor opens a year later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.wording import describe
from pytest_robustbench.reports.pages.html.comparison import comparisons
from pytest_robustbench.reports.pages.html.curves import curves
from pytest_robustbench.reports.pages.html.distributions import (
    image_scores,
    latencies,
    pixel_scores,
)
from pytest_robustbench.reports.pages.html.facts import as_yaml, operating_point, provenance
from pytest_robustbench.reports.pages.html.figures import figure
from pytest_robustbench.reports.pages.html.gallery import gallery
from pytest_robustbench.reports.pages.html.heat_maps import heat_maps
from pytest_robustbench.reports.pages.html.tables import limit_rows, metric_columns, metric_rows
from pytest_robustbench.reports.pages.html.templates import rendered
from pytest_robustbench.reports.pages.html.tolerances import tolerances
from pytest_robustbench.reports.pages.margins import worst_first
from pytest_robustbench.reports.pages.notes import notes_on
from pytest_robustbench.reports.pages.overall import overall
from pytest_robustbench.reports.pages.source import AT_A_GLANCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_robustbench.reports.pages.source import Edition, Source

BADGES = {"PASS": "pass", "FAIL": "fail", "INCOMPLETE": "open", "NOT JUDGED": "open"}
CAUTION = "open"
SHOWN_VIOLATIONS = 8


def report_html(edition: Edition) -> str:
    """Return one page about several benchmarks; pictures are looked for beside their reports."""
    chapters = [_chapter(source, edition.start) for source in edition.sources]
    absent = [(BADGES[one.word], one) for one in edition.unreported]
    return rendered("report.html", chapters=chapters, unreported=absent)


def _chapter(source: Source, start: Path) -> dict[str, Any]:
    """Return everything that the page says of one benchmark."""
    plain, whole = source.plain, overall(source)
    return {
        "name": source.title,
        "subtitle": _subtitle(source),
        "badge": CAUTION if whole.caution else BADGES[whole.word],
        "overall": whole,
        "tiles": list(_tiles(source)),
        "problems": list(_problems(source)),
        "notes": list(notes_on(source, source.declared_limits)),
        "heat_maps": list(heat_maps(source)),
        "tolerances": tolerances(source),
        "curves": list(curves(source)),
        "point": operating_point(plain),
        "pixel_scores": pixel_scores(source),
        "image_scores": image_scores(source),
        "latency": _latency(source),
        "latencies": latencies(source),
        "comparisons": list(comparisons(source)),
        "limits": limit_rows(source),
        "metric_columns": metric_columns(source),
        "metric_rows": list(metric_rows(source)),
        "gallery": list(gallery(source, start)),
        "provenance": list(provenance(plain)),
        "config": as_yaml(plain["config"]),
        "detector": as_yaml(plain["detector"]),
    }


def _subtitle(source: Source) -> str:
    plain = source.plain
    started = str(plain["started"]).replace("T", " ").replace("+00:00", " UTC")
    parts = [plain["model"], f"{plain['dataset']} {plain['category']}", started]
    return " \N{MIDDLE DOT} ".join(map(str, parts))


def _tiles(source: Source) -> Iterator[dict[str, Any]]:
    summary = source.plain["robustness_summary"]
    for metric in AT_A_GLANCE:
        clean = summary.get(f"clean_{metric}")
        if clean is not None:
            pooled = {k: figure(summary.get(f"{k}_corruption_{metric}")) for k in ("mean", "worst")}
            yield {"metric": metric, "clean": figure(clean), **pooled}


def _problems(source: Source) -> Iterator[tuple[str, str]]:
    """Yield what keeps a model from shipping: a class of the style, and a line."""
    yield from (("fail", problem) for problem in source.problems)
    for error, conditions in source.causes.items():
        yield "error", f"{', '.join(conditions)} could not be measured: {error}"
    violated = [v for v in source.verdicts if v.violated and v.condition not in source.errors]
    for verdict in worst_first(violated)[:SHOWN_VIOLATIONS]:
        yield "fail", describe(verdict)
    if len(violated) > SHOWN_VIOLATIONS:
        yield "fail", f"and {len(violated) - SHOWN_VIOLATIONS} more: see the table of limits"
    yield from (("open", describe(verdict)) for verdict in source.verdicts if verdict.open)
    if source.absent:
        yield "open", f"not measured in this run: {', '.join(source.absent)}"
    for verdict in source.verdicts:
        if verdict.waived:
            yield "waived", describe(verdict)


def _latency(source: Source) -> str:
    record = source.measured.get("clean")
    if record is None:
        return ""
    latency = record["latency"]
    return (
        f"Batch size {latency['batch_size']}, {latency['count']} timed calls under clean, "
        f"device {source.plain['environment']['device']}"
    )
