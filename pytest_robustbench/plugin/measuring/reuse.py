"""What earlier runs have measured, and whether anything has changed that decides a result."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_robustbench import version
from pytest_robustbench.errors import ReportError
from pytest_robustbench.importing import distributions_installed
from pytest_robustbench.plugin.options import DEFAULT_CONFIG
from pytest_robustbench.reports.file.earlier import SESSION_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.plugin.workers.run_context import RunContext
    from pytest_robustbench.reports.file.journal import Entry
    from pytest_robustbench.reports.file.model import Header

Plain: TypeAlias = dict[str, Any]
Name: TypeAlias = tuple[str, str, str]
TIMING = ("OMP_NUM_THREADS", "PYTEST_XDIST_WORKER_COUNT")
"""What decides how a latency was measured."""
PARAMETERS = frozenset(
    (
        *(".bin", ".ckpt", ".engine", ".json", ".npy", ".npz", ".onnx", ".pkl", ".pt", ".pth"),
        *(".safetensors", ".toml", ".xml", ".yaml", ".yml"),
    )
)
"""Endings of files that a detector may read while it predicts."""
OWN = Path(version.__file__).parent
"""This package: its version stands for it, wherever it lies."""
DETERMINING = ("operating_point", "sources", "samples", "environment")
"""Of the header: what else than the corruption and how it is measured decides a result."""
CHANGED = (
    "what an earlier run has measured is of other circumstances, and measured anew: code, a file "
    "below the YAML's folder that may hold weights or settings (.json among them), a version, the "
    "detector, images or settings have changed since"
)


@dataclass
class EarlierResults:
    """Records of earlier runs, each under a digest of everything that determines it.

    Parameters
    ----------
    context : RunContext
        Of this process.
    folder : Path
        Of the YAML: code that was loaded from below it decides results as well.
    remarks : list of str
        What earlier runs have left and is not taken over, and why.
    """

    context: RunContext
    folder: Path
    remarks: list[str] = field(default_factory=list)

    def key(self, benchmark: Benchmark, header: Header, condition: Condition) -> str:
        """Return the digest of what determines a result; empty where not all of it is known."""
        from pytest_robustbench.plain_json import sha256_of

        if condition.recorded or not benchmark.is_described or not self._code:
            return ""
        plain = header.to_dict()
        return sha256_of(
            {
                **{name: plain[name] for name in DETERMINING},
                "detector": header.sha256.model,
                "version": version.__version__,
                "code": self._code,
                "timing": [os.environ.get(name) for name in TIMING],
                "evaluation": plain["config"].get("evaluation"),
                "metrics": plain.get("own_metrics"),
                "specification": dict(benchmark.evaluator.specification(condition)),
                "condition": condition.id,
            }
        )

    def record(
        self, header: Header, condition: Condition, key: str, specification: Mapping[str, Any]
    ) -> Plain | None:
        """Return what an earlier run has measured where nothing has changed since.

        It passes the checks that a report of this run passes, or is as if never written, with a
        remark.
        """
        if not key:
            return None
        for place, record in reversed(self._records.get((header.name, condition.id, key), [])):
            problem = _problem(header, condition, record, specification)
            if not problem:
                return record
            self.remarks.append(f"{place}: {problem}: measured anew")
        if (header.name, condition.id) in {about[:2] for about in self._records}:
            self.remarks.append(CHANGED)
        return None

    @cached_property
    def _code(self) -> str:
        """Digest of the project's own code and parameters, as they are once one is prepared.

        Empty where one of them cannot be read: then nobody can tell whether it has changed.
        """
        settings = self.context.settings
        parameters = _parameter_files(self.folder.resolve(), settings.report_dir.resolve())
        files = {*_loaded_code(), *parameters}.difference(settings.outputs)
        code = hashlib.sha256(json.dumps(distributions_installed()).encode())
        try:
            for file in sorted(files):
                code.update(f"{file.name}\n".encode())
                code.update(file.read_bytes())
        except OSError:
            return ""
        return code.hexdigest()

    @cached_property
    def _records(self) -> Mapping[Name, list[tuple[str, Plain]]]:
        """By benchmark, condition and key, each with its place; the latest last."""
        from pytest_robustbench.reports.file.journal import ConditionEntry
        from pytest_robustbench.reports.file.record_model import Unmeasured

        found: dict[Name, list[tuple[str, Plain]]] = {}
        for place, entry in self._entries():
            if isinstance(entry, ConditionEntry) and not isinstance(entry.record, Unmeasured):
                about = entry.benchmark, entry.condition, entry.key
                found.setdefault(about, []).append((place, entry.record.to_dict()))
        return found

    def _entries(self) -> Iterator[tuple[str, Entry]]:
        """Yield the whole lines of earlier runs, and note what is wrong with others."""
        from pytest_robustbench.reports.file.journal import journal_lines, journals_in

        for path in journals_in(self.context.journals) if self.context.settings.resume else ():
            if path.parent.name == self.context.run:
                continue
            try:
                lines = journal_lines(path)
            except ReportError as error:
                self.remarks.append(f"{error}: what it holds is measured anew")
                continue
            self.remarks += [f"{problem}: measured anew" for problem in lines.refused]
            self.remarks += lines.remarks()
            yield from lines.entries


def _problem(
    header: Header,
    condition: Condition,
    record: Plain,
    specification: Mapping[str, Any],
) -> str:
    """Say what is wrong with a record as one of this run; empty where nothing is."""
    from pytest_robustbench.reports.file.record_integrity import record_problems
    from pytest_robustbench.reports.file.tolerance.integrity import tolerance_problems

    plain = header.to_dict()
    expected = json.loads(json.dumps(dict(specification)), parse_constant=str)
    if record["specification"] != expected:
        return "it was measured under another corruption than its key says"
    samples, point = plain["samples"], plain["operating_point"]
    problems = (
        tolerance_problems(condition, record, samples, point)
        if condition.ladder
        else iter(record_problems(condition.id, samples, record, point))
    )
    return next(problems, "")


def _loaded_code() -> Iterator[Path]:
    """Yield the source files of all modules that are neither installed nor Python's or our own."""
    python = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    installed = {OWN.resolve(), *(Path(name).resolve() for name in python)}
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
            reports = SESSION_FILE in names and here != folder  # of another run, or of a merge
            endings = PARAMETERS.difference({".json"} if reports else ())
            files = [here / n for n in names if Path(n).suffix in endings]
            yield from (f for f in files if f.name != DEFAULT_CONFIG and f.is_file())
