"""What is going to run: nothing vanishes in silence, and aggregate items follow their benchmark.

An aggregate item judges over all conditions, when everything has run, in the process that keeps
results. It is collected, so that whoever lists tests knows it; pytest never runs it, and nobody
shuffles or deselects it by itself.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from pytest_robustbench.plugin.items import item_ref, keep_benchmarks_together, keep_shard
from pytest_robustbench.plugin.workers.role import is_worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_robustbench.plugin.messages import ItemRef


@dataclass
class Selection:
    """What was collected of ours, and what became of it.

    Parameters
    ----------
    collected : list of pytest.Item
        Everything but aggregate items.
    aggregates : list of pytest.Item
        Those whose benchmark is asked for.
    deselected : set of pytest.Item
        What pytest was told is deselected.
    """

    collected: list[pytest.Item]
    aggregates: list[pytest.Item] = field(default_factory=list)
    deselected: set[pytest.Item] = field(default_factory=set)

    def removed(self, items: Iterable[pytest.Item]) -> list[pytest.Item]:
        """Return what is not among `items`, and nobody said that it is deselected."""
        known = {*items, *self.deselected}
        return [item for item in self.collected if item not in known]


SELECTION: pytest.StashKey[Selection] = pytest.StashKey()


@contextmanager
def selecting(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Hide aggregate items from whoever chooses and shuffles, and let them follow what is left."""
    aggregates = [item for item in items if _is_aggregate(item)]
    own = [item for item in items if item_ref(item) and not _is_aggregate(item)]
    selection = config.stash[SELECTION] = Selection(own)
    items[:] = [item for item in items if not _is_aggregate(item)]
    yield
    keep_shard(config, items)
    there = {_group(item) for item in (*items, *selection.removed(items))}
    asked = {_group(item) for item in own}
    # One that is asked for by its own name, without a condition, stays to say so.
    stay = [a for a in aggregates if _group(a) in there or _group(a) not in asked]
    if len(stay) < len(aggregates):
        config.hook.pytest_deselected(items=[a for a in aggregates if a not in stay])
    selection.aggregates = stay
    if not is_worker(config):  # workers have nothing to do with them
        items.extend(stay)
    keep_benchmarks_together(items)


def note_deselected(items: Iterable[pytest.Item]) -> None:
    """Remember what pytest was told is deselected."""
    for item in items:
        if SELECTION in item.config.stash:
            item.config.stash[SELECTION].deselected.add(item)


def selected(session: pytest.Session) -> list[tuple[pytest.Item, ItemRef]]:
    """Return what is owed a verdict of ours, removed or not; nothing where nothing runs."""
    selection = session.config.stash.get(SELECTION, None)
    if selection is None or only_lists(session.config):
        return []
    removed = set(selection.removed(session.items))
    items = dict.fromkeys([*session.items, *selection.aggregates, *removed])
    refs = [(item, item_ref(item)) for item in items]
    return [(item, replace(ref, removed=item in removed)) for item, ref in refs if ref is not None]


def only_lists(config: pytest.Config) -> bool:
    """Return whether a run lists what there is, or sets it up, and tests nothing."""
    names = ("collectonly", "setuponly", "showfixtures", "show_fixtures_per_test")
    return any(getattr(config.option, name, False) for name in names)


def leave_aggregates_out(session: pytest.Session) -> None:
    """Let nothing run them: they have been counted, and are reported when all is known."""
    selection = session.config.stash.get(SELECTION, None)
    if selection is not None:
        session.items = [item for item in session.items if item not in selection.aggregates]


def _is_aggregate(item: pytest.Item) -> bool:
    ref = item_ref(item)
    return ref is not None and bool(ref.aggregate)


def _group(item: pytest.Item) -> tuple[str, str]:
    """Return what aggregate items follow: their test function, as far as it is about one."""
    ref = item_ref(item)
    return item.nodeid.partition("[")[0], ref.benchmark if ref else ""
