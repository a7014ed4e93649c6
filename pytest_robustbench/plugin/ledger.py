"""What the controller knows: which conditions were selected, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.judgement import not_measurable
from pytest_robustbench.gates.summary import judge_summary
from pytest_robustbench.gates.waivers import apply_waivers, today

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.payload import Payload
    from pytest_robustbench.reports.regression import Judged
    from pytest_robustbench.reports.report import Report


@dataclass
class Account:
    """The books of one benchmark.

    Parameters
    ----------
    declaration : BenchmarkDeclaration
        What was declared.
    anchor : pytest.Item
        The first of its items: aggregate items are named after it.
    narrowing : tuple of str
        Options that make this run less than what was declared.
    selected : set of str
        Ids of the conditions whose items were selected to run.
    failed : set of str
        Ids of the conditions with an item that ended as failed.
    baseline_asked : bool
        Whether an option asks for a comparison, or for a new baseline.
    judged : tuple of Judged
        Its report against the baseline, and against the anchor.
    baseline_error : str
        Why there is nothing to compare with, or no baseline could be written.
    updated_baseline : Path, optional
        The baseline that was written from this run.
    baseline_changes : tuple of str
        What differs in it from the one before.
    """

    declaration: BenchmarkDeclaration
    anchor: pytest.Item
    narrowing: tuple[str, ...] = ()
    baseline_asked: bool = False
    selected: set[str] = field(default_factory=set)
    header: Mapping[str, Any] | None = None
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: dict[str, tuple[Verdict, ...]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    data_missing: str = ""
    report_path: Path | None = None
    report_sha256: str | None = None
    write_error: str = ""
    judged: tuple[Judged, ...] = ()
    baseline_error: str = ""
    updated_baseline: Path | None = None
    baseline_changes: tuple[str, ...] = ()

    def add(self, payload: Payload) -> None:
        """Enter what one item told."""
        from pytest_robustbench.reports.report import verdict_from_dict

        self.header = payload.header
        self.data_missing = self.data_missing or payload.data_missing
        if payload.record is not None:
            self.records[payload.condition] = payload.record
            self.verdicts[payload.condition] = tuple(map(verdict_from_dict, payload.verdicts))

    @property
    def declared(self) -> tuple[str, ...]:
        """Ids of every condition that a complete run measures."""
        return tuple(c.id for c in self.declaration.declared_conditions)

    @property
    def deselected(self) -> tuple[str, ...]:
        """Declared conditions that were not asked for in this run."""
        return tuple(c for c in self.declared if c not in self.selected)

    @property
    def missing(self) -> tuple[str, ...]:
        """Selected conditions that ended without any finding."""
        return tuple(c for c in self.declared if c in self.selected and c not in self.records)

    @property
    def errors(self) -> tuple[str, ...]:
        """Conditions that could not be measured."""
        return tuple(c for c, record in self.records.items() if "error" in record)

    @property
    def unnoticed(self) -> tuple[Verdict, ...]:
        """Violated limits of measured conditions none of whose items failed."""
        return tuple(
            verdict
            for condition, verdicts in self.verdicts.items()
            for verdict in verdicts
            if verdict.violated and condition not in self.failed and condition not in self.errors
        )

    @property
    def has_limits(self) -> bool:
        """Whether anything is declared that could be violated."""
        return bool(self.declaration.all_limits)

    @property
    def concerns_baseline(self) -> bool:
        """Whether there is a baseline to compare with, or to write."""
        return self.baseline_asked or self.declaration.regression is not None

    @property
    def fails_if_inconclusive(self) -> bool:
        """Whether a comparison that decides nothing fails."""
        regression = self.declaration.regression
        return regression is None or regression.inconclusive == "fail"

    @property
    def comparable(self) -> bool:
        """Whether everything that was declared is measured, and stands in a report."""
        unfinished = self.missing or self.errors or self.write_error or self.data_missing
        return not (unfinished or self.narrowed or self.report_path is None)

    @property
    def narrowed(self) -> bool:
        """Whether this run measures less than what the YAML declares, or judges it elsewhere."""
        return bool(self.deselected) or bool(self.narrowing)

    def summary_verdicts(self) -> tuple[Verdict, ...]:
        """Judge the summary limits; none in a narrowed run, whose means mean something else."""
        limits = self.declaration.summary_limits
        if self.narrowed or not limits:
            return ()
        if self.missing:
            return not_measurable("summary", limits, f"not measured: {', '.join(self.missing)}")
        judged = judge_summary(limits, self._report(()).summary())
        return apply_waivers(judged, self.declaration.waivers, today())

    def report(self) -> Report:
        """Return the report of what is known; the header is."""
        if not self.judged:
            return self._report(self.summary_verdicts())
        from pytest_robustbench.reports.regression_record import regression_record

        compared = tuple(map(regression_record, self.judged))
        return replace(self._report(self.summary_verdicts()), regression=compared)

    def _report(self, summary: tuple[Verdict, ...]) -> Report:
        from pytest_robustbench.reports.header import Header
        from pytest_robustbench.reports.report import Report

        assert self.header is not None, "the header comes first"
        verdicts = [v for c in self.declared for v in self.verdicts.get(c, ())]
        return Report(
            header=Header.from_dict(self.header),
            declared=self.declaration.declared_conditions,
            records=self.records,
            verdicts=(*verdicts, *summary),
            narrowed=self.narrowing,
        )


@dataclass
class Ledger:
    """The accounts of every benchmark that was selected.

    Parameters
    ----------
    narrowing : tuple of str
        Options that make this run less than what was declared.
    baseline_asked : bool
        Whether an option asks for a comparison, or for a new baseline.
    """

    narrowing: tuple[str, ...] = ()
    baseline_asked: bool = False
    accounts: dict[str, Account] = field(default_factory=dict)
    broken: dict[str, pytest.Item] = field(default_factory=dict)
    write_error: str = ""
    _owners: dict[str, tuple[str, str]] = field(default_factory=dict)

    def select(self, declaration: BenchmarkDeclaration, condition: str, item: pytest.Item) -> None:
        """Enter that an item will run; one without a condition judges none."""
        fresh = Account(declaration, item, self.narrowing, self.baseline_asked)
        account = self.accounts.setdefault(declaration.name, fresh)
        if condition:
            account.selected.add(condition)
            self._owners[item.nodeid] = (declaration.name, condition)

    def select_broken(self, item: pytest.Item) -> None:
        """Enter an item that can only say why there are no benchmarks."""
        self.broken[item.nodeid] = item

    def add(self, payload: Payload) -> None:
        """Enter what an item told."""
        self.accounts[payload.benchmark].add(payload)

    def note_failure(self, nodeid: str) -> None:
        """Enter that an item failed, after every mark and hook had its say."""
        self.broken.pop(nodeid, None)
        if nodeid in self._owners:
            benchmark, condition = self._owners[nodeid]
            self.accounts[benchmark].failed.add(condition)
