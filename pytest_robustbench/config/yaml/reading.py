"""Read a YAML file into a tree of nodes; nothing in the file can run code or use up the memory.

Scalars follow YAML 1.2: only ``true`` and ``false`` are truth values, so a category named ``on`` or
``no`` stays a name, ``1e-3`` is a number, and ``12:30`` is not. Keys are always text. Keys that
begin with ``x-`` are the user's own and are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from pytest_robustbench.config.yaml.nodes import Entry, Items, Leaf, Mark, Node, Table
from pytest_robustbench.config.yaml.problems import Problem, config_error, shown_path
from pytest_robustbench.config.yaml.scalars import CONVERTERS, SCALARS
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.lfs import POINTER, is_pointer
from pytest_robustbench.naming import shortened
from pytest_robustbench.regular_file import read_regular_file

if TYPE_CHECKING:
    from pathlib import Path

MAX_DEPTH = 40
MAX_NODES = 50_000
MOST_BYTES = 1 << 24

LONGEST = 80
"""Characters of a value that a message quotes."""

_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


class _RefusedError(Exception):
    """A document that is YAML, but nothing this package accepts."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(mark, message)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2 scalars and a bound on depth."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own convention)
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, refusing to go deeper than any sensible file does."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _RefusedError(_mark(event.start_mark), _TOO_DEEP)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _kind, _pattern in SCALARS.items():
    # PyYAML asks for the letters a scalar may begin with; None stands for any.
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(rf"(?:{_pattern})\Z"), None)
_Loader.add_implicit_resolver(_TAG + "merge", re.compile(rf"{_MERGE}\Z"), ["<"])


def tree_of(text: str, path: Path) -> Table:
    """Return the top-level mapping of `text`, which stands in `path`.

    Raises
    ------
    ConfigError
        One message with ``file:line:column``: the text is empty, no YAML, no mapping, has a key
        twice, an unknown tag, or aliases that multiply.
    """
    try:
        tree = _Conversion().node(_root(text))
    except _RefusedError as refused:
        raise config_error(path, [refused.problem]) from None
    if not isinstance(tree, Table):
        problem = Problem(tree.mark, "the file must be a mapping of keys to values")
        raise config_error(path, [problem])
    return tree


def _root(text: str) -> yaml.Node:
    """Return the node of the whole document; whatever the parser raises is a refusal."""
    parser: _Loader | None = None
    try:
        parser = _Loader(text)
        root = parser.get_single_node()
    except _RefusedError:
        raise
    except yaml.MarkedYAMLError as error:
        raise _syntax_problem(error) from None
    except yaml.reader.ReaderError as error:
        raise _character_problem(text, error) from None
    except Exception as error:  # PyYAML hands some escapes and numbers to Python unchecked
        mark = Mark(1, 1) if parser is None else Mark(parser.line + 1, parser.column + 1)
        message = f"not valid YAML: an escape or number that cannot be read ({error})"
        raise _RefusedError(mark, message) from None
    if root is None:
        raise _RefusedError(Mark(1, 1), "the file is empty; it needs schema_version: 1")
    return root


