"""The final word on a condition: measured here, by another process, or by an earlier run."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import sysconfig
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.errors import ReportError, RobustbenchError
from pytest_robustbench.plugin.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.workers.run_context import Surroundings
    from pytest_robustbench.reports.file.journal import Entry
    from pytest_robustbench.reports.file.model import Header

TIMING = ("OMP_NUM_THREADS", "PYTEST_XDIST_WORKER_COUNT")
"""What decides how a latency was measured."""
PARAMETERS = (
    *(".bin", ".ckpt", ".engine", ".json", ".npy", ".npz", ".onnx", ".pkl", ".pt", ".pth"),
    *(".safetensors", ".toml", ".xml", ".yaml", ".yml"),
)
"""Endings of files that a detector may read while it predicts."""
OWN = (str(Path(__file__).parents[1]),)
"""This package: its version stands for it, wherever it lies."""
DETERMINING = ("operating_point", "detector", "samples", "environment")
"""Of the header: what else than the corruption and how it is measured decides a result."""


@dataclass(frozen=True)
class Finding:
    """The final word on one condition.

    Parameters
    ----------
    declaration : BenchmarkDeclaration
        The benchmark it belongs to.
    condition : Condition
        What was measured.
    result : ConditionResult, optional
        ``None`` where it could not be measured.
    record : mapping
        The report's record of it.
    verdicts : tuple of Verdict
        Its limits, judged.
    key : str
        Digest of everything that determines it; empty where that is not known beforehand.
    reused : bool
        Whether an earlier run has measured it.
    pictures : mapping of str to bytes
        Its thumbnails by name; none where it was measured elsewhere, or nobody asked for them.
    """

    declaration: BenchmarkDeclaration
    condition: Condition
    result: ConditionResult | None
    record: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    key: str = ""
    reused: bool = False
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """Why it could not be measured; empty where it was."""
        return str(self.record.get("error", ""))


def told(error: Exception) -> str:
    """Return the message for the user; what is no mistake of theirs goes to the log, whole."""
    if isinstance(error, RobustbenchError):
        return str(error)
    logging.getLogger(__name__).error("not foreseen", exc_info=error)
    return f"not foreseen: {type(error).__name__}: {error} (the captured log has the traceback)"


@dataclass(frozen=True)
class _Outcome:
    """A record, who it is from, and the result where it is from here."""

    record: dict[str, Any]
    result: ConditionResult | None = None
    reused: bool = False


@dataclass
class Findings:
    """Finds out about conditions, each once in a run, and journals them before anybody is told.

    Parameters
    ----------
    surroundings : Surroundings
        Of this process.
    folder : Path
        Of the YAML: code that was loaded from below it decides results as well.
    narrowing : tuple of str
        Options that make this run less than what the YAML declares.
    outputs : tuple of Path
        Files that pytest itself writes: they decide no result.
    journal_error : str
        Why the journal could not be written; empty where it could.
    """

    surroundings: Surroundings
    folder: Path
    narrowing: tuple[str, ...] = ()
    outputs: tuple[Path, ...] = ()
    journal_error: str = ""
    _prepared: set[str] = field(default_factory=set)

    def find(
        self,
        benchmark: Benchmark,
        header: Header,
        declaration: BenchmarkDeclaration,
        condition: Condition,
    ) -> Finding:
        """Return the final word on a condition of a prepared benchmark."""
        self._note_preparation(benchmark, header, declaration)
        worker_group = benchmark.evaluator.worker_group
        with worker_group.computing():  # the first key reads all code and parameters
            key = self._key(benchmark, header, condition)

        def make() -> _Outcome:
            found = self._reused(declaration.name, condition, key) or _measured(
                benchmark, condition
            )
            self._journal(declaration.name, condition, key, found)
            return found

        found = worker_group.once(f"{condition.id}.json", make, _write, _read)
        return _finding(benchmark, declaration, condition, key, found)

    @cached_property
    def _code(self) -> str:
        """Digest of the project's own code and parameters, as they are once one is prepared.

        Empty where one of them cannot be read: then nobody can tell whether it has changed.
        """
        folder, own = self.folder.resolve(), self.surroundings.report_dir.resolve()
        files = {*_loaded_code(), *_parameter_files(folder, own)} - {*self.outputs}
        code = hashlib.sha256(json.dumps(_installed()).encode())
        try:
            for file in sorted(files):
                code.update(f"{file.name}\n".encode())
                code.update(file.read_bytes())
        except OSError:
            return ""
        return code.hexdigest()

    @cached_property
    def _past(self) -> Mapping[tuple[str, str, str], dict[str, Any]]:
        """Records of earlier runs, by benchmark, condition and key; later ones count."""
        return dict(_past_records(self.surroundings)) if self.surroundings.resume else {}

    def _reused(self, benchmark: str, condition: Condition, key: str) -> _Outcome | None:
        record = self._past.get((benchmark, condition.id, key)) if key else None
        return None if record is None else _Outcome(record, reused=True)

    def _key(self, benchmark: Benchmark, header: Header, condition: Condition) -> str:
        """Return the digest of what determines a result; empty where not all of it is known."""
        from pytest_robustbench import __version__
        from pytest_robustbench.plain_json import sha256_of

        if condition.recorded or not benchmark.is_described or not self._code:
            return ""
        plain = header.to_dict()
        return sha256_of(
            {
                **{name: plain[name] for name in DETERMINING},
                "version": __version__,
                "code": self._code,
                "timing": [os.environ.get(name) for name in TIMING],
                "evaluation": plain["config"].get("evaluation"),
                "specification": dict(benchmark.evaluator.specification(condition)),
                "condition": condition.id,
            }
        )

    def _note_preparation(
        self, benchmark: Benchmark, header: Header, declaration: BenchmarkDeclaration
    ) -> None:
        from pytest_robustbench.reports.file.journal import BenchmarkEntry

        if declaration.name in self._prepared:
            return
        self._prepared.add(declaration.name)
        entry = BenchmarkEntry(
            benchmark=declaration.name,
            header=header,
            declared=[c.id for c in declaration.declared_conditions],
            narrowed=list(self.narrowing),
            fitted=benchmark.evaluator.prepare().fitted_here,
        )
        self._append(entry)

    def _journal(self, benchmark: str, condition: Condition, key: str, found: _Outcome) -> None:
        from pytest_robustbench.reports.file.journal import ConditionEntry

        plain = {
            "benchmark": benchmark,
            "condition": condition.id,
            "key": key,
            "record": found.record,
            "reused": found.reused,
        }
        self._append(ConditionEntry.from_dict(plain))

    def _append(self, entry: Entry) -> None:
        try:
            self.surroundings.journal.append(entry)
        except ReportError as error:  # the run goes on, but cannot end well
            self.journal_error = self.journal_error or str(error)


def _loaded_code() -> Iterator[Path]:
    """Yield the source files of all modules that are neither installed nor Python's or our own."""
    known = (*(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")), *OWN)
    installed = {Path(name).resolve() for name in known}
    for module in tuple(sys.modules.values()):
        name = getattr(module, "__file__", None)
        file = Path(name).resolve() if name else None
        if file is None or not file.is_file() or "site-packages" in file.parts:
            continue
        if not any(file.is_relative_to(folder) for folder in installed):
            yield file


def _parameter_files(folder: Path, own: Path) -> Iterator[Path]:
    """Yield what lies below the YAML's folder and may hold weights, thresholds or settings."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [n for n in folders if not n.startswith((".", "__")) and here / n != own]
        if "site-packages" not in here.parts and here.name != "baselines":
            files = [here / n for n in names if Path(n).suffix in PARAMETERS]
            yield from (f for f in files if f.name != DEFAULT_CONFIG and f.is_file())


def _installed() -> list[str]:
    """Return the versions of everything installed: any of it may have a part in a result."""
    found = {f"{d.metadata['Name']} {d.version}" for d in distributions()}
    return sorted(found)


def _measured(benchmark: Benchmark, condition: Condition) -> _Outcome:
    from pytest_robustbench.reports.file.fields import error_record
    from pytest_robustbench.reports.file.record import condition_record

    try:
        result = benchmark.evaluate(condition)
        return _Outcome(condition_record(result), result)
    except Exception as error:  # the first answer is final, whatever it is
        return _Outcome(error_record(told(error)))


def _write(found: _Outcome, path: Path) -> None:
    plain = {"record": found.record, "reused": found.reused}
    path.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")


def _read(path: Path) -> _Outcome:
    plain = json.loads(path.read_text(encoding="utf-8"))
    return _Outcome(plain["record"], reused=plain["reused"])


def _finding(
    benchmark: Benchmark,
    declaration: BenchmarkDeclaration,
    condition: Condition,
    key: str,
    found: _Outcome,
) -> Finding:
    from pytest_robustbench.reports.file.record import result_from_record
    from pytest_robustbench.reports.pages.thumbnails import thumbnails_of

    result = found.result
    if result is None and "error" not in found.record:
        labels = [sample.label for sample in benchmark.evaluator.samples(condition)]
        result = result_from_record(condition, found.record, labels)
    with benchmark.evaluator.worker_group.computing():  # intervals take their time
        verdicts = benchmark.judge(condition, found.record)
        pictures = thumbnails_of(result) if result else {}
    if result is not None:  # a session keeps every result: the pictures are smaller
        result = replace(result, exhibits=())
    return Finding(
        declaration, condition, result, found.record, verdicts, key, found.reused, pictures
    )


def _past_records(
    surroundings: Surroundings,
) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    from pytest_robustbench.reports.file.integrity import reusable_records
    from pytest_robustbench.reports.file.journal import journals_in

    for path in journals_in(surroundings.journals):
        if path.parent.name != surroundings.run:
            for entry, record in reusable_records(path):
                if entry.key:
                    yield (entry.benchmark, entry.condition, entry.key), record
