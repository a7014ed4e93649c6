"""What the plugin costs a run that has nothing to do with robustness.

Runs with and without it take turns, each in a process of its own, in a project outside of this one.
Where valgrind is installed, instructions are counted too: unlike times, they repeat to the digit.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PLUGIN = "pytest_robustbench.plugin"
RUNNER = """\
import importlib.metadata
import sys

import pytest

hidden, *arguments = sys.argv[1:]
everything = importlib.metadata.distributions


def distributions(**context):
    found = everything(**context)
    return (d for d in found if hidden not in (d.read_text("entry_points.txt") or ""))


importlib.metadata.distributions = distributions
sys.exit(pytest.main(arguments))
"""
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:hypothesispytest")
WITH, SWITCHED_OFF, WITHOUT = "with the plugin", "-p no:robustbench", "not installed"
VARIANTS = {
    WITH: ("(nothing)", *QUIET),
    SWITCHED_OFF: ("(nothing)", *QUIET, "-p", "no:robustbench"),
    WITHOUT: (PLUGIN, *QUIET),
}
IMPORTED = f"import pytest\nimport {PLUGIN}"
IMPORT_TIME = re.compile(rf"import time:\s*(\d+) \|\s*\d+ \|\s*({PLUGIN.partition('.')[0]}\S*)")
INSTRUCTIONS = re.compile(r"I\s+refs:\s+([\d,]+)")


class Run(NamedTuple):
    """What one process took, in milliseconds."""

    wall: float
    cpu: float


def tables(quick: bool) -> list[Table]:
    """Return what is imported, and what a run of one test and one of many tests takes."""
    many, rounds, more_rounds = (100, 1, 1) if quick else (2000, 40, 6)
    with tempfile.TemporaryDirectory() as folder:
        return [
            imported(2 if quick else 25),
            compared(project(Path(folder, "one"), 1), 1, rounds, count=not quick),
            compared(project(Path(folder, "many"), many), many, more_rounds, count=not quick),
        ]


# ---- imports -----------------------------------------------------------------------------------


def imported(times: int) -> Table:
    """Return the modules of ours that the plugin's import loads, each with its own best time."""
    best: dict[str, int] = {}
    for _ in range(times):
        for name, microseconds in import_times():
            best[name] = min(microseconds, best.get(name, microseconds))
    rows = [(name, best[name] / 1e3) for name in sorted(best)]
    rows.append(("together", sum(best.values()) / 1e3))
    notes = (f"python -X importtime after `import pytest`, the best of {times} processes.",)
    return Table("Modules that a plain run imports", ("module", "own time, ms"), tuple(rows), notes)


def import_times() -> Iterator[tuple[str, int]]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", IMPORTED],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return ((name, int(time)) for time, name in IMPORT_TIME.findall(done.stderr))


# ---- whole runs --------------------------------------------------------------------------------


def project(folder: Path, tests: int) -> Path:
    """Write a project of tests that do nothing."""
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "runner.py").write_text(RUNNER)
    tests_text = "\n\n".join(f"def test_{n}():\n    pass\n" for n in range(tests))
    (folder / "test_nothing.py").write_text(tests_text)
    return folder


def compared(folder: Path, tests: int, rounds: int, *, count: bool) -> Table:
    """Return how long a project's run takes with and without the plugin."""
    runs = in_turn(folder, rounds)
    counts = instructions(folder) if count else {}
    columns = ("run", "wall, ms", "CPU, ms", "shortest CPU, ms", "more CPU, ms", "instructions, M")
    rows = [
        (
            name,
            statistics.median(run.wall for run in mine),
            statistics.median(run.cpu for run in mine),
            min(run.cpu for run in mine),
            more(mine, runs[WITHOUT]),
            against(counts, name),
        )
        for name, mine in runs.items()
    ]
    return Table(f"A run of empty tests: {tests}", columns, tuple(rows), notes(rounds, counts))


def notes(rounds: int, counts: Mapping[str, int]) -> tuple[str, ...]:
    hidden = (
        f"{WITHOUT}: hidden from pytest, which otherwise reads the list of its files to know what "
        f"to rewrite, even under {SWITCHED_OFF}."
    )
    how = "one process each" if counts else "where it is installed, and not with --quick"
    return (
        f"Medians of {rounds} in turn. More CPU: between the means of the fastest quarters.",
        hidden,
        f"The installation is {'editable: that list is short' if editable() else 'not editable'}.",
        f"Instructions: counted by valgrind, {how}.",
    )


def in_turn(folder: Path, rounds: int) -> dict[str, list[Run]]:
    """Run every variant once per round, each round starting with another one."""
    runs: dict[str, list[Run]] = {name: [] for name in VARIANTS}
    for arguments in VARIANTS.values():  # byte code is compiled, files are read into the cache
        run(folder, arguments)
    order = list(VARIANTS.items())
    for _ in range(rounds):
        for name, arguments in order:
            runs[name].append(run(folder, arguments))
        order = [*order[1:], order[0]]
    return runs


def run(folder: Path, arguments: Sequence[str]) -> Run:
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "runner.py", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Run(wall * 1e3, cpu * 1e3)


def more(mine: Sequence[Run], others: Sequence[Run]) -> str:
    """Return what the fastest quarter took more than the others', in milliseconds and percent."""
    own, base = fastest(mine), fastest(others)
    return f"{own - base:+.1f} ({own / base - 1:+.1%})"


def fastest(runs: Sequence[Run]) -> float:
    return statistics.mean(sorted(run.cpu for run in runs)[: max(1, len(runs) // 4)])


def against(counts: Mapping[str, int], name: str) -> str | None:
    if not counts:
        return None
    share = counts[name] / counts[WITHOUT] - 1
    return f"{counts[name] / 1e6:.1f} ({share:+.2%})"


def instructions(folder: Path) -> dict[str, int]:
    """Return how many instructions each variant takes; empty without valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return {}
    counter = (valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    return {name: counted(counter, folder, arguments) for name, arguments in VARIANTS.items()}


def counted(counter: Sequence[str], folder: Path, arguments: Sequence[str]) -> int:
    done = subprocess.run(
        [*counter, sys.executable, "runner.py", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    *_, own = INSTRUCTIONS.findall(done.stderr)  # what it forked ended, and was told, before
    return int(own.replace(",", ""))


def environment() -> dict[str, str]:
    """Return the environment of a measured process: byte code is kept, hashes are the same."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONHASHSEED": "0"}


def editable() -> bool:
    """Return whether the package is imported from its source tree."""
    files = distribution("pytest-robustbench").files or []
    return not any(file.name == "__init__.py" for file in files)
