"""What a run has finished so far, on disk before anybody is told.

One process appends to one file, a JSON line at a time, so that whatever ends it takes at most the
line being written. Files of one run lie in one folder, beside the reports.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from json import dumps
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from pydantic import Field

from pytest_robustbench.errors import ReportError
from pytest_robustbench.lfs import POINTER, is_pointer_file
from pytest_robustbench.naming import listed
from pytest_robustbench.plain_json import DIGEST, MOST_BYTES, is_sealed, parse_object, sealed
from pytest_robustbench.regular_file import read_regular_file
from pytest_robustbench.reports.file.model import Header
from pytest_robustbench.reports.file.model_types import ConditionId, Distinct, Part
from pytest_robustbench.reports.file.record_model import AnyRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 2
NAMED = re.compile(rb'^\{"version": \d+, "kind": "\w+", "benchmark": "([^"\\]+)"', re.MULTILINE)
"""How every line begins."""
FOLDER = "journal"
SUFFIX = ".jsonl"


class BenchmarkEntry(Part):
    """A benchmark was prepared."""

    KIND: ClassVar[str] = "benchmark"

    benchmark: str = Field(description="Name of the benchmark.")
    header: Header
    declared: Distinct[ConditionId] = Field(description="What a complete run measures.")
    narrowed: list[str] = Field(description="Options that made the run less than that.")
    fitted: bool = Field(description="Whether by this process.")


class ConditionEntry(Part):
    """A condition is finished."""

    KIND: ClassVar[str] = "condition"

    benchmark: str = Field(description="Name of the benchmark.")
    condition: ConditionId
    key: str = Field(description="Digest of what determines the record; empty where not known.")
    record: AnyRecord
    reused: bool = Field(description="Whether an earlier run has measured it.")
    told: bool = Field(default=False, description="Whether a worker has told its controller.")


Entry: TypeAlias = BenchmarkEntry | ConditionEntry
KINDS = {entry.KIND: entry for entry in (BenchmarkEntry, ConditionEntry)}


@dataclass(frozen=True)
class Journal:
    """The file of one process.

    Parameters
    ----------
    path : Path
        The file; its folder is made when first needed.
    """

    path: Path

    def append(self, entry: Entry) -> None:
        """Write a line, and return when it is on disk.

        Raises
        ------
        ReportError
            If it cannot be written.
        """
        line = sealed({"version": VERSION, "kind": entry.KIND, **entry.to_dict()})
        text = dumps(line, allow_nan=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                # A line that was torn by a full disk must not swallow the next one.
                file.write(f"{text}\n" if file.tell() == 0 else f"\n{text}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ReportError(
                f"cannot write the journal {self.path}: {error.strerror or error}"
            ) from error


@dataclass(frozen=True)
class JournalLines:
    """What stands in a journal, line by line, each with its place ``file:line``.

    Parameters
    ----------
    entries : tuple of (str, Entry)
        The whole lines.
    refused : tuple of str
        Why lines that can be read are none of this journal: they were edited, or are of another
        version. Each message begins with its place.
    broken : tuple of str
        Places of lines that are no JSON, such as one in the middle of which the disk was full.
    torn : str
        Place of the last line, where it was cut short as whatever wrote it ended; else empty.
    """

    entries: tuple[tuple[str, Entry], ...]
    refused: tuple[str, ...]
    broken: tuple[str, ...]
    torn: str

    def remarks(self) -> Iterator[str]:
        """Say what is as if never written, though nobody has tampered with it."""
        if self.broken:
            n = len(self.broken)
            told = "1 line that is" if n == 1 else f"{n} lines that are"
            yield f"{told} no JSON, left out: {listed(self.broken)}"
        if self.torn:
            yield f"{self.torn} was cut short when its run ended: it is as if never written"


def journal_lines(path: Path) -> JournalLines:
    """Return what stands in a journal, whatever has happened to it.

    Raises
    ------
    ReportError
        If the file cannot be read.
    """
    try:
        content = read_regular_file(path, MOST_BYTES)
    except OSError as error:
        raise ReportError(f"cannot read the journal {path}: {error.strerror or error}") from error
    entries: list[tuple[str, Entry]] = []
    refused: list[str] = []
    broken: list[str] = []
    *lines, last = content.split(b"\n")
    for number, line in enumerate([*lines, last], 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            entries.append((place, _entry(place, parse_object(line))))
        except ReportError as error:
            refused.append(str(error))
        except ValueError:
            broken.append(place)
    torn = broken.pop() if broken and broken[-1] == f"{path}:{len(lines) + 1}" else ""
    return JournalLines(tuple(entries), tuple(refused), tuple(broken), torn)


def read_journal(path: Path) -> tuple[Entry, ...]:
    """Return the whole lines of a journal; one that was torn is as if never written.

    Raises
    ------
    ReportError
        If the file cannot be read, is a journal of another version, or was edited.
    """
    if is_pointer_file(path):
        raise ReportError(f"the journal {path} {POINTER}")
    lines = journal_lines(path)
    if lines.refused:
        raise ReportError(lines.refused[0])
    return tuple(entry for _, entry in lines.entries)


def benchmarks_in(folder: Path) -> frozenset[str]:
    """Return the names of the benchmarks that the journals of a run speak of.

    Raises
    ------
    OSError
        If one cannot be read, or is no regular file.
    """
    contents = (read_regular_file(path, MOST_BYTES) for path in folder.glob(f"*{SUFFIX}"))
    found = map(NAMED.findall, contents)
    return frozenset(name.decode() for names in found for name in names)


def _entry(place: str, plain: dict[str, Any]) -> Entry:
    kind = KINDS.get(str(plain.get("kind")))
    if plain.get("version") != VERSION or kind is None:
        raise ReportError(f"{place} is no journal of version {VERSION}")
    if not is_sealed(plain):
        raise ReportError(f"{place} was edited: {DIGEST} contradicts its content")
    fields = {k: v for k, v in plain.items() if k not in ("version", "kind", DIGEST)}
    try:
        return kind.from_dict(fields)
    except ReportError as error:
        raise ReportError(f"{place} is no line of a journal: {error}") from error


def journals_in(folder: Path) -> tuple[Path, ...]:
    """Return the journals below a folder, those of the latest run last."""
    return tuple(sorted(folder.rglob(f"*{SUFFIX}"), key=lambda path: (path.parent.name, path.name)))
