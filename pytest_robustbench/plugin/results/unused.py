"""Configurations that no test of a run is about: what they declare is not forgotten in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_robustbench.naming import relative
from pytest_robustbench.plugin.declared import declared_of
from pytest_robustbench.plugin.options import SETTINGS
from pytest_robustbench.plugin.selection import only_lists
from pytest_robustbench.plugin.workers.role import is_controller, is_worker

if TYPE_CHECKING:
    from collections.abc import Collection

    import pytest

ASKED_FOR = re.compile(r"(?<!not )\brobustness\b")


def asks_for_robustness(config: pytest.Config) -> bool:
    """Return whether ``-m`` selects what is marked as ours."""
    return bool(ASKED_FOR.search(config.getoption("markexpr", default="") or ""))


def unused(config: pytest.Config, told: Collection[str]) -> list[str]:
    """Return, for each configuration in reach that no test is about, one line that says so.

    Parameters
    ----------
    config : pytest.Config
        Of the run.
    told : collection of str
        What tests have said of configurations that are broken: they are about them. Of these a
        worker tells no place.
    """
    if is_worker(config) or only_lists(config):
        return []
    if is_controller(config) and _is_part(config):
        return []  # workers tell what is selected, not what there was to select
    declared, start = declared_of(config), config.stash[SETTINGS].start
    used = {file.path for file in declared.files}
    return [
        f"{relative(path, start)}: no test is about it, and nothing that it declares was judged: "
        "beside it or below belongs a test module, such as one with the line 'from "
        "pytest_robustbench.suite import test_robustness'"
        for path in declared.reach
        if path not in used and not (told and declared.problem_of(path) in told)
    ]


def _is_part(config: pytest.Config) -> bool:
    option = config.option
    deselecting = option.keyword, option.deselect, getattr(option, "lf", False)
    return any(deselecting) or bool(config.stash[SETTINGS].shard) or "(" in option.markexpr
