"""From options and robustness.yaml to the session of one process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ConfigError, UnknownProfileError, UnsetVariableError
from pytest_robustbench.plugin.measuring.session import Session
from pytest_robustbench.plugin.options import DEFAULT_CONFIG
from pytest_robustbench.plugin.workers.run_context import Surroundings

if TYPE_CHECKING:
    from pytest_robustbench.config.declarations import RobustnessConfig
    from pytest_robustbench.plugin.settings import Settings
    from pytest_robustbench.plugin.terminal.progress import ProgressLine


def open_session(
    settings: Settings,
    progress: ProgressLine,
    surroundings: Surroundings,
    yaml: str | None = None,
) -> Session:
    """Read the YAML; a broken one leaves a session that says so when a test asks.

    Parameters
    ----------
    settings : Settings
        Options.
    progress : ProgressLine
        Shows whoever waits what is going on.
    surroundings : Surroundings
        Which process of which run this is.
    yaml : str, optional
        The YAML's text where this process is a worker: its controller has read it.

    Raises
    ------
    ConfigError
        If an option does not fit the YAML.
    """
    try:
        config = _config(settings, yaml)
        _require_apart(config, settings)
    except UnknownProfileError:
        raise
    except ConfigError as error:
        return Session(settings, None, str(error), progress, surroundings)
    return Session(settings, _narrowed(config, settings), "", progress, surroundings)


def problem_session(settings: Settings, progress: ProgressLine, problem: str) -> Session:
    """Return a session that can only say why there are no benchmarks."""
    return Session(settings, None, problem, progress, Surroundings(settings.report_dir))


def _config(settings: Settings, yaml: str | None) -> RobustnessConfig:
    from pytest_robustbench.config.loader import parse_config
    from pytest_robustbench.config.yaml.reading import read_text

    path = settings.config
    if path is None and yaml is None:
        raise ConfigError(_NO_CONFIG)
    own = None if path is None else read_text(path)
    if yaml is not None and own is not None and own != yaml:
        raise ConfigError(
            f"{path} is not the file that the controller of this pytest-xdist run has read: all "
            "workers must judge by the same limits"
        )
    text = own if own is not None else yaml
    assert text is not None, "one of them is there"
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


_NO_CONFIG = (
    "there is no robustness.yaml where pytest was called or in its rootdir: write one (see the "
    "README), or name it with --robustness-config"
)
