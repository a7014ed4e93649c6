"""Which process of a run this is, and what its controller has told it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pytest_robustbench.plugin.messages import BRIEFING, Briefing

if TYPE_CHECKING:
    import pytest

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


def briefing_of(config: pytest.Config) -> Briefing | None:
    """Return what the controller has told this worker; ``None`` where it has told nothing."""
    text = config.workerinput.get(BRIEFING)  # type: ignore[attr-defined]
    return None if text is None else Briefing.loads(text)


def limit_threads(config: pytest.Config) -> None:
    """Let the libraries of a worker use no more than its share of the processors.

    They read the environment when they are loaded; torch, which a conftest may have loaded before,
    is told as well.
    """
    if not is_worker(config):
        return
    from pytest_robustbench.processors import processors

    share = processors()
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, str(share))
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() > share:
        torch.set_num_threads(share)
