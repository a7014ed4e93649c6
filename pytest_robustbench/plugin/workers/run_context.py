"""Where a process of a run stands: which run, beside whom, and where it keeps its journal."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.errors import RobustbenchError
from pytest_robustbench.plugin.options import SETTINGS
from pytest_robustbench.plugin.workers.presence import Presence, may_be_alive
from pytest_robustbench.plugin.workers.role import briefing_of, is_worker, worker_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_robustbench.evaluation.machine.worker_group import WorkerGroup
    from pytest_robustbench.plugin.options import Settings
    from pytest_robustbench.reports.file.journal import Journal

ALONE = "main"
PRESENT = ".present"
RUN = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")
STALE_S = 24 * 3600


@dataclass(frozen=True)
class RunContext:
    """One process of one run.

    Parameters
    ----------
    settings : Settings
        Options.
    run : str
        Identity of the run; all its processes have the same.
    process : str
        Name of this process.
    command : str
        The command line of the run, where it is another process's.
    place : str
        Folder, below that of all reports, of the reports of one of several configurations.
    presence : Presence
        Tells other runs that this process is alive, once it keeps a journal.
    """

    settings: Settings
    run: str
    process: str = ALONE
    command: str = ""
    place: str = ""
    presence: Presence = field(default_factory=Presence, compare=False)

    @property
    def journals(self) -> Path:
        """The folder of the journals of all runs."""
        from pytest_robustbench.reports.file.journal import FOLDER

        return self.settings.report_dir / self.place / FOLDER

    @property
    def journal(self) -> Journal:
        """The journal of this process."""
        from pytest_robustbench.reports.file.journal import SUFFIX, Journal

        return Journal(self.journals / self.run / f"{self.process}{SUFFIX}")

    def worker_group_of(self, benchmark: str) -> WorkerGroup | None:
        """Return the processes of the run, as far as they work on a benchmark; ``None`` for one.

        Raises
        ------
        RobustbenchError
            If there is no folder that is this user's alone.
        """
        if self.process == ALONE:
            return None
        from pytest_robustbench.evaluation.machine.worker_group import WorkersOnHost

        folder = private_folder(self.run)
        name = hashlib.blake2b(benchmark.encode(), digest_size=8).hexdigest()
        return WorkersOnHost(folder, folder / name)

    def join(self) -> None:
        """Be counted among the workers, before any of them may leave.

        That there is no folder to meet in is told where a benchmark needs it.
        """
        with suppress(RobustbenchError, OSError):
            (private_folder(self.run) / f"{self.process}{PRESENT}").touch()

    def leave(self) -> None:
        """Be counted no more; the last worker takes away what they have shared."""
        self.presence.end()
        if self.process == ALONE:
            remove_private_folder(self.run)
            return
        folder = _home() / self.run
        with suppress(OSError):
            (folder / f"{self.process}{PRESENT}").unlink(missing_ok=True)
            if not list(folder.glob(f"*{PRESENT}")):
                remove_private_folder(self.run)

    def forget_earlier_runs(self, finished: Collection[str]) -> None:
        """Remove the journals of runs before this one whose benchmarks it has finished.

        Those of a run that is still going stay, and those that hold anything else.
        """
        from pytest_robustbench.reports.file.journal import benchmarks_in

        for path in self.journals.iterdir() if self.journals.is_dir() else ():
            if not RUN.fullmatch(path.name) or path.name >= self.run or may_be_alive(path):
                continue
            with suppress(OSError):
                if benchmarks_in(path) <= set(finished):
                    shutil.rmtree(path, ignore_errors=True)


CONTEXT: pytest.StashKey[RunContext] = pytest.StashKey()


def context_of(config: pytest.Config) -> RunContext:
    """Return which process of which run this is."""
    if CONTEXT not in config.stash:
        settings = config.stash[SETTINGS]
        briefing = briefing_of(config) if is_worker(config) else None
        config.stash[CONTEXT] = (
            RunContext(settings, new_run())
            if briefing is None
            else RunContext(settings, briefing.run, worker_id(config), briefing.command)
        )
    return config.stash[CONTEXT]


def new_run() -> str:
    """Return a name for a run; later runs sort behind, also within one second."""
    now = datetime.now(timezone.utc)
    return f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


def private_folder(run: str) -> Path:
    """Return the folder that the processes of a run share on this host; nobody else may look in.

    Raises
    ------
    RobustbenchError
        If another user has made it, or may write to it, or it cannot be made.
    """
    home = _home()
    for path in (home, home / run):
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RobustbenchError(
                f"cannot make {path} for the workers to share: {error.strerror or error}"
            ) from error
        _require_private(path)
    return home / run


def _home() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"pytest-robustbench-{user}"


def _require_private(path: Path) -> None:
    found = path.lstat()
    shared = os.name != "nt" and (
        not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077
    )
    if shared:
        raise RobustbenchError(
            f"{path} is not this user's alone: remove it, or set TMPDIR to another folder"
        )


def remove_private_folder(run: str) -> None:
    """Remove what the processes of a run have shared, and what runs that died have left.

    Nothing is touched in a folder that is not this user's alone: its names may lead elsewhere.
    """
    home = _home()
    try:
        _require_private(home)
    except (RobustbenchError, OSError):
        return
    oldest = time.time() - STALE_S
    for path in home.iterdir():
        with suppress(OSError):
            found = path.lstat()
            is_run = RUN.fullmatch(path.name) and stat.S_ISDIR(found.st_mode)
            if is_run and (path.name == run or found.st_mtime < oldest):
                shutil.rmtree(path, ignore_errors=True)
