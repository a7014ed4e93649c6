"""pytest-xdist: hooks of the controller, which briefs its workers, and of a worker."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.plugin.messages import BRIEFING, SELECTED, Briefing
from pytest_robustbench.plugin.workers.run_context import context_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from pytest_robustbench.plugin.messages import Selection
    from pytest_robustbench.plugin.workers.run_context import RunContext


class Controller:
    """Hooks of xdist's controller.

    Parameters
    ----------
    context : RunContext
        Of the run.
    read_texts : callable
        Returns the text of every configuration that a worker may meet, by its place.
    expect : callable
        Told the node ids that workers are going to run.
    """

    def __init__(
        self,
        context: RunContext,
        read_texts: Callable[[], Mapping[str, str]],
        expect: Callable[[Sequence[str]], None],
    ) -> None:
        self._context = context
        self._read_texts = read_texts
        self._expect = expect

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Brief a worker, before it starts."""
        dist, command = str(node.config.option.dist), shlex.join(sys.argv)
        briefing = Briefing(self._context.run, dist, command, self._read_texts())
        node.workerinput[BRIEFING] = briefing.dumps()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Remember what is going to run: a worker may die before it tells more."""
        self._expect(ids)


def announce(config: pytest.Config, selection: Selection) -> None:
    """Tell the controller what this worker is going to run, and the other workers that it is there.

    Parameters
    ----------
    config : pytest.Config
        Of the worker.
    selection : Selection
        What it has collected.
    """
    config.pluginmanager.register(Announcer(selection), "robustness-announcer")
    context_of(config).join()


class Announcer:
    """Puts what a worker is going to run on its first report.

    Every worker has collected the same items, so that the first to report speaks for all.

    Parameters
    ----------
    selection : Selection
        What it has collected.
    """

    def __init__(self, selection: Selection) -> None:
        self._text = selection.dumps()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach it once."""
        report = yield
        if self._text:
            setattr(report, SELECTED, self._text)
            self._text = ""
        return report
