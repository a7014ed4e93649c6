"""The hooks of every run, as a table of contents; what they do is in the modules beside.

A run that robustness does not concern loads this module, `options` and `fixtures`, no other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pytest_robustbench.plugin.fixtures import (
    robustness_benchmark,
    robustness_condition,
    robustness_dataset,
    robustness_detector,
    robustness_judge,
    robustness_result,
    robustness_threshold,
)
from pytest_robustbench.plugin.options import MARKER, add_options, are_in_use

if TYPE_CHECKING:
    import pytest

__all__ = [
    "robustness_benchmark",
    "robustness_condition",
    "robustness_dataset",
    "robustness_detector",
    "robustness_judge",
    "robustness_result",
    "robustness_threshold",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini twins."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and have bad options refused before anything runs."""
    config.addinivalue_line("markers", MARKER)
    if are_in_use(config) or _leads_to_some(config):
        _join(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item per benchmark and condition for tests that ask for them."""
    if "robustness_benchmark" in metafunc.fixturenames:
        from pytest_robustbench.plugin.items import parametrize
        from pytest_robustbench.plugin.workers.role import limit_threads

        _join(metafunc.config)
        limit_threads(metafunc.config)
        parametrize(metafunc)


def _leads_to_some(config: pytest.Config) -> bool:
    """Return whether there are files that this process has to know, whatever it collects.

    Workers may collect what their controller does not; and ``-m robustness`` asks for them.
    """
    leads = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if not leads and "robustness" not in config.getoption("markexpr", ""):
        return False
    from pytest_robustbench.plugin.yaml_files import lie_in_reach

    return lie_in_reach(config)


def _join(config: pytest.Config) -> None:
    """Register the hooks of a robustness run, once; pytest then configures them at once."""
    # Not import_plugin: below pytest 9.1 it warns where an earlier run in this process, or a test,
    # has imported the module of an editable install.
    name, manager = f"{__name__}.hooks", config.pluginmanager
    if not manager.has_plugin(name):
        manager.register(import_module(name), name)
