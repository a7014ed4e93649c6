"""``pytest-robustbench verdict``: what a run has left, held to all that was declared.

A process can end at any time with any exit status, also with 0 while a detector works. This reads
what is on disk: session.json, which only a run that came to its end leaves, and its reports.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli.telling import answer
from pytest_robustbench.errors import ReportError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.reports.file.session import BenchmarkRecord, SessionRecord
    from pytest_robustbench.reports.file.stored import StoredReport
    from pytest_robustbench.reports.pages.source import Source

HOLDS, FAILS, UNKNOWN = 0, 1, 3
WORDS = {HOLDS: "PASS", FAILS: "FAIL", UNKNOWN: "CANNOT BE TOLD"}
ENDED = (0, 1)
"""Exit statuses of a run that came to its end: all others say that it did not."""
SHOWN = 3
UNDECIDED = "INCONCLUSIVE against the baseline: the test images cannot tell whether it is worse"
REMEDY = "take the folder as the run wrote it, or run again"


@dataclass(frozen=True)
class Reason:
    """Why a run is no pass.

    Parameters
    ----------
    code : {1, 3}
        Whether something does not hold, or cannot be told.
    text : str
        What, in one line.
    """

    code: int
    text: str


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        f"{parser.description}. Exit code {HOLDS}: it does; {FAILS}: it does not; {UNKNOWN}: that "
        "cannot be told, such as of a run that died, or of a part of one."
    )
    parser.add_argument(
        "folder", type=Path, metavar="REPORT_DIR", help="where a run, or merge, put its reports"
    )
    parser.add_argument(
        "--require-comparison",
        action="store_true",
        help="fail also where a benchmark was not held against a baseline, or that decided nothing",
    )


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    folder: Path = arguments.folder
    reasons = list(_reasons(folder, required=arguments.require_comparison))
    codes = {reason.code for reason in reasons}
    code = FAILS if FAILS in codes else max(codes, default=HOLDS)
    answer(f"{WORDS[code]}: {folder}")
    told = [reason.text for reason in reasons] or _of_pass(folder)
    for text in dict.fromkeys(" ".join(text.split()) for text in told):
        answer(f"  {text}")
    if any(map(_is_undecided, _records(folder))):
        answer(UNDECIDED)
    return code


def _records(folder: Path) -> Iterator[BenchmarkRecord]:
    from pytest_robustbench.reports.file.session import SessionFile

    with suppress(ReportError):
        record = SessionFile(folder).record
        yield from record.benchmarks.values() if record else ()


def _is_undecided(record: BenchmarkRecord) -> bool:
    return record.regression is not None and record.regression.outcome == "inconclusive"


def _of_pass(folder: Path) -> Iterator[str]:
    """Say what holds, and of which run: a folder may be older than its reader thinks."""
    from pytest_robustbench.reports.file.session import SessionFile
    from pytest_robustbench.reports.file.stored import read_stored
    from pytest_robustbench.reports.pages.overall import overall
    from pytest_robustbench.reports.pages.source import Source

    for name in SessionFile(folder).benchmarks:
        stored = read_stored(folder / f"{name}.json", REMEDY)
        remarks = overall(Source(stored.plain, stored.path)).remarks
        yield "; ".join((f"{name}, begun {stored.header.started}", *remarks))


def _reasons(folder: Path, *, required: bool) -> Iterator[Reason]:
    """Say why a folder is no pass; nothing is said of one that is."""
    from pytest_robustbench.reports.file.session import SessionFile

    try:
        record = SessionFile(folder).record
    except ReportError as error:
        yield Reason(UNKNOWN, str(error))
        return
    if record is None:
        yield Reason(UNKNOWN, _why_no_session(folder))
        return
    yield from _of_session(record)
    found = list(_of_benchmarks(folder, record.benchmarks, required=required))
    yield from found
    yield from _of_other_files(folder, record.benchmarks)
    if record.exit_status == FAILS and not found and not record.problem:
        yield Reason(FAILS, "the run failed for another reason than its benchmarks: see its log")


def _why_no_session(folder: Path) -> str:
    from pytest_robustbench.reports.file.earlier import SESSION_FILE

    if not folder.is_dir():
        return f"there is no folder {folder}"
    return f"there is no {SESSION_FILE}: no run has come to its end here; it goes on, or it died"


def _of_session(record: SessionRecord) -> Iterator[Reason]:
    for problem in (record.problem or "").splitlines():
        yield Reason(UNKNOWN, problem)
    if not record.problem and not record.benchmarks:
        yield Reason(UNKNOWN, "no benchmark is declared")
    if record.exit_status not in ENDED:
        yield Reason(UNKNOWN, f"the run was broken off: its exit status is {record.exit_status}")


def _of_benchmarks(
    folder: Path, benchmarks: Mapping[str, BenchmarkRecord], *, required: bool
) -> Iterator[Reason]:
    for name, found in benchmarks.items():
        try:
            reasons = list(_of_benchmark(folder, name, found, required=required))
        except ReportError as error:
            reasons = [Reason(UNKNOWN, str(error))]
        yield from (Reason(one.code, f"{name}: {one.text}") for one in reasons)


def _of_benchmark(
    folder: Path, name: str, found: BenchmarkRecord, *, required: bool
) -> Iterator[Reason]:
    from pytest_robustbench.reports.pages.source import Source

    if found.deselected:
        n = len(found.deselected)
        what = "condition was" if n == 1 else "conditions were"
        yield Reason(
            UNKNOWN,
            f"{n} {what} not asked for: run everything, or merge the shards",
        )
    failed = [item for item, outcome in found.outcomes.to_dict().items() if outcome == "failed"]
    if found.report is None:
        why = found.problems or ["it has no report"]
        yield from (Reason(FAILS if failed else UNKNOWN, text) for text in why)
        return
    stored = _read(folder, name, found)
    reasons = list(_of_report(Source(stored.plain, stored.path, tuple(found.problems)), found))
    if required:
        reasons += _of_comparison(stored, found)
    codes = {reason.code for reason in reasons}
    yield from reasons
    if failed and FAILS not in codes:
        items = ", ".join(f"[{name}-{item}]" for item in failed)
        yield Reason(FAILS, f"{items} failed: see the log of the run")
    elif found.outcomes.complete != "passed" and not reasons:
        yield Reason(UNKNOWN, f"[{name}-complete] did not pass: not all of it was judged")


def _read(folder: Path, name: str, found: BenchmarkRecord) -> StoredReport:
    """Read the report that the run wrote, and refuse any other.

    Raises
    ------
    ReportError
        If there is none, or it is another one, or contradicts itself, or has another version.
    """
    from pytest_robustbench import version
    from pytest_robustbench.reports.file.earlier import SESSION_FILE
    from pytest_robustbench.reports.file.integrity import contradictions, refuse
    from pytest_robustbench.reports.file.session import report_digest
    from pytest_robustbench.reports.file.stored import read_stored

    path = folder / f"{name}.json"
    if found.report != f"{name}.json":
        raise ReportError(f"its report is said to be {found.report}, not {name}.json; {REMEDY}")
    stored = read_stored(path, REMEDY)
    if report_digest(path) != found.sha256:
        raise ReportError(f"{path} is not the report that {SESSION_FILE} speaks of; {REMEDY}")
    refuse(f"{path} cannot be relied on", contradictions(stored), REMEDY)
    if name not in (stored.title, stored.name):
        raise ReportError(f"{path} is the report of {stored.title!r}; {REMEDY}")
    ran = stored.header.environment.pytest_robustbench
    if ran != version.__version__:
        raise ReportError(
            f"{path} was written by pytest-robustbench {ran}, and this is {version.__version__}: "
            "take the version that ran"
        )
    return stored


def _of_report(source: Source, found: BenchmarkRecord) -> Iterator[Reason]:
    from pytest_robustbench.reports.pages.overall import NOT_COMPARED, overall

    whole = overall(source)
    code = FAILS if whole.word == "FAIL" else UNKNOWN
    holds = any(verdict.outcome == "pass" for verdict in source.verdicts)
    # Limits hold without a baseline, as in the run that is to become one.
    told = set() if not holds or whole.word == "FAIL" else {NOT_COMPARED}
    yield from (Reason(code, text) for text in whole.reasons if text not in told)
    if found.complete != source.plain["complete"]:
        yield Reason(UNKNOWN, "session.json and the report disagree on whether it is complete")


def _of_comparison(stored: StoredReport, found: BenchmarkRecord) -> Iterator[Reason]:
    """Say why no comparison speaks for it."""
    compared = stored.plain.get("regression", [])
    open_ones = [one for one in compared if one["outcome"] != "pass"]
    for one in open_ones:
        what = f"the {one['role']} {one['baseline']}"
        yield Reason(FAILS, f"the comparison with {what} came to {one['outcome']!r}")
    if not compared:
        why = f" ({found.regression.outcome})" if found.regression else ": none is declared"
        yield Reason(FAILS, f"it was not compared with a baseline{why}")


def _of_other_files(folder: Path, benchmarks: Mapping[str, BenchmarkRecord]) -> Iterator[Reason]:
    """Say which JSON lies beside the reports of the run, and is not its own."""
    from pytest_robustbench.reports.file.earlier import SESSION_FILE
    from pytest_robustbench.reports.file.session import RERUN

    places = {name.rpartition("/")[0] for name in benchmarks}
    own = {folder / place / SESSION_FILE for place in {"", *places}}
    own |= {folder / f"{name}.json" for name in benchmarks}
    found = (path for path in folder.rglob("*.json") if path not in own)
    others = sorted(str(p.relative_to(folder)) for p in found if RERUN not in p.parts)
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        yield Reason(
            UNKNOWN,
            f"not of this run, in {folder}: {', '.join(others[:SHOWN])}{more}; remove what an "
            "earlier one has left, and keep other files elsewhere",
        )
