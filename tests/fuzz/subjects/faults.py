"""Readers that fail in every way, which the harness must find; for its own test alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

from pytest_robustbench.errors import ReportError
from tests.fuzz.subject import FoundError, Subject


def _write_valid(folder: Path) -> None:
    (folder / "valid").write_bytes(b"accept")


def _damaged(rng: Random, _: Sequence[bytes]) -> bytes:
    return rng.choice((b"raise", b"die", b"allocate", b"anonymous", b"other", b"accept", b"refuse"))


def _read(path: Path, _: Sequence[bytes]) -> None:
    word = path.read_text()
    if word == "raise":
        raise KeyError(word)
    if word == "die":
        os.abort()
    if word == "allocate":
        bytearray(3 << 30)
    if word == "anonymous":
        raise ReportError("it cannot be read")
    if word == "other":
        raise FoundError("it is read as something else")
    if word == "refuse":
        raise ReportError(f"{path} cannot be read")


FAULTS = Subject("faults", 20, "damaged.txt", _write_valid, _damaged, _read)
