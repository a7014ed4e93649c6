"""A YAML document as a tree in which every key and value knows where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Scalar: TypeAlias = object
"""What a leaf holds: text, number, truth value, null, or a stand-in for an unset variable."""


class Mark(NamedTuple):
    """A place in the file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Leaf:
    """A scalar; `plain_style` tells ``5`` from ``"5"``."""

    mark: Mark
    value: Scalar
    plain_style: bool = True


@dataclass(frozen=True)
class Items:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entry:
    """One ``key: value`` of a table; the mark is the key's."""

    mark: Mark
    node: Node


@dataclass(frozen=True)
class Table:
    """A mapping with text keys, in the order of the file."""

    mark: Mark
    entries: Mapping[str, Entry]

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, or None where it is not written."""
        entry = self.entries.get(key)
        return None if entry is None else entry.node

    def table(self, key: str) -> Table:
        """Return the table under `key`; an empty one where there is none."""
        node = self.get(key)
        return node if isinstance(node, Table) else Table(self.mark, {})

    def without(self, keys: Sequence[str]) -> Table:
        """Return the table without some of its keys."""
        return Table(self.mark, {k: e for k, e in self.entries.items() if k not in keys})


Node: TypeAlias = "Leaf | Items | Table"


def map_leaves(node: Node, change: Callable[[Leaf], Leaf]) -> Node:
    """Return the tree with every leaf replaced by what `change` makes of it."""
    if isinstance(node, Leaf):
        return change(node)
    if isinstance(node, Items):
        return Items(node.mark, tuple(map_leaves(item, change) for item in node.items))
    entries = {k: Entry(e.mark, map_leaves(e.node, change)) for k, e in node.entries.items()}
    return Table(node.mark, entries)


def merged(general: Table, specific: Table) -> Table:
    """Lay `specific` over `general`: tables merge key by key, anything else replaces.

    A `detector`, and a `dataset` of another `format`, replace as a whole: the options of one mean
    nothing to the other.
    """
    entries = dict(general.entries)
    for key, entry in specific.entries.items():
        below = general.get(key)
        entries[key] = Entry(entry.mark, _merged_value(key, below, entry.node))
    return Table(specific.mark, entries)


def _merged_value(key: str, below: Node | None, above: Node) -> Node:
    if not isinstance(below, Table) or not isinstance(above, Table) or key == "detector":
        return above
    if key == "dataset" and _states_another_format(below, above):
        return above
    return merged(below, above)


def _states_another_format(below: Table, above: Table) -> bool:
    old, new = below.get("format"), above.get("format")
    return isinstance(old, Leaf) and isinstance(new, Leaf) and old.value != new.value


def plain(node: Node | None) -> object:
    """Return the tree as dict, tuple and scalar; an absent node is null."""
    if node is None:
        return None
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Items):
        return tuple(plain(item) for item in node.items)
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def value_mark(node: Node, path: Sequence[str | int]) -> Mark:
    """Return where the value at `path` stands, or the innermost part of it that is written.

    Steps that lead nowhere are passed over, so a path may hold names that are not in the file.
    """
    *_, (_, mark) = _marks(node, path)
    return mark


def key_mark(node: Node, path: Sequence[str | int]) -> Mark:
    """Return where the last key of `path` stands; for an item of a list, the item."""
    *_, (mark, _) = _marks(node, path)
    return mark


def _marks(node: Node, path: Sequence[str | int]) -> Iterator[tuple[Mark, Mark]]:
    """Yield where key and value stand, of `node` itself and of every step that leads somewhere."""
    yield node.mark, node.mark
    for step in path:
        child = _child(node, step)
        if child is not None:
            key = node.entries[str(step)].mark if isinstance(node, Table) else child.mark
            yield key, child.mark
            node = child


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Table) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def node_at(node: Node, path: Sequence[str | int]) -> Node | None:
    """Return the node at exactly `path`, or None where nothing is written."""
    found: Node | None = node
    for step in path:
        found = None if found is None else _child(found, step)
    return found
