"""What earlier runs have measured, and whether anything has changed that decides a result."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench import version
from pytest_robustbench.plugin.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.plugin.workers.run_context import RunContext
    from pytest_robustbench.reports.file.model import Header

TIMING = ("OMP_NUM_THREADS", "PYTEST_XDIST_WORKER_COUNT")
"""What decides how a latency was measured."""
PARAMETERS = (
    *(".bin", ".ckpt", ".engine", ".json", ".npy", ".npz", ".onnx", ".pkl", ".pt", ".pth"),
    *(".safetensors", ".toml", ".xml", ".yaml", ".yml"),
)
"""Endings of files that a detector may read while it predicts."""
OWN = Path(version.__file__).parent
"""This package: its version stands for it, wherever it lies."""
DETERMINING = ("operating_point", "detector", "sources", "samples", "environment")
"""Of the header: what else than the corruption and how it is measured decides a result."""


@dataclass
class EarlierResults:
    """Records of earlier runs, each under a digest of everything that determines it.

    Parameters
    ----------
    context : RunContext
        Of this process.
    folder : Path
        Of the YAML: code that was loaded from below it decides results as well.
    """

    context: RunContext
    folder: Path

    def key(self, benchmark: Benchmark, header: Header, condition: Condition) -> str:
        """Return the digest of what determines a result; empty where not all of it is known."""
        from pytest_robustbench.plain_json import sha256_of

        if condition.recorded or not benchmark.is_described or not self._code:
            return ""
        plain = header.to_dict()
        return sha256_of(
            {
                **{name: plain[name] for name in DETERMINING},
                "version": version.__version__,
                "code": self._code,
                "timing": [os.environ.get(name) for name in TIMING],
                "evaluation": plain["config"].get("evaluation"),
                "metrics": plain.get("own_metrics"),
                "specification": dict(benchmark.evaluator.specification(condition)),
                "condition": condition.id,
            }
        )

    def record(self, benchmark: str, condition: Condition, key: str) -> dict[str, Any] | None:
        """Return what an earlier run has measured where nothing has changed since."""
        return self._records.get((benchmark, condition.id, key)) if key else None

    @cached_property
    def _code(self) -> str:
        """Digest of the project's own code and parameters, as they are once one is prepared.

        Empty where one of them cannot be read: then nobody can tell whether it has changed.
        """
        settings = self.context.settings
        parameters = _parameter_files(self.folder.resolve(), settings.report_dir.resolve())
        files = {*_loaded_code(), *parameters}.difference(settings.outputs)
        code = hashlib.sha256(json.dumps(_installed()).encode())
        try:
            for file in sorted(files):
                code.update(f"{file.name}\n".encode())
                code.update(file.read_bytes())
        except OSError:
            return ""
        return code.hexdigest()

    @cached_property
    def _records(self) -> Mapping[tuple[str, str, str], dict[str, Any]]:
        """By benchmark, condition and key; later ones count."""
        return dict(self._read()) if self.context.settings.resume else {}

    def _read(self) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
        from pytest_robustbench.reports.file.integrity import reusable_records
        from pytest_robustbench.reports.file.journal import journals_in

        for path in journals_in(self.context.journals):
            if path.parent.name != self.context.run:
                for entry, record in reusable_records(path):
                    if entry.key:
                        yield (entry.benchmark, entry.condition, entry.key), record


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
            files = [here / n for n in names if Path(n).suffix in PARAMETERS]
            yield from (f for f in files if f.name != DEFAULT_CONFIG and f.is_file())


def _installed() -> list[str]:
    """Return the versions of everything installed: any of it may have a part in a result."""
    found = {f"{d.metadata['Name']} {d.version}" for d in distributions()}
    return sorted(found)
