"""What is known of a whole run, benchmark by benchmark."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.plugin.messages import ItemRef
from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_robustbench.plugin.declared import Declared
    from pytest_robustbench.plugin.messages import ItemMessage, Selection
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
    declared : Declared
        What there is to judge.
    header_of : callable
        Returns what is known of the header of a benchmark, by its key.
    benchmarks : dict of str to BenchmarkResults
        By key.
    broken : dict of str to ItemRef
        By node id, items that can only say why there are no benchmarks, and have not yet.
    problems : dict of str to None
        What they say.
    write_error : str
        What could not be written; empty where everything could.
    pages : Pages, optional
        What was written beside the reports.
    is_empty : bool
        Whether nothing was selected.
    left : dict of str to (str or None)
        Digest of the report of each benchmark as this run left it when it began; ``None`` where
        there was none.
    replaced : str
        What of another run in the same folder was replaced; empty where nothing was.
    """

    settings: Settings
    declared: Declared
    header_of: Callable[[str], Header]
    benchmarks: dict[str, BenchmarkResults] = field(default_factory=dict)
    broken: dict[str, ItemRef] = field(default_factory=dict)
    problems: dict[str, None] = field(default_factory=dict)
    write_error: str = ""
    pages: Pages | None = None
    is_empty: bool = True
    left: dict[str, str | None] = field(default_factory=dict)
    replaced: str = ""
    _selected: dict[str, ItemRef] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    _expected: tuple[str, ...] = ()

    def select_all(self, selection: Selection) -> None:
        """Note what another process is going to run."""
        for place in selection.places:
            self.declared.use(place)
        for ref in selection.refs:
            self.select(ref)

    def select(self, ref: ItemRef) -> None:
        """Note that an item will run; one without a condition judges none."""
        self.is_empty = False
        if not ref.benchmark:
            self.broken[ref.nodeid] = ref
            self.problems[ref.problem] = None
            return
        declaration = self.declared.benchmark(ref.benchmark)
        self.declared.use(declaration.place)
        fresh = BenchmarkResults(declaration, ref, self.settings)
        results = self.benchmarks.setdefault(ref.benchmark, fresh)
        if ref.aggregate:
            results.aggregate_items[ref.nodeid] = ref  # every worker tells of it
        if ref.condition:
            if ref.removed:
                results.removed.add(ref.condition)
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
        return tuple(ref for nodeid in self._expected if (ref := self._expected_ref(nodeid)))

    def _expected_ref(self, nodeid: str) -> ItemRef | None:
        module, _, test = nodeid.partition("::")
        folder = Path(os.path.normpath(self.declared.rootdir / module)).parent
        file = self.declared.file_for(folder) if self.declared.path_for(folder) else None
        name = test.partition("[")[2].removesuffix("]")
        for one in file.benchmarks.values() if file else ():
            condition = name.removeprefix(f"{one.name}-")
            if condition != name and any(c.id == condition for c in one.conditions):
                return ItemRef(nodeid, (module, None, test), one.key, condition)
        return None

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
