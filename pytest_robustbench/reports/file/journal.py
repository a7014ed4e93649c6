"""What a run has finished so far, on disk before anybody is told.

One process appends to one file, a JSON line at a time, so that whatever ends it takes at most the
line being written. Files of one run lie in one folder, beside the reports.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

VERSION = 1
FOLDER = "journal"
SUFFIX = ".jsonl"
BENCHMARK, CONDITION = "benchmark", "condition"
CONTENT = {
    BENCHMARK: ("benchmark", "header", "declared", "narrowed", "fitted"),
    CONDITION: ("benchmark", "condition", "key", "record", "reused"),
}


@dataclass(frozen=True)
class Entry:
    """One line.

    Parameters
    ----------
    kind : {"benchmark", "condition"}
        A benchmark was prepared, or a condition is finished.
    benchmark : str
        Name of the benchmark.
    content : mapping
        Of a benchmark: ``header``, ``declared``, ``narrowed`` and ``fitted`` (whether by this
        process). Of a condition: ``condition``, ``key``, ``record`` and ``reused``, and ``told``
        where a worker has told it to its controller.
    """

    kind: str
    benchmark: str
    content: Mapping[str, Any]

    @classmethod
    def of_benchmark(
        cls,
        benchmark: str,
        header: Mapping[str, Any],
        declared: Iterable[str],
        narrowed: Iterable[str],
        *,
        fitted: bool,
    ) -> Entry:
        """Return that a benchmark was prepared."""
        content = {
            "header": header,
            "declared": list(declared),
            "narrowed": list(narrowed),
            "fitted": fitted,
        }
        return cls(BENCHMARK, benchmark, content)

    @classmethod
    def of_condition(
        cls,
        benchmark: str,
        condition: str,
        key: str,
        record: Mapping[str, Any],
        *,
        reused: bool,
        told: bool = False,
    ) -> Entry:
        """Return that a condition is finished."""
        content = {"condition": condition, "key": key, "record": record, "reused": reused}
        return cls(CONDITION, benchmark, {**content, "told": True} if told else content)


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
        line = {"version": VERSION, "kind": entry.kind, "benchmark": entry.benchmark}
        text = json.dumps({**line, **entry.content}, allow_nan=False)
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


def read_journal(path: Path) -> tuple[Entry, ...]:
    """Return the whole lines of a journal; one that was torn is as if never written.

    Raises
    ------
    ReportError
        If the file cannot be read, or is a journal of another version.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise ReportError(f"cannot read the journal {path}: {error.strerror or error}") from error
    return tuple(_entries(path, text))


def _entries(path: Path, text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        plain = _plain(line)
        if plain is None:
            continue
        kind = plain.pop("kind", None)
        lacks = [name for name in CONTENT.get(str(kind), ("kind",)) if name not in plain]
        if plain.pop("version", None) != VERSION or lacks:
            raise ReportError(f"{path} is no journal of version {VERSION}")
        yield Entry(str(kind), str(plain.pop("benchmark")), plain)


def _plain(line: str) -> dict[str, Any] | None:
    try:
        plain = json.loads(line)
    except ValueError:
        return None
    return plain if isinstance(plain, dict) else None


def journals_in(folder: Path) -> tuple[Path, ...]:
    """Return the journals below a folder, those of the latest run last."""
    return tuple(sorted(folder.rglob(f"*{SUFFIX}"), key=lambda path: (path.parent.name, path.name)))
