"""Verdicts to the outcome of an item."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.gates.wording import describe
from pytest_robustbench.plugin.parametrize import params_of
from pytest_robustbench.plugin.paths import relative
from pytest_robustbench.plugin.publishing import publish_timings
from pytest_robustbench.plugin.stash import SESSION

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
        """Return what reruns this item at the operating point of this run.

        It writes into a folder of its own, so that the report of the whole run stays.
        """
        settings, node = self._session.settings, self._request.node
        start = self._request.config.invocation_params.dir
        test = relative(node.path, start) + node.nodeid[node.nodeid.index("::") :]
        report_dir = relative(settings.report_dir, start)
        point = os.path.join(report_dir, f"{finding.declaration.name}.json")  # noqa: PTH118
        words = ["pytest", test, f"--robustness-operating-point={point}"]
        words.append(f"--robustness-report-dir={os.path.join(report_dir, 'rerun')}")  # noqa: PTH118
        if settings.config is not None:
            words.append(f"--robustness-config={relative(settings.config, start)}")
        if settings.profile:
            words.append(f"--robustness-profile={settings.profile}")
        for name in ("limit_train", "limit_test", "device"):
            value = getattr(settings, name)
            if value is not None:
                words.append(f"--robustness-{name.replace('_', '-')}={value}")
        return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
