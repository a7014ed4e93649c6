"""Verdicts to the outcome of an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.gates.wording import describe
from pytest_robustbench.plugin.parametrize import params_of
from pytest_robustbench.plugin.publishing import publish_timings
from pytest_robustbench.plugin.reruns import rerun_of_item
from pytest_robustbench.plugin.stash import SESSION
from pytest_robustbench.reports.pages.reproduction import rerun_command

if TYPE_CHECKING:
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.measuring.findings import Finding
    from pytest_robustbench.plugin.measuring.session import Session


class Judge:
    """Callable that asserts every limit of a result's condition.

    Parameters
    ----------
    request : pytest.FixtureRequest
        Of the item that judges.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._session: Session = request.config.stash[SESSION]

    def __call__(self, result: ConditionResult) -> None:
        """Fail listing every violated limit; skip where the condition is only measured."""
        __tracebackhide__ = True
        benchmark, _ = params_of(self._request.node)
        finding = self._session.finding(benchmark, result.condition.id)
        if finding is None or finding.result is not result:
            raise ValueError("only the item's own robustness_result can be judged")
        self._record_properties(finding)
        publish_timings(self._request, result.latency)
        violated = [v for v in finding.verdicts if v.violated]
        if violated:
            pytest.fail(self._failure_text(finding, violated), pytrace=False)
        waived = [describe(v, with_condition=False) for v in finding.verdicts if v.waived]
        if waived:
            pytest.xfail("\n".join(waived))
        if not finding.verdicts:
            pytest.skip("measured, no limit")

    def _record_properties(self, finding: Finding) -> None:
        properties = self._request.node.user_properties
        values = [(v.limit.metric, v.value) for v in finding.verdicts]
        properties.extend(value for value in values if value not in properties)  # once under reruns

    def _failure_text(self, finding: Finding, violated: list[Verdict]) -> str:
        lines = [describe(verdict, with_condition=False) for verdict in violated]
        lines += self._session.worst_images(finding, [v.limit.metric for v in violated])
        return "\n".join([*lines, "", "run it again:", f"  {self._command(finding)}"])

    def _command(self, finding: Finding) -> str:
        """Return what reruns this item at the operating point of this run."""
        node, session = self._request.node, self._session
        report = session.settings.report_dir / f"{finding.declaration.name}.json"
        rerun = rerun_of_item(node, session.surroundings.command)
        return rerun_command(rerun, report, self._request.config.invocation_params.dir)
