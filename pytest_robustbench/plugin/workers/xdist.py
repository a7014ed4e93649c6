"""pytest-xdist: what the controller tells its workers, and what they tell it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from pytest_robustbench.plugin.results.run_results import Ledger, Place

KEY = "robustness"
SELECTION = "robustness_selection"
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

EACH = (
    "pytest-xdist's --dist each would run every condition in every worker, and the first answer "
    "is final: use --dist load, worksteal or loadgroup"
)
NO_CONTROLLER = (
    "the controller of this pytest-xdist worker found no robustness.yaml where pytest was called: "
    "name it with --robustness-config=FILE"
)


@dataclass(frozen=True)
class Briefing:
    """What every worker of a run is told.

    Parameters
    ----------
    run : str
        Identity of the run.
    dist : str
        How xdist distributes.
    command : str
        The command line of the run.
    yaml : str, optional
        Text of the configuration: a worker may run where its file is not.
    """

    run: str
    dist: str
    command: str
    yaml: str | None

    def dumps(self) -> str:
        """Serialize."""
        return json.dumps(asdict(self))


def is_worker(config: pytest.Config) -> bool:
    """Return whether this is one of several processes of pytest-xdist."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Return whether items run in other processes than this one."""
    if is_worker(config):
        return False
    return config.getoption("dist", "no") != "no" and not config.option.collectonly


def worker_id(config: pytest.Config) -> str:
    """Return the name of this worker."""
    return str(config.workerinput["workerid"])  # type: ignore[attr-defined]


def briefing_of(config: pytest.Config) -> Briefing:
    """Return what the controller has told this worker.

    Raises
    ------
    ConfigError
        If it has told nothing, or distributes in a way that cannot be.
    """
    text = config.workerinput.get(KEY)  # type: ignore[attr-defined]
    if text is None:
        raise ConfigError(NO_CONTROLLER)
    briefing = Briefing(**json.loads(text))
    if briefing.dist == "each":
        raise ConfigError(EACH)
    return briefing


def limit_threads(processors: int) -> None:
    """Let the libraries of this worker use no more than its share of the processors.

    They read the environment when they are loaded; torch, which a conftest may have loaded before,
    is told as well.
    """
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, str(processors))
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() > processors:
        torch.set_num_threads(processors)


class Controller:
    """Hooks of xdist's controller.

    Parameters
    ----------
    run : str
        Identity of the run.
    config_file : Path, optional
        The YAML.
    ledger : Ledger
        Where what the workers tell is entered.
    begin : callable
        Called once, when it is known what is going to run.
    """

    def __init__(
        self, run: str, config_file: Path | None, ledger: Ledger, begin: Callable[[], None]
    ) -> None:
        self._run = run
        self._config_file = config_file
        self._ledger = ledger
        self._begin: Callable[[], None] | None = begin

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Brief a worker, before it starts."""
        file = self._config_file
        text = None if file is None else file.read_text(encoding="utf-8", errors="replace")
        dist, command = str(node.config.option.dist), shlex.join(sys.argv)
        briefing = Briefing(self._run, dist, command, text)
        node.workerinput[KEY] = briefing.dumps()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Remember what is going to run: a worker may die before it tells more."""
        self._ledger.expect(ids)
        if self._begin is not None:
            begin, self._begin = self._begin, None
            begin()


class Announcer:
    """Puts what a worker is going to run on its first report.

    Every worker has collected the same items, so that the first to report speaks for all.

    Parameters
    ----------
    selection : list of Place
        The robustness items, in order.
    """

    def __init__(self, selection: list[Place]) -> None:
        self._text = json.dumps([asdict(place) for place in selection])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach it once."""
        report = yield
        if self._text:
            setattr(report, SELECTION, self._text)
            self._text = ""
        return report
