"""What is known of a whole run, benchmark by benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_robustbench.plugin.messages import ItemRef
from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_robustbench.plugin.declared import Declared
    from pytest_robustbench.plugin.messages import ItemMessage
    from pytest_robustbench.plugin.options import Settings
    from pytest_robustbench.reports.file.model import Header
    from pytest_robustbench.reports.pages.write import Pages


@dataclass
class RunResults:
    """The results of every benchmark that was selected.

    Parameters
    ----------
    settings : Settings
        Options.
    read_declared : callable
        Returns what is declared; called only where an item is about it.
    header_of : callable
        Returns what is known of the header of a benchmark, by its name.
    benchmarks : dict of str to BenchmarkResults
        By name.
    broken : dict of str to ItemRef
        By node id, items that can only say why there are no benchmarks, and have not yet.
    write_error : str
        What could not be written; empty where everything could.
    pages : Pages, optional
        What was written beside the reports.
    is_empty : bool
        Whether nothing was selected.
    """

    settings: Settings
    read_declared: Callable[[], Declared]
    header_of: Callable[[str], Header]
    benchmarks: dict[str, BenchmarkResults] = field(default_factory=dict)
    broken: dict[str, ItemRef] = field(default_factory=dict)
    write_error: str = ""
    pages: Pages | None = None
    is_empty: bool = True
    _selected: dict[str, ItemRef] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    _expected: tuple[str, ...] = ()

    def select(self, ref: ItemRef) -> None:
        """Note that an item will run; one without a condition judges none."""
        self.is_empty = False
        if not ref.benchmark:
            self.broken[ref.nodeid] = ref
            return
        declaration = self.read_declared().benchmarks[ref.benchmark]
        fresh = BenchmarkResults(declaration, ref, self.settings)
        results = self.benchmarks.setdefault(ref.benchmark, fresh)
        if ref.condition:
            results.selected.add(ref.condition)
            self._selected[ref.nodeid] = ref
            if ref.nodeid in self._failed:
                results.failed.add(ref.condition)

    def expect(self, nodeids: Sequence[str]) -> None:
        """Remember what workers are going to run, until one of them tells more."""
        self._expected = tuple(nodeids)

    @property
    def expected(self) -> tuple[ItemRef, ...]:
        """The suite's own items, by their names, among what workers are going to run."""
        declared = self.read_declared().benchmarks.values() if self._expected else ()
        names = {f"{d.name}-{c.id}": (d.name, c.id) for d in declared for c in d.conditions}
        found = [(i, names.get(i.partition("[")[2].removesuffix("]"))) for i in self._expected]
        return tuple(
            ItemRef(nodeid, (nodeid.partition("::")[0], None, nodeid.partition("::")[2]), *about)
            for nodeid, about in found
            if about is not None
        )

    def select_expected(self) -> None:
        """Select the suite's own items by their names, where no worker lived to tell more."""
        if self.is_empty:
            for ref in self.expected:
                self.select(ref)

    def add(self, message: ItemMessage) -> None:
        """Take in what an item found."""
        self.benchmarks[message.benchmark].add(message)

    def note_failure(self, nodeid: str) -> None:
        """Note that an item failed, after every mark and hook had its say."""
        self.broken.pop(nodeid, None)
        self._failed.add(nodeid)
        ref = self._selected.get(nodeid)
        if ref is not None:
            self.benchmarks[ref.benchmark].failed.add(ref.condition)