def read_text(path: Path) -> str:
    """Return what stands in `path`.

    Raises
    ------
    ConfigError
        If it cannot be read, or is not UTF-8.
    """
    try:
        content = read_regular_file(path, MOST_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{shown_path(path)}: cannot be read: {error.strerror or error}"
        ) from None
    if is_pointer(content):
        raise ConfigError(f"{shown_path(path)} {POINTER}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        message = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise config_error(path, [Problem(_end_of(before), message)]) from None


def _end_of(text: str) -> Mark:
    lines = text.split("\n")
    return Mark(len(lines), len(lines[-1]) + 1)


def _mark(mark: yaml.Mark) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _syntax_problem(error: yaml.MarkedYAMLError) -> _RefusedError:
    mark = error.problem_mark or error.context_mark
    message = error.problem or error.context or "not YAML"
    if "'\\t'" in message:
        message = "a tab cannot indent YAML; use spaces"
    elif error.context and error.context_mark:
        message = f"{error.context} (from line {error.context_mark.line + 1}): {message}"
    return _RefusedError(_mark(mark) if mark else Mark(1, 1), f"not valid YAML: {message}")


def _character_problem(text: str, error: yaml.reader.ReaderError) -> _RefusedError:
    message = f"character U+{ord(text[error.position]):04X} is not allowed in YAML"
    return _RefusedError(_end_of(text[: error.position]), message)


class _Conversion:
    """Turns composed nodes into ours; counts them, because aliases can multiply."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[int] = []

    def node(self, node: yaml.Node) -> Node:
        self._count += 1
        mark = _mark(node.start_mark)
        if self._count > MAX_NODES:
            raise _RefusedError(mark, f"aliases make the file grow to more than {MAX_NODES} values")
        if id(node) in self._open:
            raise _RefusedError(mark, "an anchor contains itself")
        if len(self._open) > MAX_DEPTH:
            raise _RefusedError(mark, _TOO_DEEP)
        self._open.append(id(node))
        converted = self._converted(node, mark)
        self._open.pop()
        return converted

    def _converted(self, node: yaml.Node, mark: Mark) -> Node:
        if isinstance(node, yaml.ScalarNode):
            return Leaf(mark, _scalar(node, mark), plain_style=node.style is None)
        if isinstance(node, yaml.SequenceNode):
            _require_tag(node, "seq", mark)
            return Items(mark, tuple(self.node(item) for item in node.value))
        _require_tag(node, "map", mark)
        return self._table(node, mark)

    def _table(self, node: yaml.Node, mark: Mark) -> Table:
        written: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key, place = _key(key_node), _mark(key_node.start_mark)
            if key in written:
                first = written[key].mark
                raise _RefusedError(
                    place, f"duplicate key {key!r}; it stands on line {first.line} already"
                )
            written[key] = Entry(place, self.node(value_node))
        if any(key_node.tag == _TAG + "merge" for key_node, _ in node.value):
            written = {**_inherited(written.pop(_MERGE).node), **written}
        return Table(mark, {k: e for k, e in written.items() if not k.startswith("x-")})


def _inherited(value: Node) -> dict[str, Entry]:
    """Return the entries that a merge key brings; the earlier of several tables wins."""
    tables = value.items if isinstance(value, Items) else (value,)
    entries: dict[str, Entry] = {}
    for table in tables:
        if not isinstance(table, Table):
            raise _RefusedError(table.mark, "'<<' takes a mapping or a list of mappings")
        entries = {**table.entries, **entries}
    return entries


def _key(node: yaml.Node) -> str:
    mark = _mark(node.start_mark)
    if not isinstance(node, yaml.ScalarNode):
        raise _RefusedError(
            mark, "a key must be text; write a value that holds braces or brackets in quotes"
        )
    _scalar(node, mark)
    return str(node.value)


def _scalar(node: yaml.ScalarNode, mark: Mark) -> object:
    name = node.tag.removeprefix(_TAG)
    if node.tag == _TAG + "merge" and node.value == _MERGE:
        return _MERGE
    if name == node.tag or name not in CONVERTERS:
        raise _RefusedError(mark, _unknown_tag(node.tag))
    try:
        return CONVERTERS[name](node.value)
    except ValueError:
        raise _RefusedError(
            mark,
            f"{shortened(repr(node.value), LONGEST)} is not what the tag "
            f"{_shown_tag(node.tag)} promises",
        ) from None


def _require_tag(node: yaml.Node, name: str, mark: Mark) -> None:
    if node.tag != _TAG + name:
        raise _RefusedError(mark, _unknown_tag(node.tag))


def _unknown_tag(tag: str) -> str:
    return f"the tag {_shown_tag(tag)} is not allowed; this file holds plain values only"


def _shown_tag(tag: str) -> str:
    return tag.replace(_TAG, "!!")
