"""The final word on a condition: measured here, by another process, or by an earlier run."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_robustbench.errors import ReportError, message_for_user
from pytest_robustbench.gates.waivers import without_waivers
from pytest_robustbench.plugin.measuring.reuse import EarlierResults
from pytest_robustbench.plugin.options import RUNXFAIL
from pytest_robustbench.plugin.workers.run_journal import RunJournal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.workers.run_context import RunContext
    from pytest_robustbench.reports.file.model import Header


@dataclass(frozen=True)
class ConditionOutcome:
    """The final word on one condition.

    Parameters
    ----------
    record : mapping
        The report's record of it.
    result : ConditionResult or ToleranceResult, optional
        ``None`` where it could not be measured.
    key : str
        Digest of everything that determines it; empty where that is not known beforehand.
    reused : bool
        Whether an earlier run has measured it.
    verdicts : tuple of Verdict
        Its limits, judged.
    pictures : mapping of str to bytes
        Its thumbnails by name; none where it was measured elsewhere, or nobody asked for them.
    """

    record: Mapping[str, Any]
    result: ConditionResult | ToleranceResult | None = None
    key: str = ""
    reused: bool = False
    verdicts: tuple[Verdict, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """Why it could not be measured; empty where it was."""
        return str(self.record.get("error", ""))


class ConditionRunner:
    """Finds out about conditions, each once in a run, and journals them before anybody is told.

    Parameters
    ----------
    context : RunContext
        Of this process.
    folder : Path
        Of the YAML.
    """

    def __init__(self, context: RunContext, folder: Path) -> None:
        self._context = context
        self._earlier = EarlierResults(context, folder)
        self._journal = RunJournal(context)
        self.journal_error = ""
        """Why the journal could not be written; empty where it could."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What earlier runs have left and is not taken over, and why."""
        return tuple(self._earlier.remarks)

    def run(
        self,
        benchmark: Benchmark,
        header: Header,
        declaration: BenchmarkDeclaration,
        condition: Condition,
    ) -> ConditionOutcome:
        """Return the final word on a condition of a prepared benchmark."""
        fitted = benchmark.evaluator.prepare().fitted_here
        with self._journaling():
            self._journal.note_benchmark(declaration, header, fitted=fitted)
        worker_group = benchmark.evaluator.worker_group
        with worker_group.computing():  # the first key reads all code and parameters
            key = self._earlier.key(benchmark, header, condition)

        def make() -> ConditionOutcome:
            specification = benchmark.evaluator.specification(condition)
            known = self._earlier.record(header, condition, key, specification)
            found = (
                _measured(benchmark, condition)
                if known is None
                else ConditionOutcome(known, reused=True)
            )
            with self._journaling():
                self._journal.note_condition(
                    benchmark=declaration.name,
                    condition=condition.id,
                    key=key,
                    record=found.record,
                    reused=found.reused,
                )
            return found

        found = worker_group.once(f"{condition.id}.json", make, _write, _read)
        return self._judged(benchmark, condition, replace(found, key=key))

    def _judged(
        self, benchmark: Benchmark, condition: Condition, found: ConditionOutcome
    ) -> ConditionOutcome:
        """Add verdicts, pictures, and the result where another process has measured it."""
        from pytest_robustbench.evaluation.results import ConditionResult
        from pytest_robustbench.reports.pages.thumbnails import thumbnails_of

        result = found.result
        if result is None and not found.error:
            result = _rebuilt(benchmark, condition, found.record)
        with benchmark.evaluator.worker_group.computing():  # intervals take their time
            verdicts = benchmark.judge(condition, found.record)
            pictures = thumbnails_of(result) if isinstance(result, ConditionResult) else {}
        if self._context.settings.runxfail:
            # pytest.xfail does nothing then, and would let what is waived pass.
            verdicts = without_waivers(verdicts, RUNXFAIL)
        if isinstance(result, ConditionResult):
            # A run keeps every result: the pictures are smaller.
            result = replace(result, exhibits=())
        return replace(found, result=result, verdicts=verdicts, pictures=pictures)

    @contextmanager
    def _journaling(self) -> Iterator[None]:
        try:
            yield
        except ReportError as error:  # the run goes on, but cannot end well
            self.journal_error = self.journal_error or str(error)


def _rebuilt(
    benchmark: Benchmark, condition: Condition, record: Mapping[str, Any]
) -> ConditionResult | ToleranceResult:
    """Return the result of what another process, or an earlier run, has measured."""
    from pytest_robustbench.reports.file.record import result_from_record
    from pytest_robustbench.reports.file.tolerance.record import tolerance_from_record

    if condition.ladder:
        samples = benchmark.evaluator.tested.inventory.to_dict()
        return tolerance_from_record(condition, record, samples)
    labels = [sample.label for sample in benchmark.evaluator.samples(condition)]
    return result_from_record(condition, record, labels)


def _measured(benchmark: Benchmark, condition: Condition) -> ConditionOutcome:
    from pytest_robustbench.reports.file.fields import error_record
    from pytest_robustbench.reports.file.record import condition_record
    from pytest_robustbench.reports.file.tolerance.record import tolerance_record

    try:
        if condition.ladder:
            found = benchmark.tolerance(condition)
            return ConditionOutcome(tolerance_record(found), found)
        result = benchmark.evaluate(condition)
        return ConditionOutcome(condition_record(result), result)
    except (Exception, SystemExit) as error:  # the first answer is final, whatever it is
        return ConditionOutcome(error_record(message_for_user(error)))


def _write(found: ConditionOutcome, path: Path) -> None:
    plain = {"record": found.record, "reused": found.reused}
    path.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")


def _read(path: Path) -> ConditionOutcome:
    return ConditionOutcome(**json.loads(path.read_text(encoding="utf-8")))
