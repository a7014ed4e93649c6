"""What there is to measure and to judge: every robustness.yaml, narrowed as the options ask."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest

from pytest_robustbench.errors import ConfigError, UnfitOptionError, UnsetVariableError
from pytest_robustbench.naming import relative
from pytest_robustbench.plugin.messages import Briefing
from pytest_robustbench.plugin.options import DEFAULT_CONFIG, SETTINGS, narrowed_on_command_line
from pytest_robustbench.plugin.workers.role import briefing_of, is_worker
from pytest_robustbench.plugin.yaml_files import (
    arguments,
    below,
    folder_of,
    nearby,
    nearest,
    place_of,
)

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.config.narrowing import Run
    from pytest_robustbench.plugin.options import Settings
    from pytest_robustbench.reports.file.model import Header

    Asked: TypeAlias = Collection[T] | None

EACH = (
    "pytest-xdist's --dist each would run every condition in every worker, and the first answer "
    "is final: use --dist load, worksteal or loadgroup"
)
NO_BRIEFING = Briefing(run="", dist="", command="", yamls={})


@dataclass(frozen=True)
class DeclaredFile:
    """The benchmarks of one file, or the reason why there are none.

    Parameters
    ----------
    path : Path, optional
        The file; ``None`` where there is none.
    place : str
        Folder of its reports below that of all reports; empty for the reports of the file that
        lies where pytest was called or in its rootdir, or is named.
    config : RobustnessConfig, optional
        ``None`` where there is no valid YAML.
    problem : str
        Why there is none.
    unfit : bool
        Whether that is because options ask for what the file does not have.
    """

    path: Path | None
    place: str
    config: RobustnessConfig | None
    problem: str = ""
    unfit: bool = False

    @cached_property
    def benchmarks(self) -> Mapping[str, BenchmarkDeclaration]:
        """The declared benchmarks by key; empty without a valid YAML."""
        return {b.key: b for b in self.config.benchmarks} if self.config else {}


@dataclass
class Declared:
    """The benchmarks of a session, of one file or of several, each under the key it has there.

    Parameters
    ----------
    settings : Settings
        Options.
    rootdir : Path
        Of pytest.
    arguments : tuple of Path
        Files and folders that pytest was asked to run.
    briefing : Briefing, optional
        What the controller has told, where this process is one of several.
    refusal : str
        Why nothing can be measured, whatever the files say.
    """

    settings: Settings
    rootdir: Path
    arguments: tuple[Path, ...] = ()
    briefing: Briefing | None = None
    refusal: str = ""
    _paths: dict[Path, Path | None] = field(default_factory=dict)
    _files: dict[Path | None, DeclaredFile] = field(default_factory=dict)
    _at: dict[str, DeclaredFile] = field(default_factory=dict)
    _texts: dict[Path, str] = field(default_factory=dict)
    _parsed: dict[Path, RobustnessConfig | ConfigError] = field(default_factory=dict)
    _used: dict[str, None] = field(default_factory=dict)

    # ---- which file decides --------------------------------------------------------------------

    def file_for(self, folder: Path) -> DeclaredFile:
        """Return what the file says that decides for the modules of a folder."""
        return self._file(self.path_for(folder))

    def path_for(self, folder: Path) -> Path | None:
        """Return the file that decides for the modules of a folder; ``None`` where none does."""
        if self.settings.config_is_given:
            return self._main
        if folder not in self._paths:
            self._paths[folder] = nearest(folder, self.rootdir, self._is_there) or self._main
        return self._paths[folder]

    @cached_property
    def _main(self) -> Path | None:
        """The file that is named, or that lies where pytest was called or in its rootdir.

        A worker may run where there is none, and know its text alone.
        """
        return self.settings.config or (Path(DEFAULT_CONFIG) if "" in self._told else None)

    @property
    def _told(self) -> Mapping[str, str]:
        """The text of every file that the controller of this process has read, by place."""
        return self.briefing.yamls if self.briefing else {}

    @cached_property
    def asked(self) -> tuple[Path, ...]:
        """The files that decide for what stands directly at the arguments of pytest."""
        found = map(self.path_for, dict.fromkeys(map(folder_of, self.arguments)))
        return tuple(dict.fromkeys(path for path in found if path is not None))

    @cached_property
    def reach(self) -> tuple[Path, ...]:
        """Every file that may decide for what pytest was asked to run, before it is collected."""
        if self.settings.config_is_given:
            return self.asked
        lower = (path for place in self.arguments for path in below(place))
        return tuple(dict.fromkeys((*self.asked, *lower)))

    def _is_there(self, path: Path) -> bool:
        return os.path.lexists(path) or self._place(path) in self._told

    def _place(self, path: Path) -> str:
        if path == self._main:
            return ""
        place = place_of(path, self.rootdir)
        if place in self._told or not self._told or not path.is_file():
            return place
        # A worker may have another rootdir: its file is known by its text then.
        with suppress(ConfigError):  # told where it is read
            text = self._text(path)
            place = next((known for known, told in self._told.items() if told == text), place)
        return place

    # ---- what is in play -----------------------------------------------------------------------

    def use(self, place: str) -> None:
        """Note that a test asks for the benchmarks of the file of a place."""
        self._used[place] = None

    @property
    def files(self) -> list[DeclaredFile]:
        """The files whose benchmarks tests ask for, in the order of their first one."""
        return [self.file_of(f"{place}/") for place in self._used]

    @property
    def benchmarks(self) -> Mapping[str, BenchmarkDeclaration]:
        """The benchmarks of these files, by key."""
        return {key: one for file in self.files for key, one in file.benchmarks.items()}

    def file_of(self, key: str) -> DeclaredFile:
        """Return the file of a benchmark, or of what stands for it where there is none."""
        place = key.rpartition("/")[0]
        if place not in self._at:  # workers have collected it
            self._file(next(path for path in self.reach if self._place(path) == place))
        return self._at[place]

    def problem_of(self, path: Path) -> str:
        """Return why there are no benchmarks of a file; empty where there are."""
        return self._file(path).problem

    def benchmark(self, key: str) -> BenchmarkDeclaration:
        """Return a declared benchmark."""
        return self.file_of(key).benchmarks[key]

    def folder_of(self, key: str) -> Path:
        """Return where relative paths and imports of a benchmark start."""
        config = self.file_of(key).config
        assert config is not None, "a declared benchmark has a configuration"
        return config.folder

    # ---- reading -------------------------------------------------------------------------------

    def texts(self) -> dict[str, str]:
        """Return the text of every file in reach, by its place."""
        found: dict[str, str] = {}
        for path in filter(Path.is_file, self.reach):
            with suppress(ConfigError):  # told where it is needed
                found.setdefault(self._place(path), self._text(path))
        return found

    def _text(self, path: Path) -> str:
        from pytest_robustbench.config.yaml.reading import read_text

        if path not in self._texts:
            self._texts[path] = read_text(path)
        return self._texts[path]

    def _file(self, path: Path | None) -> DeclaredFile:
        if path not in self._files:
            file = self._absent() if path is None else self._declared(path)
            self._files[path] = self._at[file.place] = file
        return self._files[path]

    def _absent(self) -> DeclaredFile:
        problem = self.refusal or no_config(self.rootdir, self.settings.start)
        return DeclaredFile(None, "", None, problem)

    def _declared(self, path: Path) -> DeclaredFile:
        place = self._place(path)
        if place in self._at:
            both = f"{self._at[place].path} and {path}"
            problem = (
                f"{both} would both write their reports to {place}: run them apart, or name one "
                "with --robustness-config"
            )
            return DeclaredFile(path, f"{place}~{len(self._files)}", None, problem)
        try:
            config = self._narrowed(self._parse(path))
            config = replace(
                config, benchmarks=tuple(replace(b, place=place) for b in config.benchmarks)
            )
            self._require_apart(config)
        except ConfigError as error:
            unfit = isinstance(error, UnfitOptionError)
            return DeclaredFile(path, place, None, str(error), unfit=unfit)
        return DeclaredFile(path, place, config)

    def _parse(self, path: Path) -> RobustnessConfig:
        if path not in self._parsed:
            try:
                self._parsed[path] = self._read(path)
            except ConfigError as error:
                self._parsed[path] = error
        found = self._parsed[path]
        if isinstance(found, ConfigError):
            raise found
        return found

    def _read(self, path: Path) -> RobustnessConfig:
        """Parse a file, or its text where this process is a worker: its controller has read it."""
        from pytest_robustbench.config.loader import parse_config

        if self.refusal:
            raise ConfigError(self.refusal)
        text = own = self._text(path) if path.is_file() else None
        if self.briefing is not None:
            text = self._told.get(self._place(path))
            if text is None:
                raise ConfigError(
                    f"the controller of this pytest-xdist worker has not read {path}: name it "
                    "with --robustness-config=FILE"
                )
            if own is not None and own != text:
                raise ConfigError(
                    f"{path} is not the file that the controller of this pytest-xdist run has "
                    "read: all workers must judge by the same limits"
                )
        if text is None:
            raise ConfigError(f"{path} decides here, and is no file that can be read")
        return parse_config(text, path, profile=self.settings.profile)

    def _narrowed(self, config: RobustnessConfig) -> RobustnessConfig:
        """Narrow a file as options ask; what others alone have leaves nothing of it but clean."""
        from pytest_robustbench.config.narrowing import narrow, run_by

        settings, own = self.settings, run_by(config)
        asks = settings.corruptions or settings.severities
        elsewhere = [run_by(other) for other in self._others(config)] if asks else []

        def fitting(asked: Collection[T] | None, of: Callable[[Run], Collection[T]]) -> Asked[T]:
            known = {name for run in elsewhere for name in of(run)} - set(of(own))
            return None if asked is None else [name for name in asked if name not in known]

        return narrow(
            config,
            corruptions=fitting(settings.corruptions, attrgetter("corruptions")),
            severities=fitting(settings.severities, attrgetter("severities")),
            limit_train=settings.limit_train,
            limit_test=settings.limit_test,
            device=settings.device,
        )

    def _others(self, config: RobustnessConfig) -> Iterator[RobustnessConfig]:
        for path in self.reach:
            if path.absolute() != config.path:
                with suppress(ConfigError):
                    yield self._parse(path)

    def _require_apart(self, config: RobustnessConfig) -> None:
        """Refuse, before anything is measured, reports that would replace their own baselines."""
        from pytest_robustbench.config.matches import require_apart

        settings = self.settings
        for declaration in config.benchmarks:
            output = settings.report_dir / f"{declaration.key}.json"
            with suppress(UnsetVariableError):  # told where the baseline is needed
                require_apart(declaration, config.folder, output, settings.baseline)

    def refuse_unfitting(self) -> None:
        """Refuse options that no file in reach fits, before anything is collected.

        Raises
        ------
        ConfigError
            If they ask for what none of them has.
        """
        files = [self._file(path) for path in self.reach]
        unfit = [file.problem for file in files if file.unfit]
        if unfit and not any(file.benchmarks for file in files):
            raise ConfigError("\n".join(unfit))
        shard, declared = self.settings.shard, [b for f in files for b in f.benchmarks.values()]
        if shard is not None and declared:
            shard.conditions(declared)

    # ---- reports -------------------------------------------------------------------------------

    def header(self, key: str) -> Header:
        """Return the header of a report on a benchmark of which nothing was prepared."""
        from pytest_robustbench.plain_json import sha256_of
        from pytest_robustbench.reports.file.environment import environment
        from pytest_robustbench.reports.file.model import (
            Digests,
            Environment,
            Header,
            ModelSources,
        )
        from pytest_robustbench.reports.file.record_model import Memory

        declaration, file = self.benchmark(key), self.file_of(key).config
        assert file is not None, "a declared benchmark has a configuration"
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
            sources=ModelSources(code={}, files={}),
            sha256=Digests(config=sha256_of(config), dataset=None, model=None, fitted=None),
            environment=Environment.from_dict(environment(file.folder)),
            samples=None,
            memory=Memory(host_peak_bytes=None, device_peak_bytes=None),
            profile=file.profile,
            notes=[],
            **placed(declaration.place),
        ).changed()


def placed(place: str) -> dict[str, Any]:
    """Return the fields of a header that say which of several files declares a benchmark."""
    return {"place": place} if place else {}


def no_config(rootdir: Path, start: Path) -> str:
    """Return that no file decides for a module, and which ones lie nearby."""
    text = (
        "there is no robustness.yaml beside the test module or above it, where pytest was called "
        "or in its rootdir: write one (see the README), or name it with --robustness-config"
    )
    found = [relative(path, start) for path in nearby(rootdir)]
    if not found:
        return text
    return f"{text}={found[0]}; nearby: {', '.join(found)}"


DECLARED: pytest.StashKey[Declared] = pytest.StashKey()


def declared_of(config: pytest.Config) -> Declared:
    """Return what is declared; files are read when a test first asks for their benchmarks.

    A broken one is no error here: it is told where a test asks for a benchmark.
    """
    if DECLARED not in config.stash:
        briefing = (briefing_of(config) or NO_BRIEFING) if is_worker(config) else None
        config.stash[DECLARED] = Declared(
            config.stash[SETTINGS],
            config.rootpath,
            arguments(config),
            briefing,
            EACH if briefing and briefing.dist == "each" else "",
        )
    return config.stash[DECLARED]


def refuse_unfitting_options(config: pytest.Config) -> None:
    """Read the YAML now if options narrow it, so that a misspelt one stops pytest at once.

    Raises
    ------
    pytest.UsageError
        If an option names what no file has.
    """
    if narrowed_on_command_line(config):
        try:
            declared_of(config).refuse_unfitting()
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
