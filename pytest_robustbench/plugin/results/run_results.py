"""What the controller knows: which conditions were selected, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_robustbench.gates.judgement import not_measurable
from pytest_robustbench.gates.summary import judge_summary
from pytest_robustbench.gates.waivers import apply_waivers, today, without_waivers
from pytest_robustbench.plugin.settings import RUNXFAIL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.workers.messages import Payload
    from pytest_robustbench.reports.compare.regression import Judged
    from pytest_robustbench.reports.file.report import Report
    from pytest_robustbench.reports.pages.write import Pages


@dataclass(frozen=True)
class Place:
    """Where an item stands, and what it is about.

    Parameters
    ----------
    nodeid : str
        Its node id.
    location : (str, int or None, str)
        File, line and test, as pytest reports them.
    benchmark, condition : str
        What it is about; empty where it is about none.
    """

    nodeid: str
    location: tuple[str, int | None, str]
    benchmark: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Terms:
    """What the options of a run ask for, beside what the YAML declares.

    Parameters
    ----------
    narrowing : tuple of str
        Options that make this run less than what was declared.
    baseline_asked : bool
        Whether an option asks for a comparison, or for a new baseline.
    heeds_waivers : bool
        Whether a waived limit may be violated in this run.
    shard : str
        Which part of the declared conditions was asked for; empty for all.
    resumes : bool
        Whether what earlier runs have finished was to be taken over.
    """

    narrowing: tuple[str, ...] = ()
    baseline_asked: bool = False
    heeds_waivers: bool = True
    shard: str = ""
    resumes: bool = False


@dataclass
class Account:
    """The books of one benchmark.

    Parameters
    ----------
    declaration : BenchmarkDeclaration
        What was declared.
    anchor : Place
        The first of its items: aggregate items are named after it.
    terms : Terms
        What the run was asked for.
    selected : set of str
        Ids of the conditions whose items were selected to run.
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
    """

    declaration: BenchmarkDeclaration
    anchor: Place
    terms: Terms
    origins: str = ""
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
    reused: set[str] = field(default_factory=set)
    trouble: str = ""
    _summaries: dict[frozenset[str], tuple[Verdict, ...]] = field(default_factory=dict)

    def add(self, payload: Payload) -> None:
        """Enter what one item told."""
        from pytest_robustbench.reports.file.report import verdict_from_dict

        self.trouble = self.trouble or payload.trouble or self._contradiction(payload)
        if self.header is None or payload.header["operating_point"] is not None:
            self.header = payload.header
        self.origins = self.origins or payload.origins
        self.data_missing = self.data_missing or payload.data_missing
        if payload.reused:
            self.reused.add(payload.condition)
        if payload.record is not None and payload.condition not in self.records:
            self.records[payload.condition] = payload.record
            self.verdicts[payload.condition] = tuple(map(verdict_from_dict, payload.verdicts))

    def _contradiction(self, payload: Payload) -> str:
        """Return where several processes do not tell of the same thing; empty where they do."""
        if self.header is None or self.header is payload.header:
            return ""
        from pytest_robustbench.errors import ReportError
        from pytest_robustbench.reports.merge.merging import refuse_contradictions

        if payload.origins and self.origins and payload.origins != self.origins:
            both = f"{self.origins}, and {payload.origins}"
            return (
                f"the workers of this run have different overrides of robustness fixtures: {both}"
            )
        known = {c: r for c, r in self.records.items() if c == payload.condition}
        told = {payload.condition: payload.record} if payload.record is not None else {}
        try:
            refuse_contradictions((self.header, known), (payload.header, told))
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
    def concerns_baseline(self) -> bool:
        """Whether there is a baseline to compare with, or to write."""
        return self.terms.baseline_asked or self.declaration.regression is not None

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
        return is_gate and whole and bool(self.terms.narrowing) and not self.data_missing

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
        return bool(self.deselected) or bool(self.terms.narrowing)

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
        from pytest_robustbench.reports.compare.evidence import with_summary_intervals

        report = self._report(())
        judged = judge_summary(self.declaration.summary_limits, report.summary())
        judged = with_summary_intervals(judged, report)
        waived = apply_waivers(judged, self.declaration.waivers, today())
        return waived if self.terms.heeds_waivers else without_waivers(waived, RUNXFAIL)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of how the run went."""
        reused = [c for c in self.declared if c in self.reused]
        text = f"taken over from an earlier run, unchanged: {', '.join(reused)}"
        return (text,) if reused else ()

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
            narrowed=self.terms.narrowing,
        )


@dataclass
class Ledger:
    """The accounts of every benchmark that was selected.

    Parameters
    ----------
    declarations : callable
        Returns the declared benchmarks by name; called only where an item is about one.
    terms : Terms
        What the run was asked for.
    """

    declarations: Callable[[], Mapping[str, BenchmarkDeclaration]]
    terms: Terms
    accounts: dict[str, Account] = field(default_factory=dict)
    broken: dict[str, Place] = field(default_factory=dict)
    write_error: str = ""
    pages: Pages | None = None
    is_empty: bool = True
    _owners: dict[str, Place] = field(default_factory=dict)
    _expected: tuple[str, ...] = ()
    _failed: set[str] = field(default_factory=set)

    def select(self, place: Place) -> None:
        """Enter that an item will run; one without a condition judges none."""
        self.is_empty = False
        if not place.benchmark:  # it can only say why there are no benchmarks
            self.broken[place.nodeid] = place
            return
        declaration = self.declarations()[place.benchmark]
        fresh = Account(declaration, place, self.terms)
        account = self.accounts.setdefault(place.benchmark, fresh)
        if place.condition:
            account.selected.add(place.condition)
            self._owners[place.nodeid] = place
            if place.nodeid in self._failed:
                account.failed.add(place.condition)

    def expect(self, nodeids: Sequence[str]) -> None:
        """Remember what workers are going to run, until one of them tells more."""
        self._expected = tuple(nodeids)

    @property
    def expected(self) -> tuple[Place, ...]:
        """The suite's own items, by their names, among what workers are going to run."""
        declared = self.declarations().values() if self._expected else ()
        names = {f"{d.name}-{c.id}": (d.name, c.id) for d in declared for c in d.conditions}
        found = [(i, names.get(i.partition("[")[2].removesuffix("]"))) for i in self._expected]
        return tuple(
            Place(nodeid, (nodeid.partition("::")[0], None, nodeid.partition("::")[2]), *about)
            for nodeid, about in found
            if about is not None
        )

    def select_expected(self) -> None:
        """Enter the suite's own items by their names, where no worker lived to tell more."""
        if self.is_empty:
            for place in self.expected:
                self.select(place)

    def add(self, payload: Payload) -> None:
        """Enter what an item told."""
        self.accounts[payload.benchmark].add(payload)

    def note_failure(self, nodeid: str) -> None:
        """Enter that an item failed, after every mark and hook had its say."""
        self.broken.pop(nodeid, None)
        self._failed.add(nodeid)
        if nodeid in self._owners:
            place = self._owners[nodeid]
            self.accounts[place.benchmark].failed.add(place.condition)
