"""From options and robustness.yaml to the session of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.errors import ConfigError, UnknownProfileError
from pytest_robustbench.plugin.session import Session

if TYPE_CHECKING:
    from pytest_robustbench.config.declarations import RobustnessConfig
    from pytest_robustbench.plugin.session import Progress
    from pytest_robustbench.plugin.settings import Settings


def open_session(settings: Settings, progress: Progress, *, worker: bool) -> Session:
    """Read the YAML; a broken one leaves a session that says so when a test asks.

    Parameters
    ----------
    settings : Settings
        Options.
    progress : callable
        Told ``(phase, done, total)``.
    worker : bool
        Whether this is one of several processes of one run.

    Raises
    ------
    ConfigError
        If an option does not fit the YAML.
    """
    if worker:
        return Session(settings, None, _ONE_PROCESS, progress)
    if settings.config is None:
        return Session(settings, None, _NO_CONFIG, progress)
    from pytest_robustbench.config.loader import load_config

    try:
        config = load_config(settings.config, profile=settings.profile)
    except UnknownProfileError:
        raise
    except ConfigError as error:
        return Session(settings, None, str(error), progress)
    return Session(settings, _narrowed(config, settings), "", progress)


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


_ONE_PROCESS = (
    "robustness benchmarks run in one process in this version, and this is a worker of "
    "pytest-xdist: run them apart, with pytest -m robustness -n 0"
)
_NO_CONFIG = (
    "there is no robustness.yaml where pytest was called or in its rootdir: write one (see the "
    "README), or name it with --robustness-config"
)
