"""What the process that measures knows: prepared benchmarks, and final results."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.errors import (
    ConfigError,
    DatasetError,
    MissingDataError,
    RobustbenchError,
    UnsetVariableError,
    message_for_user,
)
from pytest_robustbench.plugin.declared import placed
from pytest_robustbench.plugin.measuring.condition_runner import ConditionRunner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.plugin.declared import Declared
    from pytest_robustbench.plugin.measuring.condition_runner import ConditionOutcome
    from pytest_robustbench.plugin.options import Settings
    from pytest_robustbench.plugin.terminal.progress import ProgressLine
    from pytest_robustbench.plugin.workers.run_context import RunContext
    from pytest_robustbench.reports.file.model import Header


@dataclass(frozen=True)
class Prepared:
    """A benchmark that was tried to prepare once: ready, or the reason why not."""

    benchmark: Benchmark | None
    split: object
    detector: object
    error: str = ""


@dataclass
class Measurements:
    """One per process; every hook and fixture that measures goes through it.

    Parameters
    ----------
    declared : Declared
        The benchmarks.
    context : RunContext
        Which process of which run this is.
    progress : ProgressLine
        Shows whoever waits what is going on.
    errors : dict of str to str
        Why benchmarks cannot be measured.
    data_missing : dict of str to str
        Whose data are missing, where that is to be skipped.
    reruns : dict of str to str
        What measures a condition of a benchmark again, by benchmark.
    """

    declared: Declared
    context: RunContext
    progress: ProgressLine
    errors: dict[str, str] = field(default_factory=dict)
    data_missing: dict[str, str] = field(default_factory=dict)
    reruns: dict[str, str] = field(default_factory=dict)
    _runners: dict[str, ConditionRunner] = field(default_factory=dict)
    _built: dict[tuple[str, str], object] = field(default_factory=dict)
    _origins: list[tuple[object, object]] = field(default_factory=list)
    _prepared: dict[str, Prepared] = field(default_factory=dict)
    _outcomes: dict[tuple[str, str], ConditionOutcome] = field(default_factory=dict)
    _worst_images: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _headers: dict[str, Header] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Options."""
        return self.context.settings

    def runner(self, key: str) -> ConditionRunner:
        """Return what finds out about the conditions of a benchmark, and keeps their journal."""
        place = self.declared.file_of(key).place
        if place not in self._runners:
            context = replace(self.context, place=place)
            self._runners[place] = ConditionRunner(context, self.declared.folder_of(key))
        return self._runners[place]

    # ---- making data and detectors -------------------------------------------------------------

    def build_split(self, declaration: BenchmarkDeclaration) -> Split:
        """Return the split the YAML declares.

        Raises
        ------
        RobustbenchError
            If the data cannot be found, or the YAML leaves them to a conftest.py.
        """
        from pytest_robustbench.config.build import build_split

        try:
            split = build_split(declaration, self.declared.folder_of(declaration.key))
        except UnsetVariableError as error:
            raise MissingDataError(str(error)) from error
        except DatasetError as error:
            raise error.within(declaration.dataset.source) from error
        self._built["dataset", declaration.key] = split
        return split

    def build_detector(self, declaration: BenchmarkDeclaration) -> object:
        """Return the detector the YAML declares.

        Raises
        ------
        RobustbenchError
            If it cannot be loaded, or the YAML leaves it to a conftest.py.
        """
        from pytest_robustbench.config.build import build_detector

        folder = self.declared.folder_of(declaration.key)
        detector = build_detector(declaration.detector, folder)
        self._built["detector", declaration.key] = detector
        return detector

    def note_origin(self, value: object, function: object) -> None:
        """Remember which fixture function made a dataset or detector."""
        self._origins.append((value, function))

    def origins_of(self, name: str) -> str:
        """Return which functions made a benchmark's dataset and detector; empty before that."""
        prepared = self._prepared.get(name)
        if prepared is None:
            return ""
        functions = [self._origin(made) for made in (prepared.split, prepared.detector)]
        return " and ".join(map(_place_of, functions))

    def _origin(self, value: object) -> object:
        return next((function for made, function in self._origins if made is value), None)

    # ---- preparing -----------------------------------------------------------------------------

    def prepare(
        self, declaration: BenchmarkDeclaration, split: object, detector: object
    ) -> Benchmark:
        """Fit and calibrate once per run; later calls return the same, or fail the same.

        Raises
        ------
        RobustbenchError
            If the benchmark cannot be prepared, or overrides and YAML contradict each other.
        """
        known = self._prepared.get(declaration.key)
        if known is None:
            self._release()
            known = self._prepare_once(declaration, split, detector)
            self._prepared[declaration.key] = known
        else:
            self._require_same_origin(declaration, "dataset", known.split, split)
            self._require_same_origin(declaration, "detector", known.detector, detector)
        if known.benchmark is None:
            raise RobustbenchError(*known.error.split("\n"))
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
        except (Exception, SystemExit) as error:  # the first answer is final, whatever it is
            return Prepared(None, split, detector, message_for_user(error))
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
            self.declared.folder_of(declaration.key),
            split,
            detector,
            operating_point=self.settings.operating_point,
            worker_group=self.context.worker_group_of(declaration.key),
            progress=self.progress.of(declaration.key),
            exhibits=self.settings.html,
        )

    def _require_declared(self, declaration: BenchmarkDeclaration) -> None:
        if declaration is not self.declared.file_of(declaration.key).benchmarks.get(
            declaration.key
        ):
            raise ConfigError(
                "a conftest.py overrides robustness_benchmark: it is a view of the YAML, and "
                "limits changed on the way would not be the declared ones; change the YAML"
            )

    def _require_announced(
        self, declaration: BenchmarkDeclaration, part: str, value: object
    ) -> None:
        declared = getattr(declaration, part)
        built = self._built.get((part, declaration.key))
        if not declared.is_fixture and value is not built:
            raise ConfigError(
                f"{declared.source}: a conftest.py overrides robustness_{part}, but the YAML "
                f"declares another one; write '{part}: fixture' there, or remove the override"
            )

    def _require_unshared(self, declaration: BenchmarkDeclaration, detector: object) -> None:
        for name, other in self._prepared.items():
            if other.detector is detector:
                raise ConfigError(
                    f"benchmarks {name!r} and {declaration.key!r} were given the same detector "
                    "instance: fitting one would change the other. Let robustness_detector make "
                    "one per robustness_benchmark"
                )

    def _require_same_origin(
        self, declaration: BenchmarkDeclaration, part: str, first: object, second: object
    ) -> None:
        if first is not second and self._origin(first) is not self._origin(second):
            raise ConfigError(
                f"two different overrides of robustness_{part} serve benchmark "
                f"{declaration.key!r}: its results would depend on which test ran first"
            )

    # ---- measuring -----------------------------------------------------------------------------

    def measure(self, declaration: BenchmarkDeclaration, condition: Condition) -> ConditionOutcome:
        """Measure a condition of a prepared benchmark; the first outcome is final."""
        name, key = declaration.key, (declaration.key, condition.id)
        if key not in self._outcomes:
            benchmark, header = self.benchmark(name), self.header(name)
            assert benchmark is not None, "measured before prepared"
            try:
                outcome = self.runner(name).run(benchmark, header, declaration, condition)
            finally:
                self.progress.clear()
            self._outcomes[key] = outcome
        return self._outcomes[key]

    def outcome(self, name: str, condition: str) -> ConditionOutcome | None:
        """Return what was found on one condition so far."""
        return self._outcomes.get((name, condition))

    def benchmark(self, name: str) -> Benchmark | None:
        """Return a prepared benchmark."""
        prepared = self._prepared.get(name)
        return prepared.benchmark if prepared else None

    def header(self, name: str) -> Header:
        """Return the report's header of one benchmark, as much of it as is known."""
        benchmark = self.benchmark(name)
        if benchmark is None:
            return self.declared.header(name).changed(rerun=self.reruns.get(name))
        if name not in self._headers:
            header, config = benchmark.header(), self.declared.file_of(name).config
            assert config is not None, "a prepared benchmark was declared"
            self._headers[name] = header.changed(
                profile=config.profile,
                command=self.context.command or header.command,
                rerun=self.reruns.get(name),
                **placed(self.declared.benchmark(name).place),
            )
        return self._headers[name]

    def worst_images(self, name: str, condition: str, metrics: Sequence[str]) -> list[str]:
        """Save the worst images of a condition once, reruns included; return lines naming them."""
        from pytest_robustbench.evaluation.results import ConditionResult

        benchmark, outcome = self.benchmark(name), self._outcomes[name, condition]
        if benchmark is None or not isinstance(outcome.result, ConditionResult):
            return []
        if (name, condition) not in self._worst_images:
            from pytest_robustbench.reports.pages.pictures import save_worst_images

            folder = self.settings.report_dir / name
            with benchmark.evaluator.worker_group.computing():
                lines = save_worst_images(benchmark.evaluator, outcome.result, metrics, folder)
            self._worst_images[name, condition] = lines
        return self._worst_images[name, condition]


def _place_of(function: object) -> str:
    """Return file and name of a fixture function, as they are on every machine."""
    code = getattr(function, "__code__", None)
    if code is None:
        return "?"
    file = "/".join(Path(code.co_filename).parts[-2:])
    return f"{file}::{code.co_name}"
