"""What one process knows while it measures: the YAML, prepared benchmarks, final results."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.errors import (
    ConfigError,
    DatasetError,
    MissingDataError,
    RobustbenchError,
    UnsetVariableError,
)
from pytest_robustbench.gates.waivers import without_waivers
from pytest_robustbench.plugin.measuring.findings import Finding, Findings, told
from pytest_robustbench.plugin.settings import RUNXFAIL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.plugin.settings import Settings
    from pytest_robustbench.plugin.terminal.progress import ProgressLine
    from pytest_robustbench.plugin.workers.run_context import Surroundings
    from pytest_robustbench.reports.file.model import Header


@dataclass
class Prepared:
    """A benchmark that was tried to prepare once: ready, or the reason why not."""

    benchmark: Benchmark | None
    split: object
    detector: object
    error: str = ""


@dataclass
class Session:
    """One per process; every hook and fixture that measures goes through it.

    Parameters
    ----------
    settings : Settings
        Options.
    config : RobustnessConfig, optional
        ``None`` where there is no valid YAML.
    problem : str
        Why there is none.
    progress : ProgressLine
        Shows whoever waits what is going on.
    surroundings : Surroundings
        Which process of which run this is.
    """

    settings: Settings
    config: RobustnessConfig | None
    problem: str
    progress: ProgressLine
    surroundings: Surroundings
    _built: dict[tuple[str, str], object] = field(default_factory=dict)
    _origins: list[tuple[object, object]] = field(default_factory=list)
    _prepared: dict[str, Prepared] = field(default_factory=dict)
    _findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    _worst_images: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _errors: dict[str, str] = field(default_factory=dict)
    _headers: dict[str, Header] = field(default_factory=dict)
    data_missing: dict[str, str] = field(default_factory=dict)
    reruns: dict[str, str] = field(default_factory=dict)
    """What measures a condition of a benchmark again, by benchmark."""

    @cached_property
    def findings(self) -> Findings:
        """What finds out about conditions, and keeps the journal."""
        settings = self.settings
        return Findings(self.surroundings, self.folder, settings.narrowing, settings.outputs)

    @property
    def declarations(self) -> Mapping[str, BenchmarkDeclaration]:
        """The declared benchmarks by name; empty without a valid YAML."""
        return {b.name: b for b in self.config.benchmarks} if self.config else {}

    @property
    def folder(self) -> Path:
        """Where relative paths and imports of the YAML start."""
        return self.config.folder if self.config else Path.cwd()

    def build_split(self, declaration: BenchmarkDeclaration) -> Split:
        """Return the split the YAML declares.

        Raises
        ------
        RobustbenchError
            If the data cannot be found, or the YAML leaves them to a conftest.py.
        """
        from pytest_robustbench.config.build import build_split

        try:
            split = build_split(declaration, self.folder)
        except UnsetVariableError as error:
            raise MissingDataError(str(error)) from error
        except DatasetError as error:
            raise type(error)(f"{declaration.dataset.source}: {error}") from error
        self._built["dataset", declaration.name] = split
        return split

    def build_detector(self, declaration: BenchmarkDeclaration) -> object:
        """Return the detector the YAML declares.

        Raises
        ------
        RobustbenchError
            If it cannot be loaded, or the YAML leaves it to a conftest.py.
        """
        from pytest_robustbench.config.build import build_detector

        detector = build_detector(declaration.detector, self.folder)
        self._built["detector", declaration.name] = detector
        return detector

    def note_origin(self, value: object, function: object) -> None:
        """Remember which fixture function made a dataset or detector."""
        self._origins.append((value, function))

    def prepare(
        self, declaration: BenchmarkDeclaration, split: object, detector: object
    ) -> Benchmark:
        """Fit and calibrate once per session; later calls return the same, or fail the same.

        Raises
        ------
        RobustbenchError
            If the benchmark cannot be prepared, or overrides and YAML contradict each other.
        """
        known = self._prepared.get(declaration.name)
        if known is None:
            self._release()
            known = self._prepare_once(declaration, split, detector)
            self._prepared[declaration.name] = known
        else:
            self._require_same_origin(declaration, "dataset", known.split, split)
            self._require_same_origin(declaration, "detector", known.detector, detector)
        if known.benchmark is None:
            raise RobustbenchError(known.error)
        return known.benchmark

    def require_prepared(
        self,
        declaration: BenchmarkDeclaration,
        split: object,
        detector: object,
        operating_point: object,
    ) -> None:
        """Refuse to measure with anything but what the benchmark was prepared with.

        Raises
        ------
        RobustbenchError
            If it could not be prepared, or an item's own overrides are different ones.
        """
        if self.prepare(declaration, split, detector).prepare() is not operating_point:
            raise ConfigError(
                "a conftest.py overrides robustness_threshold: it is a view of the operating "
                f"point; write 'operating_point:' at {declaration.source} to give one"
            )

    def _prepare_once(
        self, declaration: BenchmarkDeclaration, split: object, detector: object
    ) -> Prepared:
        try:
            self._require_declared(declaration)
            self._require_announced(declaration, "dataset", split)
            self._require_announced(declaration, "detector", detector)
            self._require_unshared(declaration, detector)
            benchmark = self._benchmark(declaration, split, detector)
            benchmark.prepare()
        except Exception as error:  # the first answer is final, whatever it is
            return Prepared(None, split, detector, told(error))
        finally:
            self.progress.clear()
        return Prepared(benchmark, split, detector)

    def _release(self) -> None:
        """Let earlier benchmarks give back their memory: items of one stand together."""
        for other in self._prepared.values():
            if other.benchmark is not None:
                other.benchmark.evaluator.release()

    def _benchmark(
        self, declaration: BenchmarkDeclaration, split: object, detector: object
    ) -> Benchmark:
        from pytest_robustbench.config.benchmarks import build_benchmark

        return build_benchmark(
            declaration,
            self.folder,
            split,
            detector,
            operating_point=self.settings.operating_point,
            worker_group=self.surroundings.worker_group_of(declaration.name),
            progress=self.progress.of(declaration.name),
            exhibits=self.settings.html,
        )

    def measure(self, declaration: BenchmarkDeclaration, condition: Condition) -> Finding:
        """Measure a condition of a prepared benchmark; the first finding is final."""
        key = (declaration.name, condition.id)
        if key not in self._findings:
            benchmark = self._prepared[declaration.name].benchmark
            assert benchmark is not None, "measured before prepared"
            header = self.header(declaration.name)
            try:
                found = self.findings.find(benchmark, header, declaration, condition)
            finally:
                self.progress.clear()
            self._findings[key] = self._as_strict(found)
        return self._findings[key]

    def _as_strict(self, finding: Finding) -> Finding:
        """Under ``--runxfail`` pytest.xfail does nothing, and would let what is waived pass."""
        if not self.settings.runxfail:
            return finding
        return replace(finding, verdicts=without_waivers(finding.verdicts, RUNXFAIL))

    def worst_images(self, finding: Finding, metrics: Sequence[str]) -> list[str]:
        """Save the worst images of a condition once, reruns included; return lines naming them."""
        name, condition = finding.declaration.name, finding.condition.id
        benchmark = self.benchmark(name)
        if benchmark is None or finding.result is None:
            return []
        if (name, condition) not in self._worst_images:
            from pytest_robustbench.reports.pages.pictures import save_worst_images

            folder = self.settings.report_dir / name
            with benchmark.evaluator.worker_group.computing():
                lines = save_worst_images(benchmark.evaluator, finding.result, metrics, folder)
            self._worst_images[name, condition] = lines
        return self._worst_images[name, condition]

    def benchmark(self, name: str) -> Benchmark | None:
        """Return a prepared benchmark."""
        prepared = self._prepared.get(name)
        return prepared.benchmark if prepared else None

    def origins_of(self, name: str) -> str:
        """Return which functions made a benchmark's dataset and detector; empty before that."""
        prepared = self._prepared.get(name)
        if prepared is None:
            return ""
        functions = [self._origin(made) for made in (prepared.split, prepared.detector)]
        return " and ".join(map(_place_of, functions))

    def fail(self, name: str, message: str) -> None:
        """Remember why a benchmark cannot be measured; the first reason stays."""
        self._errors.setdefault(name, message)

    def error_of(self, name: str) -> str:
        """Return why a benchmark cannot be measured; empty where it can."""
        return self._errors.get(name, "")

    def finding(self, name: str, condition: str) -> Finding | None:
        """Return what was found on one condition so far."""
        return self._findings.get((name, condition))

    def header(self, name: str) -> Header:
        """Return the report's header of one benchmark, as much of it as is known."""
        benchmark = self.benchmark(name)
        if benchmark is None:
            assert self.config is not None, "a declared benchmark has a configuration"
            bare = _header_without_data(self.declarations[name], self.config)
            return bare.changed(rerun=self.reruns.get(name))
        if name not in self._headers:
            profile = self.config.profile if self.config else None
            header = benchmark.header().changed(profile=profile)
            command = self.surroundings.command or header.command
            rerun = self.reruns.get(name)
            self._headers[name] = header.changed(command=command, rerun=rerun)
        return self._headers[name]

    def _require_declared(self, declaration: BenchmarkDeclaration) -> None:
        if declaration is not self.declarations.get(declaration.name):
            raise ConfigError(
                "a conftest.py overrides robustness_benchmark: it is a view of the YAML, and "
                "limits changed on the way would not be the declared ones; change the YAML"
            )

    def _require_announced(
        self, declaration: BenchmarkDeclaration, part: str, value: object
    ) -> None:
        declared = getattr(declaration, part)
        built = self._built.get((part, declaration.name))
        if not declared.is_fixture and value is not built:
            raise ConfigError(
                f"{declared.source}: a conftest.py overrides robustness_{part}, but the YAML "
                f"declares another one; write '{part}: fixture' there, or remove the override"
            )

    def _require_unshared(self, declaration: BenchmarkDeclaration, detector: object) -> None:
        for name, other in self._prepared.items():
            if other.detector is detector:
                raise ConfigError(
                    f"benchmarks {name!r} and {declaration.name!r} were given the same detector "
                    "instance: fitting one would change the other. Let robustness_detector make "
                    "one per robustness_benchmark"
                )

    def _require_same_origin(
        self, declaration: BenchmarkDeclaration, part: str, first: object, second: object
    ) -> None:
        if first is not second and self._origin(first) is not self._origin(second):
            raise ConfigError(
                f"two different overrides of robustness_{part} serve benchmark "
                f"{declaration.name!r}: its results would depend on which test ran first"
            )

    def _origin(self, value: object) -> object:
        return next((function for made, function in self._origins if made is value), None)


def _place_of(function: object) -> str:
    """Return file and name of a fixture function, as they are on every machine."""
    code = getattr(function, "__code__", None)
    if code is None:
        return "?"
    file = "/".join(Path(code.co_filename).parts[-2:])
    return f"{file}::{code.co_name}"


def _header_without_data(declaration: BenchmarkDeclaration, yaml: RobustnessConfig) -> Header:
    from pytest_robustbench.plain_json import sha256_of
    from pytest_robustbench.reports.file.environment import environment
    from pytest_robustbench.reports.file.model import Digests, Environment, Header
    from pytest_robustbench.reports.file.record_model import Memory

    config = declaration.effective
    return Header(
        name=declaration.name,
        dataset=declaration.dataset.format,
        category=declaration.category,
        model=declaration.detector.label,
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        command=shlex.join(sys.argv),
        rerun=None,
        config=config,
        operating_point=None,
        detector={},
        sha256=Digests(config=sha256_of(config), dataset=None, model=None),
        environment=Environment.from_dict(environment(yaml.folder)),
        samples=None,
        memory=Memory(host_peak_bytes=None, device_peak_bytes=None),
        profile=yaml.profile,
        notes=[],
    )
