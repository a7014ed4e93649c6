"""Verdicts to the outcome of an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.display import displayed
from pytest_robustbench.gates.soundness import unseen_decisions
from pytest_robustbench.gates.wording import describe
from pytest_robustbench.plugin.items import item_ref
from pytest_robustbench.plugin.measuring.course import measurements_of
from pytest_robustbench.plugin.measuring.reruns import rerun_of_item
from pytest_robustbench.reports.pages.reproduction import rerun_command

if TYPE_CHECKING:
    from pytest_robustbench.evaluation.results import ConditionResult, Latency
    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.measuring.condition_runner import ConditionOutcome

MS_PER_S = 1e3


class Judge:
    """Callable that asserts every limit of a result's condition.

    Parameters
    ----------
    request : pytest.FixtureRequest
        Of the item that judges.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._measurements = measurements_of(request.config)
        ref = item_ref(request.node)
        assert ref is not None, "only parametrized tests can ask for a benchmark"
        self._ref = ref

    def __call__(self, result: ConditionResult | ToleranceResult) -> None:
        """Fail listing every violated limit; skip where it is only measured, or not shown."""
        __tracebackhide__ = True
        outcome = self._measurements.outcome(self._ref.benchmark, self._ref.condition)
        if outcome is None or outcome.result is not result:
            raise ValueError("only the item's own robustness_result can be judged")
        self._record_properties(outcome)
        latency = getattr(result, "latency", None)  # a tolerance has none
        if latency is not None:
            publish_timings(self._request, latency)
        violated = [v for v in outcome.verdicts if v.violated]
        if violated:
            more = _wrong_decisions(outcome) or self._broken_by(outcome)
            pytest.fail(self._failure_text(violated, more), pytrace=False)
        waived = [describe(v, with_condition=False) for v in outcome.verdicts if v.waived]
        if waived:
            pytest.xfail("\n".join(waived))
        unshown = [describe(v, with_condition=False) for v in outcome.verdicts if v.open]
        if unshown:
            pytest.skip("\n".join(unshown))
        if not outcome.verdicts:
            pytest.skip("measured, no limit")

    def _record_properties(self, outcome: ConditionOutcome) -> None:
        properties = self._request.node.user_properties
        values: list[tuple[str, float | str | None]]
        values = [(v.limit.metric, v.value) for v in outcome.verdicts]
        if values:
            n_shown = sum(verdict.shown for verdict in outcome.verdicts)
            values.append(("limits_shown", f"{n_shown} of {len(outcome.verdicts)}"))
        wrong = _wrong_decisions(outcome)
        if wrong:
            values.append(("image_decisions", wrong))
        properties.extend(value for value in values if value not in properties)  # once under reruns

    def _failure_text(self, violated: list[Verdict], more: str) -> str:
        lines = [describe(verdict, with_condition=False) for verdict in violated]
        lines += [more] if more else []
        metrics = [v.limit.metric for v in violated]
        about = self._ref.benchmark, self._ref.condition
        lines += self._measurements.worst_images(*about, metrics)
        return "\n".join(map(displayed, [*lines, "", "run it again:", f"  {self._command()}"]))

    def _broken_by(self, outcome: ConditionOutcome) -> str:
        """Return where decisions break, for a tolerance; empty for a condition."""
        from pytest_robustbench.reports.pages.tolerances import sentences

        condition = self._ref.condition
        along = {condition: outcome.record} if condition_of(condition).ladder else {}
        return "\n".join(sentences(along))

    def _command(self) -> str:
        """Return what reruns this item at the operating point of this run."""
        settings, context = self._measurements.settings, self._measurements.context
        report = settings.report_dir / f"{self._ref.benchmark}.json"
        rerun = rerun_of_item(self._request.node, context.command)
        return rerun_command(rerun, report, settings.start)


def _wrong_decisions(outcome: ConditionOutcome) -> str:
    """Return that most image decisions are wrong, where no limit sees it."""
    values = {} if outcome.result is None else outcome.result.metrics
    return unseen_decisions((verdict.limit for verdict in outcome.verdicts), values)


# ---- timings in the table and JSON of pytest-benchmark, by replaying them ------------------------


class ReplayTimer:
    """A clock that shows recorded durations: every second reading is one duration later."""

    def __init__(self, seconds: tuple[float, ...]) -> None:
        self._durations = iter(seconds)
        self._now = 0.0
        self._started = False

    def __call__(self) -> float:
        """Return the time of the recorded run, in seconds."""
        if self._started:
            self._now += next(self._durations, 0.0)
        self._started = not self._started
        return self._now


def publish_timings(request: pytest.FixtureRequest, latency: Latency) -> None:
    """Hand the timings to pytest-benchmark, where it is there and not switched off.

    Measuring never runs inside its fixture: that would repeat, calibrate or skip it.
    """
    if not request.config.pluginmanager.hasplugin("benchmark") or not latency.calls:
        return
    timer = ReplayTimer(tuple(call / MS_PER_S for call in latency.calls))
    request.node.add_marker(pytest.mark.benchmark(timer=timer, group="robustness"))
    try:
        benchmark = request.getfixturevalue("benchmark")
    except pytest.skip.Exception:  # --benchmark-skip: not a reason to leave a limit unjudged
        return
    benchmark.extra_info["batch_size"] = latency.batch_size
    benchmark.pedantic(_nothing, rounds=len(latency.calls), iterations=1, warmup_rounds=0)


def _nothing() -> None:
    """Take no time of its own."""
