"""What there is to measure and to judge: robustness.yaml, narrowed as the options ask."""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.errors import ConfigError, UnknownProfileError, UnsetVariableError
from pytest_robustbench.plugin.options import DEFAULT_CONFIG, SETTINGS, narrowed_on_command_line
from pytest_robustbench.plugin.workers.role import briefing_of, is_worker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig
    from pytest_robustbench.plugin.options import Settings
    from pytest_robustbench.reports.file.model import Header

NO_CONFIG = (
    "there is no robustness.yaml where pytest was called or in its rootdir: write one (see the "
    "README), or name it with --robustness-config"
)
EACH = (
    "pytest-xdist's --dist each would run every condition in every worker, and the first answer "
    "is final: use --dist load, worksteal or loadgroup"
)
NO_CONTROLLER = (
    "the controller of this pytest-xdist worker found no robustness.yaml where pytest was called: "
    "name it with --robustness-config=FILE"
)


@dataclass
class Declared:
    """The benchmarks of a run, or the reason why there are none.

    Parameters
    ----------
    config : RobustnessConfig, optional
        ``None`` where there is no valid YAML.
    problem : str
        Why there is none.
    """

    config: RobustnessConfig | None
    problem: str = ""

    @cached_property
    def benchmarks(self) -> Mapping[str, BenchmarkDeclaration]:
        """The declared benchmarks by name; empty without a valid YAML."""
        return {b.name: b for b in self.config.benchmarks} if self.config else {}

    @property
    def folder(self) -> Path:
        """Where relative paths and imports of the YAML start."""
        return self.config.folder if self.config else Path.cwd()

    def header(self, name: str) -> Header:
        """Return the header of a report on a benchmark of which nothing was prepared."""
        from pytest_robustbench.plain_json import sha256_of
        from pytest_robustbench.reports.file.environment import environment
        from pytest_robustbench.reports.file.model import Digests, Environment, Header
        from pytest_robustbench.reports.file.record_model import Memory

        assert self.config is not None, "a declared benchmark has a configuration"
        declaration = self.benchmarks[name]
        config = declaration.effective
        return Header(
            name=name,
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
            environment=Environment.from_dict(environment(self.folder)),
            samples=None,
            memory=Memory(host_peak_bytes=None, device_peak_bytes=None),
            profile=self.config.profile,
            notes=[],
        )


DECLARED: pytest.StashKey[Declared] = pytest.StashKey()


def declared_of(config: pytest.Config) -> Declared:
    """Return what is declared, reading the YAML when first asked.

    A broken one is no error here: it is told where a test asks for a benchmark.

    Raises
    ------
    pytest.UsageError
        If an option does not fit the YAML.
    """
    if DECLARED not in config.stash:
        try:
            config.stash[DECLARED] = _read(config)
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[DECLARED]


def refuse_unfitting_options(config: pytest.Config) -> None:
    """Read the YAML now if options narrow it, so that a misspelt one stops pytest at once.

    Raises
    ------
    pytest.UsageError
        If an option names what the YAML does not have.
    """
    if not narrowed_on_command_line(config):
        return
    declarations = declared_of(config).benchmarks.values()
    shard = config.stash[SETTINGS].shard
    try:
        if shard is not None and declarations:
            shard.conditions(declarations)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None


def _read(config: pytest.Config) -> Declared:
    settings, yaml = config.stash[SETTINGS], None
    if is_worker(config):
        briefing = briefing_of(config)
        if briefing is None or briefing.dist == "each":
            return Declared(None, EACH if briefing else NO_CONTROLLER)
        yaml = briefing.yaml
    try:
        declared = _parsed(settings, yaml)
        _require_apart(declared, settings)
    except UnknownProfileError:
        raise
    except ConfigError as error:
        return Declared(None, str(error))
    return Declared(_narrowed(declared, settings))


def _parsed(settings: Settings, yaml: str | None) -> RobustnessConfig:
    """Parse the file, or its text where this process is a worker: its controller has read it."""
    from pytest_robustbench.config.loader import parse_config
    from pytest_robustbench.config.yaml.reading import read_text

    path = settings.config
    own = None if path is None else read_text(path)
    if yaml is not None and own is not None and own != yaml:
        raise ConfigError(
            f"{path} is not the file that the controller of this pytest-xdist run has read: all "
            "workers must judge by the same limits"
        )
    text = yaml if own is None else own
    if text is None:
        raise ConfigError(NO_CONFIG)
    return parse_config(text, path or Path(DEFAULT_CONFIG), profile=settings.profile)


def _require_apart(config: RobustnessConfig, settings: Settings) -> None:
    """Refuse, before anything is measured, reports that would replace their own baselines."""
    from pytest_robustbench.config.matches import require_apart

    for declaration in config.benchmarks:
        output = settings.report_dir / f"{declaration.name}.json"
        with suppress(UnsetVariableError):  # told where the baseline is needed
            require_apart(declaration, config.folder, output, settings.baseline)


def _narrowed(config: RobustnessConfig, settings: Settings) -> RobustnessConfig:
    from pytest_robustbench.config.narrowing import narrow

    return narrow(
        config,
        corruptions=settings.corruptions,
        severities=settings.severities,
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        device=settings.device,
    )
