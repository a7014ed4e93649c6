"""Reads damaged files of one kind, one after the other, under a bound on memory.

``python -m tests.fuzz.child SUBJECT SEED START STOP FOLDER`` writes a JSON line before each file
and one after it; who has started it knows by them which one has ended it, or takes too long.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import traceback
import warnings
from pathlib import Path

from tests.fuzz.subject import Subject
from tests.fuzz.subjects import SUBJECTS
from tests.fuzz.subjects.faults import FAULTS

MOST_BYTES = 1 << 30
"""What reading one small file may take, beyond what the process has before the first."""


def main(name: str, seed: str, start: str, stop: str, folder: str) -> None:
    subject, place = {**SUBJECTS, FAULTS.name: FAULTS}[name], Path(folder)
    valid = subject.valid(place)
    path = place / subject.place
    path.parent.mkdir(parents=True, exist_ok=True)
    for content in valid:  # imports and caches are no cost of the first damaged file
        path.write_bytes(content)
        subject.read(path, valid)
    _bound_memory()
    warnings.simplefilter("error")
    for number in range(int(start), int(stop)):
        path.write_bytes(subject.content(int(seed), number, valid))
        _tell(started=number)
        before = _peak()
        ending = _ending(subject, path, valid)
        grown = _peak() - before
        if grown > MOST_BYTES // 2:
            ending = f"it takes {grown >> 20} MiB"
        _tell(ended=number, ending=ending)


def _ending(subject: Subject, path: Path, valid: list[bytes]) -> str:
    try:
        return subject.ending(path, valid)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if "pytest_robustbench" in f.filename] or frames[-1:]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
        return f"{type(error).__name__} at {place}: {str(error)[:300]}"


def _bound_memory() -> None:
    used = re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if used:
        most = (int(used[1]) << 10) + MOST_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
