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
LONGEST_SECONDS = 30.0
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


def fuzz(
    subject: Subject, folder: Path, *, seed: int = 0, start: int = 0, rounds: int = 0
) -> Outcome:
    """Have damaged files read in processes of their own, a new one after each that ends badly."""
    subject.write_valid(folder)
    outcome, stop = Outcome(), start + (rounds or subject.rounds)
    while start < stop:
        start = _one_process(subject, folder, seed, start, stop, outcome)
    return outcome


def _one_process(
    subject: Subject, folder: Path, seed: int, start: int, stop: int, outcome: Outcome
) -> int:
    """Return the number of the file to go on with."""
    words = [subject.name, seed, start, stop, folder]
    with (
        (folder / "errors.txt").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child", *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
        ) as child,
    ):
        running: int | None = None
        for said in _lines(child):
            if "started" in said:
                running = said["started"]
            else:
                outcome.note(running := said["ended"], said["ending"])
                start, running = running + 1, None
        hung = child.poll() is None
        child.kill()
    if start == stop:
        return stop
    if running is None:
        raise RuntimeError((folder / "errors.txt").read_text(errors="replace")[-3000:])
    ended = f"it takes more than {LONGEST_SECONDS:g} s" if hung else f"exit {child.returncode}"
    outcome.note(running, ended)
    return running + 1


def _lines(child: subprocess.Popen[bytes]) -> Iterator[dict]:
    """Yield what a process tells, until it ends or is silent for too long."""
    assert child.stdout is not None
    while select.select([child.stdout], [], [], LONGEST_SECONDS + 30)[0]:
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
        place, options = Path(folder), vars(arguments)
        chosen = {name: options[name] for name in ("seed", "start", "rounds")}
        outcome = fuzz(subject, place, **chosen)
        valid = subject.valid(place)
    counts = ", ".join(f"{count} {ending}" for ending, count in sorted(outcome.endings.items()))
    total = sum(outcome.endings.values()) + len(outcome.findings)
    took = time.monotonic() - began
    sys.stdout.write(
        f"{subject.name}: {total} files, {counts}, {len(outcome.findings)} findings ({took:.0f} s)\n"
    )
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
