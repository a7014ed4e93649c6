"""``python -m tests.fuzz.run [SUBJECT ...]``: all rounds; exit status 1 where something was found.

What was found lies in the folder that ``--keep`` names, each damaged file with what came of it.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.subject import Subject
from tests.fuzz.subjects import SUBJECTS

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 60.0
"""What one small file may take, on a machine that does other things too."""


@dataclass
class Outcome:
    """What came of the damaged files of one kind."""

    endings: Counter[str] = field(default_factory=Counter)
    findings: dict[int, str] = field(default_factory=dict)

    def note(self, number: int, ending: str) -> None:
        if ending in ("accepted", "refused"):
            self.endings[ending] += 1
        else:
            self.findings[number] = ending


def fuzz(subject: Subject, folder: Path, seed: int, numbers: range) -> Outcome:
    """Have damaged files read in processes of their own, a new one after each that ends badly."""
    subject.write_valid(folder)
    outcome = Outcome()
    while numbers:
        numbers = _one_process(subject, folder, seed, numbers, outcome)
    return outcome


def _one_process(
    subject: Subject, folder: Path, seed: int, numbers: range, outcome: Outcome
) -> range:
    """Return the numbers of the files that are still to be read."""
    words = [subject.name, seed, numbers.start, numbers.stop, folder]
    command = [sys.executable, "-m", "tests.fuzz.child", *map(str, words)]
    errors = folder / "errors.txt"
    with (
        errors.open("wb") as file,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=file, bufsize=0
        ) as child,
    ):
        running: int | None = None
        for said in _lines(child):
            running = said.get("started")
            if running is None:
                outcome.note(said["ended"], said["ending"])
                numbers = numbers[1:]
        hung = child.poll() is None
        child.kill()
    if numbers and running is None:  # not a file, but the harness is at fault
        raise RuntimeError(errors.read_text(errors="replace")[-3000:])
    if numbers:
        ended = f"exit status {child.returncode}"
        outcome.note(numbers[0], f"takes over {LONGEST_SECONDS:g} s" if hung else ended)
    return numbers[1:]


def _lines(child: subprocess.Popen[bytes]) -> Iterator[dict]:
    """Yield what a process tells, until it ends or is silent for too long."""
    assert child.stdout is not None
    while select.select([child.stdout], [], [], LONGEST_SECONDS)[0]:
        line = child.stdout.readline()
        if not line:
            child.wait()
            return
        yield json.loads(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first file")
    parser.add_argument("--rounds", type=int, default=0, help="files of each kind; 0: all")
    parser.add_argument(
        "--keep", type=Path, help="folder for the files that something was found on"
    )
    arguments = parser.parse_args()
    found = 0
    for name in arguments.subjects or SUBJECTS:
        found += _reported(SUBJECTS[name], arguments)
    return min(found, 1)


def _reported(subject: Subject, arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place, start = Path(folder), arguments.start
        numbers = range(start, start + (arguments.rounds or subject.rounds))
        outcome = fuzz(subject, place, arguments.seed, numbers)
        valid = subject.valid(place)
    counts = ", ".join(f"{count} {ending}" for ending, count in sorted(outcome.endings.items()))
    total = sum(outcome.endings.values()) + len(outcome.findings)
    took = time.monotonic() - began
    found = f"{len(outcome.findings)} findings ({took:.0f} s)"
    sys.stdout.write(f"{subject.name}: {total} files, {counts}, {found}\n")
    for number, ending in outcome.findings.items():
        sys.stdout.write(f"  {number}: {ending}\n")
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            kept = arguments.keep / f"{subject.name}-{number}{Path(subject.place).suffix}"
            kept.write_bytes(subject.content(arguments.seed, number, valid))
    sys.stdout.flush()
    return len(outcome.findings)


if __name__ == "__main__":
    sys.exit(main())
