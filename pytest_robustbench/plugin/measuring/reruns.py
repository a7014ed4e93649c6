"""What reruns an item of this run, as its report and its failure tell it."""

from __future__ import annotations

import shlex
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

from pytest_robustbench.naming import relative
from pytest_robustbench.reports.pages.reproduction import CONDITION, rerun_of

if TYPE_CHECKING:
    import pytest

    from pytest_robustbench.plugin.messages import ItemRef

PROGRAMS = ("pytest", "py.test", "pytest.exe", "__main__.py")


def rerun_of_item(item: pytest.Item, command: str) -> str:
    """Return what reruns exactly this item.

    Parameters
    ----------
    item : pytest.Item
        Of this process.
    command : str
        Command line of the controller; empty where this process is the whole run.
    """
    start, config = item.config.invocation_params.dir, item.config
    words = [sys.argv[0], *map(str, config.invocation_params.args)]
    if command:  # a worker is given places alone
        words = shlex.split(command)
        # What other programs are given may mean anything.
        words = words if PurePath(words[0]).name in PROGRAMS else words[:1]
    node_id = relative(item.path, start) + item.nodeid[item.nodeid.index("::") :]
    return rerun_of(words, config.option.file_or_dir, node_id)


def rerun_of_benchmark(item: pytest.Item, ref: ItemRef, command: str) -> str:
    """Return what reruns this item, or with another condition one of the same benchmark."""
    rerun, name = rerun_of_item(item, command), ref.benchmark.rpartition("/")[2]
    return rerun.replace(f"{name}-{ref.condition}", f"{name}-{CONDITION}")
