"""What is known of one benchmark: which conditions were selected, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.judgement import not_measurable
from pytest_robustbench.gates.waivers import without_waivers
from pytest_robustbench.plugin.items import aggregate_names
from pytest_robustbench.plugin.options import RUNXFAIL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.messages import ItemMessage, ItemRef
    from pytest_robustbench.plugin.options import Settings
    from pytest_robustbench.reports.compare.regression import Judged
    from pytest_robustbench.reports.file.report import Report


@dataclass
class BenchmarkResults:
    """What the items of one benchmark came to, and what follows from that.

    Parameters
    ----------
    declaration : BenchmarkDeclaration
        What was declared.
    first_item : ItemRef
        Aggregate items are named after it.
    settings : Settings
        Options.
    selected : set of str
        Ids of the conditions whose items were selected to run.
    removed : set of str
        Ids of those with an item that was taken out of the collection without a word.
    aggregate_items : dict of str to ItemRef
        The collected items that judge over all conditions, by node id.
    failed : set of str
        Ids of the conditions with an item that ended as failed.
    origins : str
        Which functions made its dataset and its detector.
    judged : tuple of Judged
        Its report against the baseline, and against the anchor.
    baseline_error : str
        Why there is nothing to compare with, or no baseline could be written.
    updated_baseline : Path, optional
        The baseline that was written from this run.
    baseline_changes : tuple of str
        What differs in it from the one before.
    reused : set of str
        Ids of the conditions that an earlier run has measured.
    trouble : str
        Why what was found cannot be relied on; empty where it can.
    remarks : dict of str to None
        What earlier runs have left and was not taken over, and why, in order.
    """

    declaration: BenchmarkDeclaration
    first_item: ItemRef
    settings: Settings
    origins: str = ""
    selected: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    aggregate_items: dict[str, ItemRef] = field(default_factory=dict)
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
    reused: set[str] = field(default_factory=set)
    trouble: str = ""
    remarks: dict[str, None] = field(default_factory=dict)
    _summaries: dict[frozenset[str], tuple[Verdict, ...]] = field(default_factory=dict)

    def add(self, message: ItemMessage) -> None:
        """Take in what one item found."""
        from pytest_robustbench.reports.file.report import verdict_from_dict

        self.trouble = self.trouble or message.trouble or self._contradiction(message)
        if self.header is None or message.header["operating_point"] is not None:
            self.header = message.header
        self.origins = self.origins or message.origins
        self.remarks |= dict.fromkeys(message.remarks)
        self.data_missing = self.data_missing or message.data_missing
        if message.reused:
            self.reused.add(message.condition)
        if message.record is not None and message.condition not in self.records:
            self.records[message.condition] = message.record
            self.verdicts[message.condition] = tuple(map(verdict_from_dict, message.verdicts))

    def _contradiction(self, message: ItemMessage) -> str:
        """Return where several processes contradict each other; empty where they do not."""
        if self.header is None or self.header is message.header:
            return ""
        from pytest_robustbench.errors import ReportError
        from pytest_robustbench.reports.merge.merging import refuse_contradictions

        if message.origins and self.origins and message.origins != self.origins:
            both = f"{self.origins}, and {message.origins}"
            return (
                f"the workers of this run have different overrides of robustness fixtures: {both}"
            )
        known = {c: r for c, r in self.records.items() if c == message.condition}
        found = {message.condition: message.record} if message.record is not None else {}
        try:
            refuse_contradictions((self.header, known), (message.header, found))
        except ReportError as error:
            return str(error)
        return ""

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
    def tolerances(self) -> dict[str, Mapping[str, Any]]:
        """What was found along corruptions, as it was declared."""
        along = (c.id for c in self.declaration.declared_conditions if c.ladder)
        return {name: self.records[name] for name in along if name in self.records}

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
    def failed_otherwise(self) -> tuple[str, ...]:
        """Measured conditions with an item that failed although their limits hold."""
        known = {*self.errors, *self.missing}
        known |= {c for c, verdicts in self.verdicts.items() if any(v.violated for v in verdicts)}
        return tuple(c for c in self.declared if c in self.failed and c not in known)

    @property
    def all_verdicts(self) -> tuple[Verdict, ...]:
        """Every limit that was judged, those on the summary last."""
        found = (v for condition in self.declared for v in self.verdicts.get(condition, ()))
        return (*found, *self.summary_verdicts())

    @property
    def has_limits(self) -> bool:
        """Whether anything is declared that could be violated."""
        return bool(self.declaration.all_limits)

    @property
    def aggregate_names(self) -> tuple[str, ...]:
        """What is judged over all conditions."""
        return aggregate_names(self.declaration, self.settings)

    @property
    def concerns_baseline(self) -> bool:
        """Whether there is a baseline to compare with, or to write."""
        return "regression" in self.aggregate_names

    @property
    def fails_if_inconclusive(self) -> bool:
        """Whether a comparison that decides nothing fails."""
        regression = self.declaration.regression
        return regression is None or regression.inconclusive == "fail"

    @property
    def owes_comparison(self) -> bool:
        """Whether options, and no deselection of items, keep a release gate from its comparison."""
        regression = self.declaration.regression
        is_gate = regression is not None and regression.inconclusive == "fail"
        whole = all(c.id in self.selected for c in self.declaration.conditions)
        return is_gate and whole and bool(self.settings.narrowing) and not self.data_missing

    @property
    def comparable(self) -> bool:
        """Whether everything that was declared is measured, and stands in a report."""
        return self.is_finished and self.report_path is not None

    @property
    def is_finished(self) -> bool:
        """Whether everything that was declared is measured and written down."""
        unfinished = self.missing or self.errors or self.write_error or self.trouble
        return not (unfinished or self.narrowed or self.data_missing)

    @property
    def narrowed(self) -> bool:
        """Whether this run measures less than what the YAML declares, or judges it elsewhere."""
        return bool(self.deselected) or bool(self.settings.narrowing)

    def summary_verdicts(self) -> tuple[Verdict, ...]:
        """Judge the summary limits; none in a narrowed run, whose means mean something else."""
        limits = self.declaration.summary_limits
        if self.narrowed or not limits:
            return ()
        if self.missing:
            return not_measurable("summary", limits, f"not measured: {', '.join(self.missing)}")
        known = frozenset(self.records)  # what is measured is final
        if known not in self._summaries:
            self._summaries[known] = self._judged_summary()
        return self._summaries[known]

    def _judged_summary(self) -> tuple[Verdict, ...]:
        from pytest_robustbench.config.benchmarks import gate_of

        judged = gate_of(self.declaration).judge_summary(self._report(()))
        return without_waivers(judged, RUNXFAIL) if self.settings.runxfail else judged

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of how the run went."""
        reused = [c for c in self.declared if c in self.reused]
        text = f"taken over from an earlier run, unchanged: {', '.join(reused)}"
        return (*((text,) if reused else ()), *self.remarks)

    def report(self) -> Report:
        """Return the report of what is known; the header is."""
        if not self.judged:
            return self._report(self.summary_verdicts())
        from pytest_robustbench.reports.compare.regression_record import regression_record

        compared = tuple(map(regression_record, self.judged))
        return replace(self._report(self.summary_verdicts()), regression=compared)

    def _report(self, summary: tuple[Verdict, ...]) -> Report:
        from pytest_robustbench.reports.file.model import Header
        from pytest_robustbench.reports.file.report import Report

        assert self.header is not None, "the header comes first"
        verdicts = [v for c in self.declared for v in self.verdicts.get(c, ())]
        header = Header.from_dict(self.header)
        return Report(
            header=header.changed(notes=[*header.notes, *self.notes]),
            declared=self.declaration.declared_conditions,
            records=self.records,
            verdicts=(*verdicts, *summary),
            narrowed=self.settings.narrowing,
            trouble=self.trouble,
        )
