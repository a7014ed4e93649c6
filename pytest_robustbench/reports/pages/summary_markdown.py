"""``summary.md``: what a reviewer of a pull request needs to know, on one screen."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.gates.wording import describe, shown
from pytest_robustbench.reports.pages.margins import margin, worst_first
from pytest_robustbench.reports.pages.notes import notes_on
from pytest_robustbench.reports.pages.overall import overall, tolerates_inconclusive
from pytest_robustbench.reports.pages.plain_markdown import escaped, table
from pytest_robustbench.reports.pages.tolerances import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.pages.source import Edition, Plain, Source

SIGNS: Mapping[str, str] = MappingProxyType(
    {"PASS": "✅", "FAIL": "❌", "INCOMPLETE": "⚠️", "NOT JUDGED": "⚠️"}
)
CAUTION = SIGNS["NOT JUDGED"]
MOST_LIMITS = 15
COLUMNS = ("condition", "metric", "value", "limit", "95 % interval", "verdict")
COMPARED = ("condition", "metric", "before", "now", "allowed loss", "verdict")


def summary_markdown(edition: Edition) -> str:
    """Return a summary of several benchmarks."""
    lines = ["## Robustness", ""]
    for absent in edition.unreported:
        lines += [f"### {SIGNS[absent.word]} {escaped(absent.name)}: {absent.word}", ""]
        lines += [escaped(absent.why), ""]
    for source in edition.sources:
        lines += [*_benchmark(source), ""]
    return "\n".join(lines)


def _benchmark(source: Source) -> Iterator[str]:
    whole = overall(source)
    sign = CAUTION if whole.caution else SIGNS[whole.word]
    yield f"### {sign} {escaped(source.title)}: {whole.word}"
    yield ""
    yield escaped(whole.sentence)
    # Of a condition that could not be measured the reason is told once.
    yield from _limits([v for v in source.verdicts if v.condition not in source.errors])
    yield from _errors(source.causes)
    for told in sentences(source.tolerances, source.plain.get("line_drift")):
        yield from ("", f"- {escaped(told)}")
    for compared in source.compared:
        yield from _comparison(compared, _bad_outcomes(source))
    for note in notes_on(source, source.declared_limits):
        yield from ("", f"- note: {escaped(note)}")
    yield ""
    yield escaped(_measured(source))


def _bad_outcomes(source: Source) -> tuple[str, ...]:
    undecided = () if tolerates_inconclusive(source) else ("inconclusive",)
    return ("error", "regressed", *undecided)


def _limits(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the violated limits, or where the least room is left."""
    bad = [v for v in worst_first(verdicts) if v.outcome != "pass"]
    chosen = bad[:MOST_LIMITS] or worst_first(verdicts)[:3]
    if not chosen:
        return
    yield from ("", "Limits that do not hold:" if bad else "Least room to a limit:", "")
    yield from table(COLUMNS, map(_limit_row, chosen))
    if len(bad) > MOST_LIMITS:
        yield from ("", f"and {len(bad) - MOST_LIMITS} more, in the report")
    for verdict in (v for v in bad if v.waived):
        yield from ("", f"- {escaped(describe(verdict))}")


def _limit_row(verdict: Verdict) -> tuple[str, ...]:
    limit, value, interval = verdict.limit, verdict.value, verdict.interval
    return (
        verdict.condition,
        limit.metric,
        "-" if value is None else limit.in_unit(shown(value, limit.value)),
        f"{'≥' if limit.bound == 'min' else '≤'} {limit.told}",
        "" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}",
        _word(verdict),
    )


def _word(verdict: Verdict) -> str:
    if verdict.waived:
        return "waived"
    if verdict.value is None:
        return "not measurable"
    word = "shown" if verdict.shown else "holds"
    words = {
        "pass": f"{word}, {margin(verdict):.0%} room",
        "fail": "violated",
        "not shown": "not shown",
    }
    return words.get(verdict.outcome, "not decided")


def _errors(causes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if causes:
        yield ""
    for error, conditions in causes.items():
        told = f"{', '.join(conditions)} could not be measured: {error}"
        yield f"- {escaped(told)}"


def _comparison(compared: Plain, bad_outcomes: Sequence[str]) -> Iterator[str]:
    yield ""
    what = f"{compared['role']} {compared['baseline']}: {compared['outcome']}"
    yield f"Against the {escaped(what)}"
    if compared["problems"]:
        yield ""
    yield from (f"- {escaped(problem)}" for problem in compared["problems"])
    bad = [v for v in compared["verdicts"] if v["outcome"] in bad_outcomes]
    if bad:
        yield ""
        yield from table(COMPARED, map(_change_row, bad[:MOST_LIMITS]))
    if len(bad) > MOST_LIMITS:
        yield from ("", f"and {len(bad) - MOST_LIMITS} more, in the report")


def _change_row(verdict: Plain) -> tuple[str, ...]:
    numbers = (verdict["baseline"], verdict["candidate"], verdict["allowed"])
    return (
        verdict["condition"],
        verdict["metric"],
        *("-" if number is None else f"{number:.4g}" for number in numbers),
        verdict["outcome"],
    )


def _measured(source: Source) -> str:
    plain, n, environment = source.plain, len(source.records), source.plain["environment"]
    commit = environment.get("git_commit")
    at = f", commit {commit[:12]}" if commit else ""
    return f"{plain['model']} on {plain['category']}, {n} conditions, {plain['started']}{at}"
